"""Plots of the results of benchmarks."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gensim_envs.utils import files
from gensim_envs.utils.statistics import wilson

Record = Mapping[str, Any]
"""The experiment.json of a finished experiment."""
Curves = dict[str, dict[int, tuple[float, float]]]
"""By name: number on the x axis -> mean success over tasks, and its standard error."""


def results_of(experiment: Record, conditions: Iterable[str]) -> Iterable[tuple[str, Record]]:
    """The results of an experiment under some conditions: condition and result of each task."""
    for condition in conditions:
        for result in experiment["conditions"].get(condition, {}).get("results", []):
            yield condition, result


def pooled(results: Sequence[Record]) -> Record:
    """The result on the episodes of several runs together."""
    if len(results) == 1:
        return results[0]
    count = sum(each["episodes"] for each in results)
    solved = round(sum(each["episodes"] * each["success"] for each in results))
    total = math.fsum(each["episodes"] * each["return"] for each in results)
    return {"env": results[0]["env"], "success": solved / count, "return": total / count,
            "success_interval": wilson(solved, count), "episodes": count}  # fmt: skip


def demos_label(demos: int) -> str:
    """A number of demonstrations as text."""
    return "zero-shot" if demos == 0 else "1 demo" if demos == 1 else f"{demos} demos"


def plot(results: Record, folder: Path) -> list[str]:
    """Draw the plots of a suite.

    Returns:
        Names of the files in `folder`.

    Raises:
        FileError: if a file cannot be written.
    """
    figures = {
        "success_over_demos.png": (over_demos, "demonstrations", True),
        "success_over_tasks.png": (over_tasks, "tasks trained on before", False),
    }
    drawn = []
    for name, (curves_of, x_label, logarithmic) in figures.items():
        if curves := curves_of(results["experiments"]):
            _draw(curves, x_label, logarithmic, folder / name)
            drawn.append(name)
    return drawn


def over_demos(experiments: Sequence[Record]) -> Curves:
    """Success with seen colours over demonstrations, for policies with several numbers of them."""
    groups: dict[str, dict[int, list[Record]]] = {}
    for each in experiments:
        if each["kind"] == "single" and each["demos"]:
            results = [result for _, result in results_of(each, ["seen"])]
            groups.setdefault(each["policy"], {}).setdefault(each["demos"], []).extend(results)
    return _curves(groups)


def over_tasks(experiments: Sequence[Record]) -> Curves:
    """Success on new tasks over the number of tasks trained on before; 0 is from scratch.

    There is a curve for each policy and number of demonstrations of the new task, with all training
    seeds. Of runs with equally many tasks and other numbers of demonstrations, the first count.
    """
    first: dict[tuple[str, int], int] = {}
    pools: dict[str, int] = {}
    for each in experiments:
        if each["kind"] == "multi":
            size = len(each["envs"])
            if first.setdefault((each["policy"], size), each["demos"]) == each["demos"]:
                pools[each["name"]] = size
    new = {env for each in experiments if each["start"] is not None for env in each["envs"]}
    groups: dict[str, dict[int, list[Record]]] = {}
    for each in experiments:
        if each["start"] in pools or (each["kind"] == "single" and set(each["envs"]) <= new):
            results = [result for _, result in results_of(each, ["seen"])]
            name = f"{each['policy']}, {demos_label(each['demos'])}"
            groups.setdefault(name, {}).setdefault(pools.get(each["start"], 0), []).extend(results)
    return _curves(groups)


def _curves(groups: Mapping[str, Mapping[int, Sequence[Record]]]) -> Curves:
    """Means over tasks, the same ones at each point; single points are left out."""
    curves = {}
    for name, points in groups.items():
        measured: dict[str, set[int]] = {}  # task -> points at which it was evaluated
        for x, results in points.items():
            for result in results:
                measured.setdefault(result["env"], set()).add(x)
        most = max(measured.values(), key=len, default=set())
        tasks = [env for env, where in measured.items() if where >= most]
        if len(most) > 1:
            curves[name] = {
                x: _mean([each for each in points[x] if each["env"] in tasks]) for x in sorted(most)
            }
    return curves


def _mean(results: Sequence[Record]) -> tuple[float, float]:
    """Mean success, and its standard error over episodes of these tasks."""
    rates = [(each["success"], each["episodes"]) for each in results]
    variance = sum(p * (1 - p) / n for p, n in rates) / len(rates) ** 2
    return sum(p for p, _ in rates) / len(rates), math.sqrt(variance)


def _draw(curves: Curves, x_label: str, logarithmic: bool, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, points in curves.items():
        errors = [1.96 * error for _, error in points.values()]
        means = [mean for mean, _ in points.values()]
        axes.errorbar(list(points), means, errors, marker="o", capsize=3, label=name)
    if logarithmic:
        axes.set_xscale("log")
    ticks = sorted({x for points in curves.values() for x in points})
    axes.set_xticks(ticks, [str(x) for x in ticks])
    axes.minorticks_off()
    axes.set(xlabel=x_label, ylabel="mean success", ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)  # outside, where it covers no curve
    image = io.BytesIO()
    figure.savefig(image, dpi=120)
    files.write(path, image.getvalue())
