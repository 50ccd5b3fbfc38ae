"""What an evaluation says: rates with intervals, a table, JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents import files
from agents.errors import AgentsError

if TYPE_CHECKING:
    from agents.evaluation.rollout import Outcome, Row

_RESAMPLES = 10_000
_PACKAGES = ("gymnasium", "numpy", "pybullet", "stable-baselines3", "torch")


def summary(
    outcomes: Mapping[Row, Sequence[Outcome]],
    left_out: Sequence[dict[str, Any]],
    seeds: Sequence[int],
) -> dict[str, Any]:
    """The figures of a report.

    Args:
        outcomes: of each row.
        left_out: what has no row, and why.
        seeds: of each row.

    Returns:
        `success` and `return`, the means over the rows; `episodes` and `seeds` of each row; `rows`;
        `left_out`.

    Raises:
        AgentsError: where no episode could be played.
    """
    rows, missing = [], list(left_out)
    for row, its in outcomes.items():
        about = {"env": row.env, "split": row.split, "perturb": dict(row.perturb)}
        played = [each for each in its if each.refused is None]
        if played:
            refused = {str(each.seed): each.refused for each in its if each.refused is not None}
            rows.append({**about, **_figures(played), "refused": refused})
        else:
            missing.append({**about, "why": its[0].refused})
    if not rows:
        raise AgentsError(f"no episode could be played: {missing[0]['why']}")
    return {
        "success": float(np.mean([row["success"] for row in rows])),
        "return": float(np.mean([row["return"] for row in rows])),
        "episodes": len(seeds),
        "seeds": list(seeds),
        "rows": rows,
        "left_out": missing,
    }


def _figures(played: Sequence[Outcome]) -> dict[str, Any]:
    solved = sum(each.success for each in played)
    returns = [each.earned for each in played]
    return {
        "success": solved / len(played),
        "success_interval": wilson(solved, len(played)),
        "return": float(np.mean(returns)),
        "return_interval": bootstrap(returns),
        "episodes": len(played),
        "steps": sum(each.steps for each in played),
        "outcomes": [
            {"seed": o.seed, "success": o.success, "return": o.earned, "steps": o.steps}
            for o in played
        ],
    }


def wilson(successes: int, trials: int) -> list[float]:
    """95 % score interval of a rate (Wilson, 1927): [low, high] within 0..1."""
    from scipy.stats import binomtest  # here, since the processes that play need none of it

    interval = binomtest(successes, trials).proportion_ci(0.95, "wilson")
    return [float(interval.low), float(interval.high)]


def bootstrap(values: Sequence[float]) -> list[float]:
    """95 % percentile bootstrap interval of a mean, [low, high]; equal values, equal interval."""
    rng, numbers = np.random.default_rng(0), np.asarray(values, np.float64)
    means = [rng.choice(numbers, len(numbers)).mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return [float(low), float(high)]


def versions() -> dict[str, str]:
    """Of Python and of the packages on which results depend."""
    import gensim_envs

    found = {"python": platform.python_version(), "gensim_envs": gensim_envs.__version__}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What kind of machine this is; not which one."""
    return {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.system()}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def table(result: dict[str, Any]) -> str:
    """A report as text."""
    head = ["env", "colours", "perturbed", "success", "95 % interval", "return", "95 % interval",
            "episodes", "steps"]  # fmt: skip
    lines = [head]
    for row in result["rows"]:
        lines.append([
            row["env"], {"train": "seen", "test": "unseen"}[row["split"]],
            ", ".join(row["perturb"]) or "-",
            f"{row['success']:.1%}", "{:.1%} .. {:.1%}".format(*row["success_interval"]),
            f"{row['return']:.3f}", "{:.3f} .. {:.3f}".format(*row["return_interval"]),
            str(row["episodes"]), str(row["steps"]),
        ])  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    text += [f"left out: {out['env']}, {out['split']}: {out['why']}" for out in result["left_out"]]
    for row in result["rows"]:
        text += [f"{row['env']}, {row['split']}, seed {seed} could not be reset: {why}"
                 for seed, why in row["refused"].items()]  # fmt: skip
    if len(result["rows"]) > 1:
        text.append(f"mean over rows: success {result['success']:.1%}, "
                    f"return {result['return']:.3f}")  # fmt: skip
    return "\n".join(line.rstrip() for line in text)


def check_writable(path: Path) -> None:
    """See to it that a file can be written, before long work.

    Raises:
        AgentsError: where it cannot.
    """
    with files.disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a"):
            pass


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a report, replacing what is there.

    Raises:
        AgentsError: where it cannot be written.
    """
    files.write(path, (json.dumps(result, indent=1) + "\n").encode())
