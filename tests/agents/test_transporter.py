"""The transporter's geometry, its loss and what it learns from a scene without a simulator."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from agents.data.augment import wrap
from agents.data.colors import colors_in, likeness_maps
from agents.data.demonstrations import Sample
from agents.data.images import pictures
from agents.data.table import Table
from agents.errors import AgentsError
from agents.policies.base import PolicySpec
from agents.policies.grids import correlate, crops, cross_entropy, interpolated, window
from agents.policies.transporter import (
    FINE_ROTATION,
    FINE_ROTATIONS,
    FRAMES_TRAINED,
    HALF,
    REACH,
    WORDS,
    Transporter,
    TransporterConfig,
)

SPEC = PolicySpec(
    policy="transporter",
    envs=("gensim/Some-v0",),
    obs_mode="rgbd",
    observation={"color": [160, 320, 3], "height": [160, 320]},
    action_low=(0.25, -0.5, -math.pi, 0.25, -0.5, -math.pi),
    action_high=(0.75, 0.5, math.pi, 0.75, 0.5, math.pi),
    encoder="words",
    encoder_width=64,
)
TOKENS = np.array([1, 5, 9])


def ell(x: float, y: float, yaw: float) -> np.ndarray:
    """An L of two bars, 6 by 9 cm, as a mask (160, 320)."""
    rows, columns = np.mgrid[:160, :320]
    dx, dy = 0.25 + (rows + 0.5) / 320 - x, -0.5 + (columns + 0.5) / 320 - y
    u, v = math.cos(yaw) * dx + math.sin(yaw) * dy, -math.sin(yaw) * dx + math.cos(yaw) * dy
    return ((abs(u) < 0.045) & (abs(v) < 0.01)) | ((abs(u - 0.035) < 0.01) & (v > 0) & (v < 0.06))


def scene(pick: tuple[float, float], place: tuple[float, float], turn: float) -> Sample:
    """A red L, and a flat green print of it where it belongs."""
    color = np.full((160, 320, 3), 120, np.uint8)
    height = np.zeros((160, 320), np.float32)
    color[ell(*place, turn)] = (0, 200, 0)
    item = ell(*pick, 0.0)
    color[item], height[item] = (200, 0, 0), 0.03
    action = np.array([*pick, 0, *place, turn], np.float32)
    return Sample("put the red l on its green print", action, color, height, None)


class Shown(gym.Env[Any, Any]):
    """An env of the spaces of SPEC, to reset a policy for."""

    observation_space = gym.spaces.Dict(
        color=gym.spaces.Box(0, 255, (160, 320, 3), np.uint8),
        height=gym.spaces.Box(0, 1, (160, 320), np.float32),
    )
    action_space = gym.spaces.Box(np.float32(SPEC.action_low), np.float32(SPEC.action_high))


def make(**settings: Any) -> Transporter:
    torch.manual_seed(0)
    return Transporter(TransporterConfig(**settings), SPEC)


def test_correlation_is_that_of_conv2d_and_so_are_its_gradients() -> None:
    torch.manual_seed(0)
    scenes = torch.randn(2, 3, 11, 14, dtype=torch.float64, requires_grad=True)
    for n in (4, 5):
        kernels = torch.randn(2, 4, 3, n, n, dtype=torch.float64, requires_grad=True)
        before, after = n // 2, n - 1 - n // 2
        padded = F.pad(scenes, (before, after, before, after))
        direct = torch.stack(
            [F.conv2d(p[None], k)[0] for p, k in zip(padded, kernels, strict=True)]
        )
        ours, weights = correlate(scenes, kernels), torch.randn_like(direct)
        torch.testing.assert_close(ours, direct)
        within = direct[..., before : 11 - after, before : 14 - after]
        torch.testing.assert_close(correlate(scenes, kernels, inside=True), within)
        for mine, theirs in zip(
            torch.autograd.grad((ours * weights).sum(), (scenes, kernels)),
            torch.autograd.grad((direct * weights).sum(), (scenes, kernels)),
            strict=True,
        ):
            torch.testing.assert_close(mine, theirs)


def test_crops_rotate_counter_clockwise_from_x_to_y() -> None:
    table = Table((0.0, 0.0), (8.0, 8.0), (8, 8))
    maps = torch.zeros(1, 1, 8, 8)
    maps[0, 0, 6, 4] = 1  # at (6.5, 4.5)
    points = window(5, 1.0, like=maps)
    centre, angles = torch.tensor([[[4.5, 4.5]]]), torch.tensor([[0.0, math.pi / 2]])
    straight, turned = crops(maps, table, centre, points, angles)[0, :, 0]
    assert straight.argmax() == 4 * 5 + 2  # two cells along x
    # The crop's points have turned by a quarter: what lies along x is at -y of the crop.
    assert turned.argmax() == 2 * 5 + 0


def drawn(net: Transporter, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The place (b, 2) and rotation (b,) of the answer near which refining is trained."""
    step, cell = batch["fine"][:, 0, 0], batch["fine"][:, 0, 1:]
    place = batch["near"] + (cell - REACH) * net.table.pixel * HALF
    return place, batch["frames"][:, 0] + (step - FINE_ROTATIONS // 2) * FINE_ROTATION


def test_labels_move_with_the_pixels_and_with_the_grasp() -> None:
    """The item, turned as the label says, has the shape of what is at the place."""
    net = make(jitter=0.02)
    sample = scene((0.45, -0.1), (0.55, 0.15), 0.8)
    rng, offs, shares = np.random.default_rng(0), [], []
    for _ in range(20):
        batch = net.prepare([sample], [TOKENS], rng)
        points = window(40, net.table.pixel, middle=True, like=batch["grasp"])
        picture, zero = batch["image"], torch.zeros(1, 1)
        place, rotation = drawn(net, batch)
        item = crops(picture, net.table, batch["grasp"][:, None], points, -rotation[:, None])
        mark = crops(picture, net.table, place[:, None], points, zero)
        red, green = item[0, 0, 3] > 0.15, mark[0, 0, 1] > 0.3
        edge = torch.cat([batch["grasp"], place])
        inside = ((edge > torch.tensor([0.33, -0.42])) & (edge < torch.tensor([0.67, 0.42]))).all()
        if inside:
            shares.append(float((red & green).sum() / (red | green).sum()))
            offs.append(points[red].mean(0) - points[green].mean(0))
    # Masks have whole pixels, so that their middles are off a little, but not to one side.
    assert min(shares) > 0.8 and np.median(shares) > 0.88
    assert len(offs) >= 5 and max(off.norm() for off in offs) < net.table.pixel
    assert torch.stack(offs).mean(0).norm() < net.table.pixel / 6


def test_the_first_two_rotations_enclose_the_target() -> None:
    """Steps and their fractions come from one division, which a GPU would round otherwise."""
    net = make(augment=False, jitter=0)
    turns = [*np.radians(np.arange(-180, 181, 5)), math.pi, -math.pi, 1e-9, -1e-9]
    samples = [scene((0.45, -0.1), (0.55, 0.15), turn) for turn in turns]
    batch = net.prepare(samples, [TOKENS] * len(turns), np.random.default_rng(0))
    first, second = batch["rotations"][:, 0], batch["rotations"][:, 1]
    assert torch.equal((first + 1) % 36, second)
    between = batch["places"][:, 0, 0]
    assert ((between >= 0) & (between < 1)).all()
    told = (first + between) * (2 * math.pi / 36)
    off = torch.remainder(told - drawn(net, batch)[1] + math.pi, 2 * math.pi) - math.pi
    torch.testing.assert_close(off, torch.zeros_like(off), atol=1e-5, rtol=0)


def test_without_augmentation_a_batch_is_the_scene_itself() -> None:
    net = make(augment=False, jitter=0)
    sample = scene((0.45, -0.1), (0.55, 0.15), 0.8)
    one, two = (net.prepare([sample], [TOKENS], np.random.default_rng(k)) for k in (0, 1))
    assert torch.equal(one["image"], two["image"]) and torch.equal(one["grasp"], two["picks"][:, 0])
    torch.testing.assert_close(drawn(net, one)[0], torch.tensor([[0.55, 0.15]]))


def test_equal_generators_give_equal_batches_and_losses() -> None:
    net, sample = make(width=8), scene((0.45, -0.1), (0.55, 0.15), 0.8)
    batches = [net.prepare([sample] * 2, [TOKENS] * 2, np.random.default_rng(4)) for _ in "ab"]
    for name, one in batches[0].items():
        torch.testing.assert_close(one, batches[1][name], rtol=0, atol=0, equal_nan=True)
    losses = []
    for batch in batches:
        torch.manual_seed(0)  # which tokens are left out
        losses.append(net(batch)[0])
    assert losses[0] == losses[1]


def test_it_learns_places_and_rotations() -> None:
    """From two scenes; in a third, which it has not seen, it is right within a coarse step."""
    net = make(width=16, rotations_trained=8, refine_width=16)
    train = [scene((0.4, -0.2), (0.55, 0.15), 0.8), scene((0.6, 0.1), (0.45, -0.25), -2.0)]
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    first = last = 0.0
    for step in range(120):
        batch = net.prepare(train * 2, [TOKENS] * 4, np.random.default_rng(step))
        optimizer.zero_grad()
        loss, parts = net(batch)
        loss.backward()
        optimizer.step()
        first, last = first or float(loss.detach()), float(loss.detach())
    assert set(parts) == {"pick", "place", "refine"}
    assert last < first / 2
    net.eval()
    test = scene((0.5, -0.05), (0.5, 0.25), 2.5)
    seen = {"color": test.color, "height": test.height}
    action = net.select_action(seen, TOKENS, test.instruction)
    assert action[:2] == pytest.approx(test.action[:2], abs=0.02)
    # The item keeps its offset from the tip.
    cos, sin = math.cos(action[5]), math.sin(action[5])
    x, y = test.action[:2] - action[:2]
    landed = action[3:5] + [cos * x - sin * y, sin * x + cos * y]
    assert landed == pytest.approx(test.action[3:5], abs=0.0125)
    assert abs((action[5] - 2.5 + math.pi) % (2 * math.pi) - math.pi) < math.radians(10)
    assert action.dtype == np.float32 and action[2] == 0
    maps = net.heatmaps()
    assert maps is not None and {m.shape for m in maps.values()} == {(160, 320)}
    row, column = np.unravel_index(maps["pick"].argmax(), (160, 320))
    assert ((row + 0.5) / 320 + 0.25, (column + 0.5) / 320 - 0.5) == pytest.approx(
        action[:2], abs=0.01
    )

    # Where the refining networks see nothing, the coarse answer stands.
    with torch.no_grad():
        net.fine_sharpness.zero_()
    net.reset(Shown(), np.random.default_rng(0))
    flat = net.select_action(seen, TOKENS, test.instruction)
    net.config = replace(net.config, refine=False)
    net.reset(Shown(), np.random.default_rng(0))
    coarse = net.select_action(seen, TOKENS, test.instruction)
    assert flat[:5] == pytest.approx(coarse[:5], abs=net.table.pixel * HALF)
    assert abs(wrap(float(flat[5] - coarse[5]))) < math.radians(10)  # a coarse step


def test_without_refining_places_are_coarse() -> None:
    net, sample = make(width=8, refine=False), scene((0.45, -0.1), (0.55, 0.15), 0.8)
    batch = net.prepare([sample] * 2, [TOKENS] * 2, np.random.default_rng(0))
    assert set(net(batch)[1]) == {"pick", "place"}
    action = net.eval().select_action({"color": sample.color, "height": sample.height}, TOKENS, "")
    assert (action >= np.float32(SPEC.action_low)).all()
    assert (action <= np.float32(SPEC.action_high)).all()


def test_noise_has_the_scale_that_the_config_says() -> None:
    sample = scene((0.45, -0.1), (0.55, 0.15), 0.8)
    quiet, noisy = (
        make(width=8, augment=False, noise=noise).prepare(
            [sample], [TOKENS], np.random.default_rng(0)
        )["image"][0]
        for noise in (0, 0.002)
    )
    off = (noisy - quiet).std((1, 2))
    torch.testing.assert_close(off, torch.tensor([0.04, 0.04, 0.04, 0.02]), rtol=0.05, atol=0)


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(AgentsError, match="multiple of 8"):
        TransporterConfig(crop=30)
    with pytest.raises(AgentsError, match="rotations-trained is 40; expected 4 to --transporter"):
        TransporterConfig(rotations_trained=40)


def answers(*rows: tuple[tuple[float, float], tuple[float, float], float, float]) -> np.ndarray:
    return np.array([[*p, 0, *q, turn, free] for p, q, turn, free in rows], np.float32)


def test_symmetric_turns_are_never_trained_as_wrong() -> None:
    """A square looks the same after a quarter of a turn: three right turns beside the drawn one."""
    net, sample = make(augment=False, jitter=0), scene((0.45, -0.1), (0.55, 0.15), 0.8)
    turns = 0.8 + np.arange(4) * math.pi / 2
    known = answers(*(((0.45, -0.1), (0.55, 0.15), turn, 0.0) for turn in turns))
    samples = [replace(sample, answers=known)] * 20
    batch = net.prepare(samples, [TOKENS] * 20, np.random.default_rng(0))
    steps = turns / (2 * math.pi / 36) % 36
    for rotations in batch["rotations"].numpy():
        assert len(set(rotations)) == 8
        apart = np.abs((rotations[2:, None] - steps + 18) % 36 - 18)
        assert apart.min() >= 1
    assert len({int(each) for each in batch["rotations"][:, 0]}) == 4, "each is drawn in its turn"
    # Refining is shown crops of any rotation, and told of each right turn in them.
    told = 0
    for frames, near, rows in zip(batch["frames"], batch["near"], batch["fine"], strict=True):
        shown = [row for row in rows if not row.isnan().any()]
        for index, *cell in shown:
            frame, step = divmod(float(index), FINE_ROTATIONS)
            turn = float(frames[int(frame)]) + (step - FINE_ROTATIONS // 2) * FINE_ROTATION
            assert np.abs(wrap(turns - turn)).min() < 1e-4
            place = near + (torch.stack(cell) - REACH) * net.table.pixel * HALF
            torch.testing.assert_close(place, torch.tensor([0.55, 0.15]))
        reach = FINE_ROTATION * (FINE_ROTATIONS // 2)
        apart = np.abs(wrap(turns[:, None] - frames.numpy()))
        assert len(shown) == (apart <= reach).sum()
        told += len(shown)
    assert told > len(samples), "random crops show right turns, too"


def test_every_turn_of_a_round_item_is_right() -> None:
    net, sample = make(width=8, augment=False, jitter=0), scene((0.45, -0.1), (0.55, 0.15), 0.8)
    known = answers(((0.45, -0.1), (0.55, 0.15), 0.8, 1.0), ((0.3, 0.2), (0.55, 0.15), 0.8, 1.0))
    samples = [replace(sample, answers=known)] * 12
    batch = net.prepare(samples, [TOKENS] * 12, np.random.default_rng(0))
    right = ~batch["places"].isnan().any(-1)
    assert (right.sum(1) == 8).all(), "one for each rotation that is trained"
    assert len({tuple(grasp) for grasp in batch["grasp"].numpy().round(3)}) == 2
    fine = (~batch["fine"].isnan().any(-1)).sum(1)
    assert (fine == FRAMES_TRAINED * FINE_ROTATIONS).all(), "one for each that refining is shown"
    assert (~batch["picks"].isnan().any(-1)).sum() == 12 * 2
    loss, _ = net(batch)
    assert torch.isfinite(loss)


def test_in_a_state_that_comes_again_it_draws_another_action() -> None:
    """The same action would lead back there again; other instructions are new."""
    net, sample = make(width=8).eval(), scene((0.45, -0.1), (0.55, 0.15), 0.8)
    assert sample.color is not None and sample.height is not None
    seen = {"color": sample.color, "height": sample.height}
    moved = scene((0.47, -0.1), (0.55, 0.15), 0.8)
    assert moved.color is not None and moved.height is not None
    other = {"color": moved.color, "height": moved.height}
    runs = []
    for _ in range(2):
        net.reset(Shown(), np.random.default_rng(5))
        runs.append([net.select_action(seen, TOKENS, "one") for _ in range(4)])
        for observation, instruction in ((seen, "two"), (other, "one")):
            first = net.select_action(observation, TOKENS, instruction)
            fresh = make(width=8).eval()
            fresh.load_state_dict(net.state_dict())
            assert np.array_equal(fresh.select_action(observation, TOKENS, instruction), first)
    assert np.array_equal(*runs)
    assert len({tuple(action) for action in runs[0]}) == 4


@pytest.mark.parametrize(
    "words",
    [
        ["red", "green", "blue", "yellow", "cyan", "brown", "black", "gray"],
        ["red", "green", "blue", "white", "orange", "pink", "purple"],
    ],
    ids=["seen", "unseen"],
)
def test_nothing_else_is_half_as_like_a_word(words: list[str]) -> None:
    """In any light, for the colours of a split, whose things meet in one scene."""
    from gensim_envs.task.assets import COLORS as palette

    lights = torch.tensor([0.8, 1.0, 1.2])[:, None]
    colors = torch.stack([torch.tensor(palette[word]) / 255 * lights for word in words])
    names = torch.from_numpy(np.stack([colors_in(word, 1) for word in words]).transpose(1, 0, 2))
    maps = likeness_maps(colors.clamp(0, 1).permute(2, 0, 1)[None], names)[0]  # word, thing, light
    for number, word in enumerate(words):
        others = np.delete(maps[number].numpy(), number, axis=0)
        assert maps[number, number].min() > 0.3, word
        assert others.max() < maps[number, number].min(), word
        assert np.median(others.max(axis=0)) < 0.5 * maps[number, number].max(), word


@pytest.mark.parametrize("word", ["red", "white"])
def test_no_colour_word_means_the_table(word: str) -> None:
    """A wooden table is a little like white, which none of the seen colours is."""
    from gensim_envs.task.assets import COLORS as palette

    net, table = make(width=8), np.array([204, 181, 143], np.uint8)
    color = np.tile(table, (160, 320, 1))
    color[60:80, 100:120] = np.array(palette[word]) * 0.8  # a bowl's inside is in the shade
    image, tables = pictures([color], [np.zeros((160, 320), np.float32)])
    (maps,) = net.color_maps(image, tables, torch.from_numpy(colors_in(word, WORDS))[None])[:, 0]
    assert maps[65:75, 105:115].min() > 0.9
    maps[60:80, 100:120] = 0
    assert maps.max() < 0.05


@pytest.mark.parametrize("width", [1, 2, 3, 40])
def test_likeness_is_at_most_one(width: int) -> None:
    """Thin things fill no cell over which the scale is averaged."""
    net, color = make(width=8), np.tile(np.array([204, 181, 143], np.uint8), (160, 320, 1))
    color[40:80, 100 : 100 + width] = 200, 30, 30
    image, tables = pictures([color], [np.zeros((160, 320), np.float32)])
    maps = net.color_maps(image, tables, torch.from_numpy(colors_in("the red rod", WORDS))[None])
    assert 1 - 1e-6 < maps.max() <= 1
    assert maps[0, 0, 45:75, 100 : 100 + width].min() > 0.9


def test_the_probability_of_a_set_is_that_of_its_members() -> None:
    scores = torch.randn(1, 2, 3, 4)
    logs = scores.flatten().log_softmax(0).reshape(2, 3, 4)
    cells = torch.tensor([[[0.0, 1, 2], [1, 0, 3], [math.nan] * 3]])
    expected = -torch.stack([logs[0, 1, 2], logs[1, 0, 3]]).logsumexp(0)
    torch.testing.assert_close(cross_entropy(scores, cells), expected)


def test_scores_between_cells_are_interpolated() -> None:
    grid = torch.arange(24.0).reshape(1, 2, 3, 4)
    cells = torch.tensor([[[0.0, 1.5, 2.25], [1.5, 9.0, -3.0]]])
    torch.testing.assert_close(interpolated(grid, cells), torch.tensor([[8.25, 14.0]]))


@pytest.mark.parametrize("settings", [{"color_words": False}, {"condition": False}])
def test_options_train_and_act(settings: dict[str, bool]) -> None:
    net, sample = make(width=8, **settings), scene((0.45, -0.1), (0.55, 0.15), 0.8)
    batch = net.prepare([sample] * 2, [TOKENS] * 2, np.random.default_rng(0))
    loss, _ = net(batch)
    loss.backward()
    assert torch.isfinite(loss)
    seen = {"color": sample.color, "height": sample.height}
    red, blue = (net.eval().select_action(seen, TOKENS, f"the {c} one") for c in ("red", "blue"))
    assert red.shape == blue.shape == (6,)
