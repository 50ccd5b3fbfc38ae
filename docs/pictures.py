"""Draw the pictures of the documents: `python -m docs.pictures [NAME...]`, all if none is named."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from PIL import Image

from gensim_envs import Oracle, fuse_views, rollout
from gensim_envs.envs.rollout import transitions
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.sim.cameras import OVERVIEW, Camera
from gensim_envs.sim.video import VideoRecorder
from gensim_envs.sim.views import pixel_of_xy
from gensim_envs.sim.world import World
from gensim_envs.task.assets import KIT_SHAPES, OBJECTS, SPLIT_SHAPES, Asset, Household, KitPiece
from gensim_envs.task.goals import Goal, Place
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import ItemSpec, TaskSpec
from gensim_envs.utils.naming import words

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
import pygame

Tile = tuple[np.ndarray, str]
"""A picture (h, w, 3) uint8 and its caption."""

CAPTION = 22  # pixels
SEED = 2_011
SIDE = (slice(90, 410), slice(0, 640))
PERTURBED = "gensim/PutBlockInBowl-v0"
SHOWN = tuple(
    f"gensim/{name}-v0"
    for name in ("SetTheTable", "ParkTheToyCars", "AssemblingKits",
                 "FenceThePen", "TenStoreyTower", "SweepingPiles")
)  # fmt: skip
FAILED = "gensim/KitInBowlInSquare-v0"
FRAMES, HELD = 72, 10  # frames of the animation, and how many of them show the end
ARM = np.array([(-0.1, -0.15, 0.0), (-0.1, 0.15, 0.0), (0.0, -0.1, 0.7), (0.0, 0.1, 0.7)])
SIDES = [(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
MIDDLE = Pose(0.5, 0.0)
AROUND = Camera((0.92, -0.40, 0.48), 136.4, 38.5, focal=400, shape=(224, 300))
NEAR = Camera((0.75, -0.24, 0.30), 136, 37.5, focal=860, shape=(240, 320))


def solved(id: str, seed: int) -> np.ndarray:
    """A picture (344, 460, 3) uint8 of what is on the table once an episode is solved.

    The arm is not shown: so close, only its foot and its shadow would be in the picture.
    """
    env = gym.make(id, obs_mode="state")
    rollout(env, Oracle(env), seed=seed)
    world = env.unwrapped.world
    with closing(VideoRecorder(world, motion=False, arm=False)) as video:
        picture = video.render(around(corners(world), (344, 460)))
    env.close()
    return picture


def around(points: np.ndarray, shape: tuple[int, int]) -> Camera:
    """A camera in the direction of `OVERVIEW` that frames points (n, 3), from 60 cm or farther."""
    height, width = shape
    camera = replace(OVERVIEW, shape=shape, focal=1.1 * width)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    rotation = camera.world_from_camera[:3, :3]
    local = (points - middle) @ rotation
    edges = np.abs(local[:, :2]) / np.array([width, height]) * (2 / 0.84)  # 8 % of margin
    distance = max(0.6, float((edges.max(axis=1) * camera.focal - local[:, 2]).max()))
    x, y, z = (middle - distance * rotation[:, 2]).tolist()
    return replace(camera, eye=(x, y, z))


def corners(world: World) -> np.ndarray:
    """Points (n, 3) around everything on the table."""
    points = []
    for item, poses in zip(world.spec.items, world.poses(), strict=True):
        x, y, z = (side / 2 for side in item.asset.size)
        reach = np.hypot(x, y) if len(poses) == 1 else 0.0
        for (px, py, pz), _ in poses:
            points += [(px + a * reach, py + b * reach, pz + c * z) for a, b, c in SIDES]
    return np.array(points)


def episodes() -> None:
    """The opening picture of the README: the arm solves several tasks, in an animation."""
    clips = [episode(id, SEED + k) for k, id in enumerate(SHOWN)]
    frames = []
    for tiles in zip(*clips, strict=True):
        rows = [np.concatenate(tiles[k : k + 3], axis=1) for k in range(0, len(tiles), 3)]
        frames.append(Image.fromarray(np.concatenate(rows)))
    path = Path(__file__).with_name("episodes.webp")
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=110, loop=0, quality=62, method=6
    )
    print(f"wrote {path.name}, {path.stat().st_size // 1024} KB")


def episode(id: str, seed: int) -> list[np.ndarray]:
    """Frames (300, 280, 3) uint8 of an episode, as many for a short one as for a long one."""
    env = gym.make(id, obs_mode="state")
    env.reset(seed=seed)
    world = env.unwrapped.world
    camera = around(np.concatenate([corners(world), ARM]), (300, 280))
    with closing(VideoRecorder(world, motion=True, camera=camera, every=5)) as video:
        for _ in transitions(env, Oracle(env), seed=seed, start=lambda *_: video.start()):
            pass
        video.return_home()
        frames = video.pop_frames()
    env.close()
    chosen = np.linspace(0, len(frames) - 1, FRAMES - HELD).round().astype(int)
    return [frames[k] for k in chosen] + [frames[-1]] * HELD


def tasks() -> None:
    """Every task as its oracle has solved it."""
    ids = sorted(id for id in gym.registry if id.startswith("gensim/"))
    tiles = [(solved(id, SEED + k), words(gym.spec(id).name)) for k, id in enumerate(ids)]
    write("tasks.png", tiles, columns=8, size=(230, 172))


def objects() -> None:
    """Every household object and kit piece, beside it what agents see of it."""
    world, tiles = World(), []
    for kind, data in OBJECTS.items():
        split = "seen" if data["split"] == "train" else "unseen"
        tiles.append(alone(world, Household(data["color"], kind), f"{data['noun']} ({split})"))
    for shape in KIT_SHAPES:
        split = "seen" if shape in SPLIT_SHAPES["train"] else "unseen"
        tiles.append(alone(world, KitPiece("blue", shape), f"{shape} ({split})"))
    world.close()
    write("objects.png", tiles, columns=6, size=(210, 90))


def alone(world: World, asset: Asset, caption: str) -> Tile:
    """One thing on an empty table, from the side and, its pixels enlarged, from above."""
    goal = Goal("look at it", (0,), "at", (Place(Pose(0.3, 0.3)),))
    world.load(TaskSpec("Alone", "train", (ItemSpec(asset, MIDDLE),), (goal,)))
    row, column = pixel_of_xy(MIDDLE.x, MIDDLE.y)
    above = world.top_down().color[row - 20 : row + 20, column - 20 : column + 20]
    with closing(VideoRecorder(world, motion=False, camera=NEAR, arm=False)) as video:
        side = video.render()
    return np.concatenate([side, above.repeat(6, axis=0).repeat(6, axis=1)], axis=1), caption


def perturbations() -> None:
    """One episode with each perturbation, and as the cameras at the sides see it."""
    env = gym.make(PERTURBED)
    tiles: list[Tile] = []
    for perturb in ({}, {"camera": 0.05}, {"light": 1.0}, {"distractors": 4},
                    {"instruction": "wrong"}, {"colors": "test"}):  # fmt: skip
        observation, info = env.reset(seed=SEED, options={"perturb": perturb})
        name = ", ".join(f"{key}: {value}" for key, value in perturb.items())
        tiles.append((observation["color"], f"{name or 'as drawn'}   {info['instruction']}"))
    env.close()
    views, info = seen(PERTURBED, sensor_noise=True)
    fused, _ = fuse_views(views["color"], views["depth"], info["cameras"])
    depth = np.clip((views["depth"][0] - 0.5) * 255, 0, 255).astype(np.uint8)
    tiles += [
        (views["color"][0][SIDE], 'obs_mode="cameras", sensor_noise=True: front, color'),
        (np.repeat(depth[..., None], 3, axis=2)[SIDE], "front, depth"),
        (fused, "the three views fused"),
    ]
    write("perturbations.png", tiles, columns=3, size=(460, 230))


def seen(id: str, **options: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The first observation from the cameras at the sides."""
    env = gym.make(id, obs_mode="cameras", **options)
    first = env.reset(seed=SEED)
    env.close()
    return first


def end_states() -> None:
    """The end states of `tests/end_states`, each from the side and from above."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from conftest import BOUNDS, Program
    from end_states import Case, play
    from end_states.table import TABLE

    def tile(case: Case) -> Tile:
        env = TabletopEnv(Program(case.build), BOUNDS)
        info = play(env, case)
        with closing(VideoRecorder(env.world, motion=False, camera=AROUND, arm=False)) as video:
            side = video.render()
        row, column = pixel_of_xy(MIDDLE.x, MIDDLE.y)
        above = env.world.top_down().color[row - 56 : row + 56, column - 56 : column + 56]
        env.close()
        picture = np.concatenate([side, above.repeat(2, axis=0).repeat(2, axis=1)], axis=1)
        edge = np.array((40, 150, 60) if info["success"] else (200, 40, 40), np.uint8)
        picture[:8] = picture[-8:] = edge
        picture[:, :8] = picture[:, -8:] = edge
        verdict = "done" if info["success"] else "not done"
        return picture, f"{verdict}: {case.name}\n{info['instruction']}"

    for group, cases in TABLE.items():
        write(f"images/end-states-{group}.png", [tile(case) for case in cases], 4, (330, 141))


def failure() -> None:
    """The first step without reward in the first failed episode of the transporter that ships."""
    from agents.evaluation.command import PRETRAINED
    from agents.evaluation.playing import Setting, load_policy, play
    from agents.evaluation.videos import panel
    from gensim_envs.seeds import TEST

    policy = load_policy(PRETRAINED)
    setting = Setting(FAILED, "test", {}, policy.obs_mode)
    with closing(setting.make()) as env:
        seed = next(
            seed for seed in TEST
            if not list(play(env, policy, seed, setting.options))[-1].success
        )  # fmt: skip
    with closing(setting.make(render_mode="rgb_array_list")) as env:
        steps = enumerate(play(env, policy, seed, setting.options), 1)
        shots = ((env.render()[-1], policy.heatmaps(), *each) for each in steps)
        scene, heatmaps, number, step = next(each for each in shots if each[-1].reward <= 0)
    title = f"{FAILED}, seed {seed}, step {number}"
    side = panel(step.observation["color"], heatmaps, step, title)
    save("failure.png", np.concatenate([scene, side], axis=1))


def lines_of(caption: str, font: pygame.font.Font, width: int) -> list[str]:
    """The lines of a caption, wrapped to a width in pixels."""
    lines = []
    for line in caption.split("\n"):
        lines.append("")
        for word in line.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if font.size(longer)[0] <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
    return lines


def write(name: str, tiles: list[Tile], columns: int, size: tuple[int, int]) -> None:
    """Lay pictures out with their captions, which may have several lines, and write them."""
    pygame.font.init()
    font = pygame.font.Font(None, 19)
    rows = -(-len(tiles) // columns)
    captions = [lines_of(caption, font, size[0] - 10) for _, caption in tiles]
    under = [
        CAPTION * max(map(len, captions[k * columns : (k + 1) * columns])) for k in range(rows)
    ]
    top = np.cumsum([0, *(size[1] + height for height in under)]).tolist()
    sheet = pygame.Surface((columns * size[0], top[-1]))
    sheet.fill((255, 255, 255))
    for k, (picture, _) in enumerate(tiles):
        x, y = k % columns * size[0], top[k // columns]
        surface = pygame.surfarray.make_surface(picture.swapaxes(0, 1))
        sheet.blit(pygame.transform.smoothscale(surface, (size[0] - 2, size[1])), (x, y))
        for row, line in enumerate(captions[k]):
            text = font.render(line, True, (40, 40, 40))
            sheet.blit(text, (x + 4, y + size[1] + 4 + row * (CAPTION - 4)))
    save(name, pygame.surfarray.array3d(sheet).swapaxes(0, 1))


def save(name: str, picture: np.ndarray) -> None:
    """Write a picture (h, w, 3) uint8 with a palette."""
    path = Path(__file__).parent / name
    whole = Image.fromarray(picture)
    # A third of the bytes. The default method spends its colours on wood and dulls small things.
    palette = whole.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    print(f"wrote {name}, {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    drawn = {
        "episodes": episodes,
        "tasks": tasks,
        "objects": objects,
        "perturbations": perturbations,
        "end-states": end_states,
        "failure": failure,
    }
    for name in sys.argv[1:] or drawn:
        drawn[name]()
