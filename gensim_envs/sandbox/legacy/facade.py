"""The modules that programs of the original GenSim import: stand-ins with the names that occur.

NumPy is real behind its names; its random numbers, and those of `random`, come from one seed.
"""

from __future__ import annotations

import copy
import math
import random
import string
import types
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from gensim_envs.sandbox.rules.nodes import FORMAT_SPEC
from gensim_envs.sandbox.vocabulary import math_names
from gensim_envs.task.assets import KIT_SHAPES

RGB = {
    "blue": (78, 121, 167), "red": (255, 87, 89), "green": (89, 169, 79),
    "orange": (242, 142, 43), "yellow": (237, 201, 72), "purple": (176, 122, 161),
    "pink": (255, 157, 167), "cyan": (118, 183, 178), "brown": (156, 117, 95),
    "white": (255, 255, 255), "gray": (186, 176, 172), "indigo": (75, 0, 130),
    "violet": (143, 0, 255), "black": (0, 0, 0), "silver": (192, 192, 192), "gold": (255, 215, 0),
}  # fmt: skip
"""That project's colours, as bytes; a name that is not here is red."""
SEEN = {
    "train": ("blue", "red", "green", "yellow", "brown", "gray", "cyan"),
    "test": ("blue", "red", "green", "orange", "purple", "pink", "white"),
}

NUMPY = (
    *("abs", "absolute", "add", "all", "allclose", "any", "append", "arange", "arccos", "arcsin"),
    *("arctan", "arctan2", "argmax", "argmin", "argsort", "array", "array_equal", "asarray"),
    *("ceil", "clip", "concatenate", "cos", "cross", "cumsum", "deg2rad", "degrees", "diff"),
    *("dot", "e", "exp", "eye", "float32", "float64", "floor", "full", "hstack", "hypot"),
    *("identity", "inf", "int32", "int64", "isclose", "linspace", "max", "maximum", "mean"),
    *("meshgrid", "min", "minimum", "mod", "multiply", "newaxis", "ones", "ones_like", "outer"),
    *("pi", "power", "prod", "rad2deg", "radians", "repeat", "roll", "round", "sign", "sin"),
    *("sort", "sqrt", "square", "stack", "std", "subtract", "sum", "tan", "tile", "transpose"),
    *("uint8", "unique", "vstack", "where", "zeros", "zeros_like", "argwhere", "bool_"),
)
NUMPY_RANDOM = (
    *("choice", "normal", "permutation", "rand", "randint", "randn", "random", "random_sample"),
    *("shuffle", "uniform"),
)
RANDOM = ("choice", "choices", "gauss", "randint", "random", "sample", "shuffle", "uniform")
MODULES = (
    *("numpy", "random", "math", "os", "os.path", "copy", "pybullet", "IPython", "string"),
    *("cliport", "cliport.utils", "cliport.utils.utils", "cliport.tasks", "cliport.tasks.task"),
    *("cliport.tasks.primitives", "cliport.tasks.grippers"),
)
"""Everything that may be imported."""

Pose = tuple[Any, Any]


class Colors(dict[str, list[float]]):
    """Colour names; one that is unknown is red."""

    def __missing__(self, name: str) -> list[float]:
        return self["red"]


class _Formatter(string.Formatter):
    """`str.format` without attributes, items and long paddings."""

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        if "." in field_name or "[" in field_name:
            raise ValueError(f"format accepts plain names only, not {field_name:.40}")
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        if not FORMAT_SPEC.fullmatch(format_spec):
            raise ValueError(f"format does not accept {format_spec:.40}")
        return format(value, format_spec)


def safe_format(text: Any, *values: Any, **named: Any) -> str:
    """`text.format(*values, **named)`, restricted."""
    if not isinstance(text, str):
        raise TypeError(f"format is a method of text, not of {type(text).__name__}")
    return _Formatter().vformat(text, values, named)


# --- poses ------------------------------------------------------------------------------------


def is_row(value: Any) -> bool:
    """Whether a value is a list, tuple or array of single numbers."""
    return hasattr(value, "__len__") and not any(hasattr(each, "__len__") for each in value)


def pose_of(pose: Any) -> Pose:
    """A pose as (position, quaternion); a bare position has no rotation.

    Raises:
        ValueError: it is neither.
    """
    if len(pose) == 2 and is_row(pose[0]):
        position, turn = pose
    else:
        position, turn = pose, (0.0, 0.0, 0.0, 1.0)
    position, turn = [float(v) for v in position], [float(v) for v in turn]
    if len(position) == 2:
        position.append(0.0)
    if len(position) != 3 or len(turn) not in (3, 4):
        raise ValueError("a pose is (x, y, z) and a quaternion (x, y, z, w)")
    return tuple(position), tuple(euler_to_quaternion(turn) if len(turn) == 3 else turn)


def euler_to_quaternion(rpy: Any) -> tuple[float, ...]:
    """Roll, pitch and yaw about fixed axes to a quaternion (x, y, z, w)."""
    return tuple(Rotation.from_euler("xyz", rpy).as_quat().tolist())


def quaternion_to_euler(turn: Any) -> tuple[float, ...]:
    """The inverse of `euler_to_quaternion`."""
    return tuple(Rotation.from_quat(turn).as_euler("xyz").tolist())


def apply(pose: Any, point: Any) -> tuple[float, ...]:
    """A point in the world, given in the frame of a pose."""
    position, turn = pose_of(pose)
    local = [*map(float, point), 0.0][:3]
    return tuple((Rotation.from_quat(turn).apply(local) + position).tolist())


def multiply(a: Any, b: Any) -> Pose:
    """A pose in the world, given in the frame of another."""
    (_, turn), (point, other) = pose_of(a), pose_of(b)
    product = Rotation.from_quat(turn) * Rotation.from_quat(other)
    return apply(a, point), tuple(product.as_quat().tolist())


def invert(pose: Any) -> Pose:
    """The inverse of a pose."""
    position, turn = pose_of(pose)
    back = Rotation.from_quat(turn).inv()
    return tuple((-back.apply(position)).tolist()), tuple(back.as_quat().tolist())


# --- modules ----------------------------------------------------------------------------------


def modules(seed: int, split: str, task: type, starts: Mapping[int, Pose]) -> dict[str, Any]:
    """The stand-ins by name; each draw gets its own.

    Args:
        seed: of all random numbers.
        split: "train" or "test".
        task: the base class of programs.
        starts: pose of each thing by its id.
    """
    drawn, plain = np.random.RandomState(seed % 2**32), random.Random(seed)
    noise = {name: getattr(drawn, name) for name in NUMPY_RANDOM}
    contents: dict[str, dict[str, Any]] = {
        "numpy": {
            **{name: getattr(np, name) for name in NUMPY},
            "int": int, "float": float, "bool": bool,
            "linalg": types.SimpleNamespace(norm=np.linalg.norm),
            "random": types.SimpleNamespace(**noise, seed=_nothing),
        },
        "random": {**{name: getattr(plain, name) for name in RANDOM}, "seed": _nothing},
        "math": {name: getattr(math, name) for name in math_names()},
        "copy": {"copy": copy.copy, "deepcopy": copy.deepcopy},
        "os.path": {"join": lambda *parts: "/".join(map(str, parts)), "exists": lambda path: True},
        "pybullet": _pybullet(starts),
        "cliport.utils.utils": _utils(drawn, split),
        "cliport.tasks.task": {"Task": task},
        "cliport.tasks.primitives": {"push": _nothing, "PickPlace": _nothing},
        "cliport.tasks.grippers": {"Spatula": _nothing, "Suction": _nothing},
    }  # fmt: skip
    made = {name: types.ModuleType(name) for name in MODULES}
    for name, module in made.items():
        vars(module).update(contents.get(name, {}))
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(made[parent], child, module)
    return made


def _nothing(*_: Any, **__: Any) -> None:
    """What changes nothing here."""


def _pybullet(starts: Mapping[int, Pose]) -> dict[str, Any]:
    def start_of(thing: int, *_: Any, **__: Any) -> Pose:
        return starts[thing]

    return {
        "getBasePositionAndOrientation": start_of,
        "getQuaternionFromEuler": euler_to_quaternion,
        "getEulerFromQuaternion": quaternion_to_euler,
        "multiplyTransforms": lambda a, b, c, d: multiply((a, b), (c, d)),
        "invertTransform": lambda a, b: invert((a, b)),
        "stepSimulation": _nothing,
    }


def _utils(drawn: np.random.RandomState, split: str) -> dict[str, Any]:
    colors = Colors({name: [v / 255 for v in rgb] for name, rgb in RGB.items()})

    def get_colors(mode: str = split, n_colors: int = -1, **_: Any) -> tuple[list[Any], list[str]]:
        names = list(SEEN["train"])
        order = drawn.permutation(len(names))[: n_colors if n_colors >= 0 else None]
        names = [names[k] for k in order]
        return [colors[name] for name in names], names

    return {
        "COLORS": colors,
        "TRAIN_COLORS": list(SEEN["train"]),
        "EVAL_COLORS": list(SEEN["test"]),
        "get_colors": get_colors,
        "apply": apply,
        "multiply": multiply,
        "invert": invert,
        "eulerXYZ_to_quatXYZW": euler_to_quaternion,
        "quatXYZW_to_eulerXYZ": quaternion_to_euler,
        "map_kit_scale": lambda size: tuple(float(v) / 10 for v in size),
        "assembling_kit_shapes": {
            number: f"{name} shape" if name.startswith("letter") else name
            for number, name in enumerate(KIT_SHAPES)
        },
    }
