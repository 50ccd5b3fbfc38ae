"""The state of an episode between two steps, as plain JSON; `TabletopEnv.get_state` describes it.

A state may come from a file, so that it is a stranger's data: everything is checked.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from gensim_envs.envs.perturbations import Perturbation
from gensim_envs.errors import StateError, TaskError
from gensim_envs.sim.world import BodyPose, Contacts
from gensim_envs.task.goals import Index, Snapshot
from gensim_envs.task.pose import Pose
from gensim_envs.task.progress import GoalStatus, TrackerState
from gensim_envs.task.spec import ItemSpec, TaskSpec
from gensim_envs.utils.decode import Range, Using, decode

_FAR = 1e6  # metres: what has fallen off the table goes on falling
_TURN = 1e-3  # by which the norm of a quaternion may differ from 1

_Number = Annotated[float, Range(-_FAR, _FAR)]


def generator(state: Mapping[str, Any]) -> np.random.Generator:
    """The generator with a state of its bit generator, which is PCG64, Gymnasium's own."""
    made = np.random.Generator(np.random.PCG64(0))
    made.bit_generator.state = dict(state)
    return made


def _spec(data: Any) -> TaskSpec:
    """A task, whose instructions may be blank: they are perturbed."""
    texts = [goal["instruction"] for goal in data["goals"]]
    told = [goal | {"instruction": goal["instruction"] or "blank"} for goal in data["goals"]]
    try:
        spec = TaskSpec.from_json(data | {"goals": told})
    except TaskError as error:
        raise ValueError(str(error)) from error
    goals = (replace(goal, instruction=text) for goal, text in zip(spec.goals, texts, strict=True))
    return replace(spec, goals=tuple(goals))


def _perturbation(data: Any) -> Perturbation:
    return Perturbation.from_options({"perturb": data})


def _body(data: Any) -> BodyPose:
    x, y, z, *turn = decode(list[_Number], data)
    if len(turn) != 4 or abs(math.hypot(*turn) - 1) > _TURN:
        raise ValueError(f"{turn} is not a quaternion of length 1")
    return (x, y, z), tuple(turn)


def _contacts(data: Any) -> Contacts:
    return {(a, b): height for a, b, height in decode(list[tuple[Index, Index, _Number]], data)}


def _arrays(data: Any) -> dict[int, NDArray[np.float64]]:
    """Arrays (n, 3) by the index of their item."""
    rows = decode(list[tuple[Index, list[tuple[_Number, _Number, _Number]]]], data)
    return {item: np.array(points).reshape(-1, 3) for item, points in rows}


def _seed(data: Any) -> int | None:
    if data is not None and not (type(data) is int and -1 <= data <= 2**128):
        raise ValueError(f"{data!r:.60} is not a seed")
    return data


@dataclass(frozen=True)
class _Start:
    """A snapshot as JSON."""

    poses: list[tuple[_Number, _Number, _Number, _Number]]
    tilts: list[_Number]
    bodies: Annotated[dict[int, NDArray[np.float64]], Using(_arrays)]
    contacts: Annotated[Contacts, Using(_contacts)]
    rotations: Annotated[dict[int, NDArray[np.float64]], Using(_arrays)]


def _snapshot(data: Any) -> Snapshot:
    start = decode(_Start, data)
    poses = tuple(Pose(*row) for row in start.poses)
    return Snapshot(poses, tuple(start.tilts), start.bodies, start.contacts, start.rotations)


def _snapshot_to_json(now: Snapshot) -> dict[str, Any]:
    return {
        "poses": [[pose.x, pose.y, pose.z, pose.yaw] for pose in now.poses],
        "tilts": list(now.tilts),
        "bodies": [[item, points.tolist()] for item, points in now.bodies.items()],
        "contacts": [[*pair, height] for pair, height in now.contacts.items()],
        "rotations": [[item, matrix.tolist()] for item, matrix in now.rotations.items()],
    }


@dataclass(frozen=True)
class EpisodeState:
    """An episode between two steps.

    Attributes:
        spec: the task as drawn, perturbed.
        bodies: poses of the bodies of each item; empty for one that has not appeared yet.
        contacts: of the snapshot.
        start: the snapshot after the reset.
        goals: what the `GoalTracker` keeps.
        status: how far the episode has come.
        number: from which the task was drawn.
        perturb: the perturbation of the episode.
        time: simulation steps of the arm since the reset.
        np_random: of the env.
        seed: of the env's generator, as `gymnasium.Env.np_random_seed`.
        noise: the generator of the cameras' noise, before the last observation; None for perfect
            cameras.
        edited: whether the spec or a pose is not as `to_json` wrote it.
    """

    spec: Annotated[TaskSpec, Using(_spec)]
    bodies: list[list[Annotated[BodyPose, Using(_body)]]]
    contacts: Annotated[Contacts, Using(_contacts)]
    start: Annotated[Snapshot, Using(_snapshot)]
    goals: TrackerState
    status: GoalStatus
    number: Annotated[int, Range(0, 2**31)]
    perturb: Annotated[Perturbation, Using(_perturbation)]
    time: Annotated[int, Range(0, 2**53)]
    np_random: Annotated[np.random.Generator, Using(generator)]
    seed: Annotated[int | None, Using(_seed)]
    noise: Annotated[np.random.Generator, Using(generator)] | None
    edited: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain data, which shares nothing with this."""
        data = {
            "spec": self.spec.to_json(),
            "bodies": [[[*middle, *turn] for middle, turn in poses] for poses in self.bodies],
            "contacts": [[*pair, height] for pair, height in self.contacts.items()],
            "start": _snapshot_to_json(self.start),
            "goals": asdict(self.goals),
            "status": asdict(self.status),
            "number": self.number,
            "perturb": {key: value for key, value in asdict(self.perturb).items() if value},
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
        try:
            plain = json.loads(json.dumps(dict(data)))  # tuples as lists
            digest = plain.pop("digest")
            state = decode(cls, plain | {"edited": digest != _digest(plain)})
            state._check_fits()
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise StateError(f"the state is not one of get_state(): {error!s:.200}") from error
        return state

    def _check_fits(self) -> None:
        """Check that all entries are of the same task."""
        items, start = self.spec.items, self.start
        count, goals = len(items), len(self.spec.goals)
        soft = {k: len(item.bodies) for k, item in enumerate(items) if item.bodies}
        used = {k for pair in (*self.contacts, *start.contacts) for k in pair}
        fits = {
            "bodies": len(self.bodies) == count and all(map(_has_bodies, items, self.bodies)),
            "contacts": max(used, default=0) < count,
            "start": len(start.poses) == len(start.tilts) == count
            and soft == {k: len(points) for k, points in start.bodies.items()}
            and all(k < count and len(rows) == 3 for k, rows in start.rotations.items()),
            "goals": self.goals.latched <= goals,
            "status": (self.status.current or 0) < goals and self.status.goals_left <= goals,
        }
        for name, good in fits.items():
            if not good:
                raise ValueError(f"{name} is not of the task in spec")
        for item, bodies in zip(items, self.bodies, strict=True):
            start_of = (item.start.x, item.start.y, item.start.z + item.asset.height / 2)
            if item.fixed and bodies and math.dist(bodies[0][0], start_of) > 1e-6:
                raise ValueError(f"bodies: the {item.asset} is fixed, so it cannot be moved")


def _has_bodies(item: ItemSpec, bodies: list[BodyPose]) -> bool:
    """Whether the bodies are those of an item, which may not have appeared yet."""
    waits = item.after is not None and not bodies
    return waits or len(bodies) == max(1, len(item.bodies))


def _digest(state: Mapping[str, Any]) -> str:
    """A digest of what is on the table, by which edited poses are found."""
    # 1 and 1.0 are the same number, which becomes a float when it is read.
    plain = json.loads(json.dumps([state["spec"], state["bodies"]]), parse_int=float)
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
