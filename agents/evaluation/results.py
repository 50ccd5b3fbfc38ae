"""The report of an evaluation: rates with intervals, as JSON and as a table."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.errors import AgentsError
from gensim_envs.utils import files
from gensim_envs.utils.statistics import wilson

if TYPE_CHECKING:
    from agents.evaluation.playing import Outcome, Setting

_RESAMPLES = 10_000
_SPLITS = {"train": "seen", "test": "unseen"}
# What determines demonstrations and episodes, in gensim_envs.
_SIMULATION = ("datasets", "envs", "oracle", "seeds.py", "sim", "task", "wrappers.py")
_PACKAGES = ("gymnasium", "numpy", "pybullet", "stable-baselines3", "torch")


def summary(
    outcomes: Mapping[Setting, Sequence[Outcome]],
    left_out: Sequence[dict[str, Any]],
    seeds: Sequence[int],
) -> dict[str, Any]:
    """The results of an evaluation.

    Args:
        outcomes: of each setting.
        left_out: what is not evaluated, and why.
        seeds: of each setting.

    Returns:
        `success` and `return`, the means over the results; `episodes` and `seeds` of each setting;
        `results`, one for each setting; `left_out`.

    Raises:
        AgentsError: if no episode could be played.
    """
    results, missing = [], list(left_out)
    for setting, its in outcomes.items():
        what = {"env": setting.env, "split": setting.split, "perturb": setting.perturb}
        played = [each for each in its if each.refused is None]
        if played:
            refused = {str(each.seed): each.refused for each in its if each.refused is not None}
            results.append({**what, **_figures(played), "refused": refused})
        else:
            missing.append({**what, "why": its[0].refused})
    if not results:
        raise AgentsError(f"no episode could be played: {missing[0]['why']}")
    return {
        "success": float(np.mean([each["success"] for each in results])),
        "return": float(np.mean([each["return"] for each in results])),
        "episodes": len(seeds),
        "seeds": list(seeds),
        "results": results,
        "left_out": missing,
    }


def _figures(played: Sequence[Outcome]) -> dict[str, Any]:
    solved = sum(each.success for each in played)
    returns = [each.episode_return for each in played]
    return {
        "success": solved / len(played),
        "success_interval": list(wilson(solved, len(played))),
        "return": float(np.mean(returns)),
        "return_interval": bootstrap(returns),
        "episodes": len(played),
        "steps": sum(each.steps for each in played),
        "outcomes": [
            {"seed": o.seed, "success": o.success, "return": o.episode_return, "steps": o.steps}
            for o in played
        ],
    }


def bootstrap(values: Sequence[float]) -> list[float]:
    """The 95 % percentile bootstrap interval of a mean, [low, high]; deterministic."""
    rng, numbers = np.random.default_rng(0), np.asarray(values, np.float64)
    means = [rng.choice(numbers, len(numbers)).mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return [float(low), float(high)]


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version(), "gensim_envs": _suite()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _suite() -> str:
    """The version of gensim_envs and a hash of what determines its episodes: "0.1.0+1a2b3c4d"."""
    import gensim_envs

    root, whole = Path(gensim_envs.__file__).parent, hashlib.sha256()
    found = [path for part in _SIMULATION for path in (root / part, *(root / part).rglob("*"))]
    for path in sorted(each for each in found if each.is_file() and each.suffix != ".pyc"):
        whole.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return f"{gensim_envs.__version__}+{whole.hexdigest()[:8]}"


def machine() -> dict[str, Any]:
    """The kind of this machine; nothing that identifies it."""
    return {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.system()}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def table(report: dict[str, Any]) -> str:
    """A report as text."""
    lines = [["env", "colours", "perturbed", "success", "95 % interval", "return",
              "95 % interval", "episodes", "steps"]]  # fmt: skip
    lines += [
        [
            each["env"], _SPLITS[each["split"]],
            ", ".join(f"{key}={value}" for key, value in each["perturb"].items()) or "-",
            f"{each['success']:.1%}", "{:.1%} .. {:.1%}".format(*each["success_interval"]),
            f"{each['return']:.3f}", "{:.3f} .. {:.3f}".format(*each["return_interval"]),
            str(each["episodes"]), str(each["steps"]),
        ]
        for each in report["results"]
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    text += [f"left out: {out['env']}, {out['split']}: {out['why']}" for out in report["left_out"]]
    for each in report["results"]:
        text += [f"{each['env']}, {each['split']}, seed {seed} could not be reset: {why}"
                 for seed, why in each["refused"].items()]  # fmt: skip
    for split, colors in _SPLITS.items():
        its = [each for each in report["results"] if each["split"] == split]
        if len(its) > 1:
            success, mean_return = (np.mean([e[key] for e in its]) for key in ("success", "return"))
            text.append(f"mean, {colors}: success {success:.1%}, return {mean_return:.3f}")
    return "\n".join(line.rstrip() for line in text)


def write(path: Path, report: dict[str, Any]) -> None:
    """Write a report, replacing an old one.

    Raises:
        FileError: if it cannot be written.
    """
    files.write(path, (json.dumps(report, indent=1) + "\n").encode())
