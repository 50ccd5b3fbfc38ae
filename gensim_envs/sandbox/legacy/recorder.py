"""Run a program of the original GenSim and note what its `reset` does; runs in the worker.

Each random pose lies on an island of its own, metres away from the table and from all others, with
a random heading. So the numbers of a target tell which pose it was computed from.
"""

from __future__ import annotations

import ast
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.legacy import facade
from gensim_envs.sandbox.legacy.facade import Pose, is_row, pose_of
from gensim_envs.sandbox.legacy.recording import (
    ISLAND,
    Frame,
    Island,
    LegacyGoal,
    Recording,
    Thing,
)

FORMAT = "_format"
_MOST = 2000  # things, goals or random poses, after which a program is stopped


class Notes:
    """What a program has done so far."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.things: list[Thing] = []
        self.islands: list[Island] = []
        self.starts: dict[int, Pose] = {}
        self.filled: dict[str, tuple[str, dict[str, tuple[float | str, ...]]]] = {}
        self.goals: list[dict[str, Any]] = []
        self.next = 1

    def pose(self, size: Any) -> tuple[list[float], tuple[float, ...]]:
        """A random pose on the next island."""
        self._count(self.islands)
        extents = [float(v) for v in size]
        height = extents[2] if len(extents) > 2 else 0.1
        x = ISLAND * (2 + len(self.islands)) + self.rng.uniform(-0.5, 0.5)
        place = [x, self.rng.uniform(-1, 1), height / 2]
        half = self.rng.uniform(-math.pi, math.pi) / 2
        turn = (0.0, 0.0, math.sin(half), math.cos(half))
        width, depth = extents[0], extents[1] if len(extents) > 1 else extents[0]
        self.islands.append(Island(_frame((place, turn)), (width, depth, height)))
        return place, turn

    def add(
        self, file: str, pose: Any, *, fixed: bool, color: Any, count: int = 1,
        corners: tuple[Frame, ...] = (),
    ) -> list[int]:  # fmt: skip
        """Note a thing; returns the ids of its parts."""
        self._count(self.things)
        start = pose_of(pose)
        parts = list(range(self.next, self.next + count))
        self.next += count
        self.starts.update(dict.fromkeys(parts, start))
        name, fills = self.filled.get(file, (file, {}))
        fills = dict(fills)
        if color is None and "COLOR" in fills:
            given = fills.pop("COLOR")
            color = given[0] if isinstance(given[0], str) else given
        self.things.append(
            Thing(name, fills, _frame(start), fixed, _color(color), tuple(parts), corners)
        )
        return parts

    def paint(self, part: int, color: Any) -> None:
        """Give a thing another colour."""
        for k, thing in enumerate(self.things):
            if part in thing.parts:
                self.things[k] = replace(thing, color=_color(color))

    def _count(self, of: Sequence[Any]) -> None:
        if len(of) >= _MOST:
            raise TaskError(f"the program adds more than {_MOST} of a kind", cause="runtime")


class Env:
    """Stands for that project's environment."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.obj_ids: dict[str, list[int]] = {"fixed": [], "rigid": [], "deformable": []}

    def add_object(
        self, urdf: str, pose: Any, category: str = "rigid", color: Any = None, **_: Any
    ) -> int:
        """Note a thing."""
        (part,) = self._notes.add(str(urdf), pose, fixed=category == "fixed", color=color)
        self.obj_ids.setdefault(str(category), []).append(part)
        return part

    def set_color(self, part: Any, color: Any) -> None:
        """Note a colour."""
        self._notes.paint(_id(part), color)


class Task:
    """Stands for that project's base class of tasks."""

    _notes: Notes
    mode = "train"

    def __init__(self) -> None:
        self.assets_root = "assets"
        self.bounds = np.array([[0.25, 0.75], [-0.5, 0.5], [0.0, 0.3]])
        self.zone_bounds = np.copy(self.bounds)
        self.pix_size = 0.003125
        self.pos_eps, self.rot_eps = 0.01, math.radians(15)
        self.num_blocks, self.max_steps = 50, 10
        self.train_set, self.test_set = np.arange(0, 14), np.arange(14, 20)
        self.goals: list[Any] = []
        self.lang_goals: list[Any] = []
        self.progress, self.homogeneous = 0, False
        self.lang_template = self.task_completed_desc = ""
        self.ee: Any = None
        self.primitive: Any = None

    def additional_reset(self) -> None:
        """Sets tolerances and the gripper there; here the assets decide."""

    def reset(self, env: Env) -> None:
        """Forget the goals."""
        self.goals, self.lang_goals = [], []

    def get_random_pose(self, env: Env, obj_size: Any, **_: Any) -> Any:
        """A random pose."""
        return self._notes.pose(obj_size)

    def get_random_size(self, *bounds: float, **named: float) -> tuple[float, ...]:
        """Random extents (x, y, z)."""
        limits = [*bounds, *named.values()]
        return tuple(
            float(self._notes.rng.uniform(a, b))
            for a, b in zip(limits[::2], limits[1::2], strict=True)
        )

    def fill_template(self, template: str, replace: Mapping[str, Any]) -> str:
        """The name of a filled copy of a template."""
        notes = self._notes
        file, fills = notes.filled.get(str(template), (str(template), {}))
        new = {str(name): _plain(value) for name, value in replace.items()}
        color = {name: value for name, value in new.items() if name == "COLOR"}
        path = f"{file}#{len(notes.filled)}"
        # What has been filled is gone from the template; colours are given once the thing is added.
        notes.filled[path] = file, new | fills | color
        return path

    def add_goal(
        self, objs: Any, matches: Any, targ_poses: Any, *_: Any, metric: str = "pose",
        language_goal: Any = None, **__: Any,
    ) -> None:  # fmt: skip
        """Note a goal; lists are read when `reset` has returned, since they may grow."""
        self._notes._count(self._notes.goals)
        self._notes.goals.append(
            {"objs": objs, "matches": matches, "targets": targ_poses, "zone": metric == "zone"}
        )
        self.goals.append(objs)
        if language_goal is not None:
            self.lang_goals += (
                [language_goal] if isinstance(language_goal, str) else list(language_goal)
            )

    def add_corner_anchor_for_pose(self, env: Env, pose: Any) -> None:
        """Note a small corner."""
        self._notes.add("corner/corner-template.urdf", pose, fixed=True, color=None)

    def make_piles(self, env: Env, block_color: Any = None, *_: Any, **__: Any) -> list[int]:
        """Note a pile; the ids of its crumbs."""
        place = ((0.5, 0.0, 0.005), (0.0, 0.0, 0.0, 1.0))
        count = int(self.num_blocks)
        return self._notes.add("pile", place, fixed=False, color=block_color, count=count)

    def make_ropes(
        self, env: Env, corners: Any, radius: float = 0.005, n_parts: int = 20,
        color_name: str = "red", *_: Any, **__: Any,
    ) -> tuple[list[Any], list[Any], Any]:  # fmt: skip
        """Note a rope; (beads, their targets, matches)."""
        ends = [pose_of(corner) for corner in (corners[0], corners[1])]
        place = self._notes.pose((2 * radius * n_parts, 2 * radius, 2 * radius))
        beads = self._notes.add(
            "rope", place, fixed=False, color=color_name, count=int(n_parts),
            corners=tuple(_frame(end) for end in ends),
        )  # fmt: skip
        a, b = (np.array(end[0]) for end in ends)
        shares = [(k + 0.5) / len(beads) for k in range(len(beads))]
        targets = [(tuple(a + (b - a) * share), (0.0, 0.0, 0.0, 1.0)) for share in shares]
        matches = np.clip(np.eye(len(beads)) + np.eye(len(beads))[::-1], 0, 1)
        return [(bead, (0, None)) for bead in beads], targets, matches

    make_rope = make_ropes

    def get_kitting_shapes(self, n_objects: int) -> Any:
        """Numbers of kit shapes of the split."""
        numbers = self.train_set if self.mode == "train" else self.test_set
        return self._notes.rng.choice(numbers, int(n_objects))


def public_names() -> set[str]:
    """The names of all stand-ins, and of what they hold."""
    env = Env(Notes(0))
    found = {*dir(Task()), *dir(env)}
    for module in facade.modules(0, "train", Task, {}).values():
        found.update(vars(module))
        for part in vars(module).values():
            if isinstance(part, types.SimpleNamespace):
                found.update(vars(part))
    return {name for name in found if not name.startswith("_")}


class _Formats(ast.NodeTransformer):
    """Replaces `text.format(...)` with the restricted function."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            name = ast.copy_location(ast.Name(FORMAT, ast.Load()), node.func)
            return ast.copy_location(
                ast.Call(name, [node.func.value, *node.args], node.keywords), node
            )
        return node


def code_of(source: str, file: str) -> types.CodeType:
    """Compile a program."""
    tree = _Formats().visit(ast.parse(source, file))
    return compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)


def record(code: types.CodeType, names: dict[str, Any], split: str, seed: int) -> dict[str, Any]:
    """Run a program once; the `Recording` as JSON.

    Args:
        code: from `code_of`.
        names: the built-ins that it may use.
        split: "train" or "test".
        seed: of everything random.
    """
    notes = Notes(seed)
    modules = facade.modules(seed, split, Task, notes.starts)

    def restricted_import(
        name: str, globals: object = None, locals: object = None,
        fromlist: tuple[str, ...] | None = (), level: int = 0,
    ) -> Any:  # fmt: skip
        if level or name not in modules:
            raise ImportError(f"{name} cannot be imported")
        return modules[name if fromlist else name.partition(".")[0]]

    built = {**names, "super": super, "print": facade._nothing, "__import__": restricted_import}
    space: dict[str, Any] = {"__name__": "program", "__builtins__": built}
    space[FORMAT] = facade.safe_format
    exec(code, space)
    found = [
        v for v in space.values() if isinstance(v, type) and issubclass(v, Task) and v is not Task
    ]
    if len(found) != 1:
        raise TaskError(f"the program defines {len(found)} tasks", cause="gate", line=1)
    task = found[0].__new__(found[0])
    task._notes, task.mode = notes, split
    type(task).__init__(task)
    task.reset(Env(notes))
    return asdict(_recording(notes, task))


def _recording(notes: Notes, task: Task) -> Recording:
    said = [str(text) for text in task.lang_goals]
    goals = []
    for k, goal in enumerate(notes.goals):
        objs = [_id(each) for each in _several(goal["objs"])]
        targets = [_frame(pose_of(pose)) for pose in _poses(goal["targets"])]
        table = np.atleast_2d(np.asarray(goal["matches"], dtype=float)) > 0
        matches = tuple(tuple(map(bool, row)) for row in table)
        sentence = said[k] if k < len(said) else None
        goals.append(LegacyGoal(tuple(objs), tuple(targets), matches, goal["zone"], sentence))
    return Recording(tuple(notes.things), tuple(notes.islands), tuple(goals))


def _poses(targets: Any) -> list[Any]:
    """A list of poses, of which a single one may have been given."""
    single = len(targets) == 2 and all(map(is_row, targets))
    single = single and (len(targets[0]), len(targets[1])) in ((3, 4), (2, 4))
    return [targets] if single else list(targets)


def _several(values: Any) -> list[Any]:
    """One value or several, as a list."""
    return [values] if isinstance(values, (int, np.integer)) else list(values)


def _id(value: Any) -> int:
    while isinstance(value, (tuple, list)):
        value = value[0]
    return int(value)


def _frame(pose: Pose) -> Frame:
    x, y, z, a, b, c, d = (float(v) for v in (*pose[0], *pose[1]))
    return (x, y, z, a, b, c, d)


def _plain(values: Any) -> tuple[float | str, ...]:
    """Numbers and texts of a template's field."""
    rows = [values] if isinstance(values, (str, int, float)) else list(values)
    return tuple(v if isinstance(v, str) else float(v) for v in rows)


def _color(color: Any) -> tuple[float, ...] | str | None:
    if color is None or isinstance(color, str):
        return color
    return tuple(float(v) for v in color)
