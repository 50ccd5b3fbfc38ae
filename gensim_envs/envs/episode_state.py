"""The state of an episode between two steps, as plain JSON; `TabletopEnv.get_state` describes it.

A state may come from a file, so that it is a stranger's data: everything is checked.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from gensim_envs.envs.perturbations import Perturbation
from gensim_envs.errors import StateError, TaskError
from gensim_envs.sim.world import BodyPose, Contacts
from gensim_envs.task.goals import Snapshot
from gensim_envs.task.pose import Pose
from gensim_envs.task.progress import GoalStatus
from gensim_envs.task.spec import ItemSpec, TaskSpec

_FAR = 1e6  # metres: what has fallen off the table goes on falling
_TURN = 1e-3  # by which the norm of a quaternion may differ from 1


@dataclass(frozen=True)
class EpisodeState:
    """An episode between two steps.

    Attributes:
        spec: the task as drawn, perturbed.
        number: from which the task was drawn.
        perturbation: of the episode.
        bodies: poses of the bodies of each item; empty for one that has not appeared yet.
        contacts: of the snapshot.
        start: the snapshot after the reset.
        goals: what the `GoalTracker` keeps.
        status: how far the episode has come.
        time: simulation steps of the arm since the reset.
        np_random: of the env.
        seed: of the env's generator, as `gymnasium.Env.np_random_seed`.
        noise: the generator of the cameras' noise, before the last observation; None for perfect
            cameras.
        edited: whether the spec or a pose is not as `to_json` wrote it.
    """

    spec: TaskSpec
    number: int
    perturbation: Perturbation
    bodies: list[list[BodyPose]]
    contacts: Contacts
    start: Snapshot
    goals: dict[str, Any]
    status: GoalStatus
    time: int
    np_random: np.random.Generator
    seed: int | None
    noise: np.random.Generator | None
    edited: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain data, which shares nothing with this."""
        changes = {
            f.name: value
            for f in fields(self.perturbation)
            if (value := getattr(self.perturbation, f.name)) != f.default
        }
        data = {
            "spec": self.spec.to_json(),
            "bodies": [[[*middle, *turn] for middle, turn in poses] for poses in self.bodies],
            "contacts": [[*pair, height] for pair, height in self.contacts.items()],
            "start": _snapshot_to_json(self.start),
            "goals": self.goals,
            "status": asdict(self.status),
            "number": self.number,
            "perturb": changes,
            "time": self.time,
            "np_random": self.np_random.bit_generator.state,
            "seed": self.seed,
            "noise": None if self.noise is None else self.noise.bit_generator.state,
        }
        plain: dict[str, Any] = json.loads(json.dumps(data, default=lambda value: value.item()))
        return plain | {"digest": _digest(plain)}

    @classmethod
    def from_json(cls, data: Any) -> EpisodeState:
        """The inverse of `to_json`.

        Raises:
            StateError: naming the entry that is wrong.
        """
        known = [f.name for f in fields(cls) if f.name not in ("perturbation", "edited")]
        known += ["perturb", "digest"]
        if not isinstance(data, Mapping):
            raise StateError(f"a state is a dict, not {type(data).__name__}; use get_state()")
        if odd := sorted(map(str, {*known} ^ {*data})):
            what = "has no" if odd[0] in known else "has an unknown"
            raise StateError(f"the state {what} entry {odd[0]!r:.60}; use what get_state() returns")
        with _entry("spec"):
            spec = _spec(data["spec"])
        with _entry("bodies"):
            bodies = _bodies(data["bodies"], spec)
        with _entry("contacts"):
            contacts = _contacts(data["contacts"], len(spec.items))
        with _entry("start"):
            start = _snapshot(data["start"], spec)
        with _entry("goals"):
            goals = _goals(data["goals"], spec)
        with _entry("status"):
            status = _status(data["status"], len(spec.goals))
        with _entry("perturb"):
            perturbation = Perturbation.from_options({"perturb": data["perturb"]})
        with _entry("np_random"):
            np_random = _generator(data["np_random"])
        with _entry("noise"):
            noise = None if data["noise"] is None else _generator(data["noise"])
        with _entry("seed"):
            seed = None if data["seed"] is None else _whole(data["seed"], 2**128, -1)
        with _entry("number"):
            number = _whole(data["number"], 2**31)
        with _entry("time"):
            time = _whole(data["time"], 2**53)
        with _entry("digest"):
            edited = data["digest"] != _digest(data)
        return cls(
            spec, number, perturbation, bodies, contacts, start, goals, status, time, np_random,
            seed, noise, edited,
        )  # fmt: skip


def generator(state: Mapping[str, Any]) -> np.random.Generator:
    """The generator with a state of its bit generator, which is PCG64, Gymnasium's own."""
    made = np.random.Generator(np.random.PCG64(0))
    made.bit_generator.state = dict(state)
    return made


def _generator(state: Any) -> np.random.Generator:
    try:
        return generator(state)
    except (OverflowError, KeyError) as error:
        raise ValueError(f"not the state of a PCG64 generator: {error}") from error


def _digest(state: Mapping[str, Any]) -> str:
    """A digest of what is on the table, by which edited poses are found."""
    # 1 and 1.0 are the same number, which becomes a float when it is read.
    plain = json.loads(json.dumps([state["spec"], state["bodies"]]), parse_int=float)
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _entry(name: str) -> Iterator[None]:
    """Name the entry of a state that is wrong."""
    try:
        yield
    except (TaskError, KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise StateError(
            f"the state's entry {name!r} is wrong: {error!s:.200}; use what get_state() returns"
        ) from error


def _number(value: Any, most: float = _FAR, least: float | None = None) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r:.60} is not a number")
    if not (-most if least is None else least) <= value <= most:
        raise ValueError(f"{value!r:.60} is out of range")
    return float(value)


def _whole(value: Any, most: int, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r:.60} is not a whole number from {least} to {most}")
    return value


def _rows(value: Any, count: int | None = None) -> list[Any]:
    if not isinstance(value, (list, tuple)) or count not in (None, len(value)):
        raise ValueError(f"{value!r:.60} is not a list" + ("" if count is None else f" of {count}"))
    return list(value)


def _spec(data: Any) -> TaskSpec:
    """A task, whose instructions may be blank: they are perturbed."""
    data = json.loads(json.dumps(data))  # tuples as lists
    texts = [goal["instruction"] for goal in _rows(data["goals"])]
    for goal in data["goals"]:
        goal["instruction"] = goal["instruction"] or "blank"
    spec = TaskSpec.from_json(data)
    goals = (replace(goal, instruction=text) for goal, text in zip(spec.goals, texts, strict=True))
    return replace(spec, goals=tuple(goals))


def _bodies(data: Any, spec: TaskSpec) -> list[list[BodyPose]]:
    rows = _rows(data, len(spec.items))
    return [_item_bodies(row, item) for row, item in zip(rows, spec.items, strict=True)]


def _item_bodies(data: Any, item: ItemSpec) -> list[BodyPose]:
    poses: list[BodyPose] = []
    if item.after is not None and data == []:
        return []
    for row in _rows(data, max(1, len(item.bodies))):
        x, y, z, *turn = map(_number, _rows(row, 7))
        norm = math.hypot(*turn)
        if abs(norm - 1) > _TURN:
            raise ValueError(f"{turn} of the {item.asset} is not a quaternion of length 1")
        poses.append(((x, y, z), tuple(turn)))
    if item.fixed:
        start = (item.start.x, item.start.y, item.start.z + item.asset.height / 2)
        if math.dist(poses[0][0], start) > 1e-6:
            raise ValueError(f"the {item.asset} is fixed, so it cannot be moved")
    return poses


def _contacts(data: Any, count: int) -> Contacts:
    contacts = {}
    for row in _rows(data):
        a, b, height = _rows(row, 3)
        contacts[_whole(a, count - 1), _whole(b, count - 1)] = _number(height)
    return contacts


def _snapshot_to_json(now: Snapshot) -> dict[str, Any]:
    return {
        "poses": [[pose.x, pose.y, pose.z, pose.yaw] for pose in now.poses],
        "tilts": list(now.tilts),
        "bodies": [[item, points.tolist()] for item, points in now.bodies.items()],
        "contacts": [[*pair, height] for pair, height in now.contacts.items()],
        "rotations": [[item, matrix.tolist()] for item, matrix in now.rotations.items()],
    }


def _snapshot(data: Any, spec: TaskSpec) -> Snapshot:
    count = len(spec.items)
    poses = tuple(_pose(row) for row in _rows(data["poses"], count))
    soft = {k for k, item in enumerate(spec.items) if item.bodies}
    bodies = _arrays(data["bodies"], spec, lambda item: (len(spec.items[item].bodies), 3))
    if set(bodies) != soft:
        raise ValueError("its bodies are not those of the ropes and piles")
    return Snapshot(
        poses,
        tuple(_number(tilt) for tilt in _rows(data["tilts"], count)),
        bodies,
        _contacts(data["contacts"], count),
        _arrays(data["rotations"], spec, lambda item: (3, 3)),
    )


def _pose(data: Any) -> Pose:
    x, y, z, yaw = map(_number, _rows(data, 4))
    return Pose(x, y, z, yaw)


def _arrays(data: Any, spec: TaskSpec, shape: Any) -> dict[int, np.ndarray[Any, Any]]:
    """Arrays by the index of their item."""
    arrays = {}
    for row in _rows(data):
        item, values = _rows(row, 2)
        array = np.array([[_number(x) for x in _rows(line, 3)] for line in _rows(values)])
        if array.shape != shape(_whole(item, len(spec.items) - 1)):
            raise ValueError(f"item {item} has an array of shape {array.shape}")
        arrays[item] = array
    return arrays


def _goals(data: Any, spec: TaskSpec) -> dict[str, Any]:
    if not isinstance(data, dict) or set(data) != {"latched", "violation"}:
        raise ValueError(f"{data!r:.60} is not what a GoalTracker keeps")
    return {
        "latched": _whole(data["latched"], len(spec.goals)), "violation": _text(data["violation"])
    }  # fmt: skip


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1000 or not (value.isprintable()):
        raise ValueError(f"{value!r:.60} is not a text")
    return value


def _status(data: Any, goals: int) -> GoalStatus:
    current = data["current"]
    return GoalStatus(
        _number(data["progress"], 1.0 + 1e-9, 0.0),
        None if current is None else _whole(current, goals - 1),
        _whole(data["goals_left"], goals),
        _text(data["violation"]),
    )
