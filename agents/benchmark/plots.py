"""Plots of the results of benchmarks."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gensim_envs.utils import files

Record = Mapping[str, Any]
"""The experiment.json of a finished experiment."""
Curves = dict[str, dict[int, tuple[float, float, float]]]
"""By name: number on the x axis -> mean success over tasks, and the ends of its error bar."""


def results_of(experiment: Record, conditions: Iterable[str]) -> Iterable[tuple[str, Record]]:
    """The results of an experiment under some conditions: condition and result of each task."""
    for condition in conditions:
        for result in experiment["conditions"].get(condition, {}).get("results", []):
            yield condition, result


def policy_label(experiment: Record) -> str:
    """The policy of an experiment, and what is special about its training."""
    return ", ".join(filter(None, (experiment["policy"], experiment["variant"])))


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
    experiments = results["experiments"]
    new = dict.fromkeys(each["group"] for each in experiments if each["start"] is not None)
    panels = {  # a panel for each list of new tasks
        group or "": over_tasks([each for each in experiments if each["group"] in (None, group)])
        for group in new
    }
    figures = {
        "success_over_demos.png": ({"": over_demos(experiments)}, "demonstrations", True),
        "success_over_tasks.png": (panels, "pretraining tasks", False),
    }
    drawn = []
    for name, (curves, x_label, logarithmic) in figures.items():
        if curves := {panel: each for panel, each in curves.items() if each}:
            _draw(curves, x_label, logarithmic, folder / name)
            drawn.append(name)
    return drawn


def over_demos(experiments: Sequence[Record]) -> Curves:
    """Success with seen colours over demonstrations, for policies with several numbers of them."""
    groups: _Groups = {}
    for each in experiments:
        if each["kind"] == "single" and each["demos"]:
            points = groups.setdefault(policy_label(each), {})
            points.setdefault(each["demos"], []).append(each)
    return _curves(groups)


def over_tasks(experiments: Sequence[Record]) -> Curves:
    """Success on new tasks over the number of tasks trained on before; 0 is from scratch.

    There is a curve for each policy and number of demonstrations of the new task. Of several pools
    of one size, or numbers of demonstrations of their tasks, the first counts.
    """
    first: dict[tuple[str, int], tuple[str, int]] = {}
    pools: dict[str, int] = {}
    for each in experiments:
        if each["kind"] == "multi":
            size, pool = len(each["envs"]), (each["pool"], each["demos"])
            if first.setdefault((policy_label(each), size), pool) == pool:
                pools[each["name"]] = size
    new = {env for each in experiments if each["start"] is not None for env in each["envs"]}
    groups: _Groups = {}
    for each in experiments:
        if each["start"] in pools or (each["kind"] == "single" and set(each["envs"]) <= new):
            points = groups.setdefault(f"{policy_label(each)}, {demos_label(each['demos'])}", {})
            points.setdefault(pools.get(each["start"], 0), []).append(each)
    return _curves(groups)


_Groups = dict[str, dict[int, list[Record]]]
"""By name: number on the x axis -> experiments, of several tasks and training seeds."""


def _curves(groups: _Groups) -> Curves:
    """Means over tasks, the same ones at each point; single points are left out."""
    curves = {}
    for name, points in groups.items():
        runs = {x: _runs(experiments) for x, experiments in points.items()}
        measured: dict[str, set[int]] = {}  # task -> points at which it was evaluated
        for x, of_seeds in runs.items():
            for env in {env for tasks in of_seeds.values() for env in tasks}:
                measured.setdefault(env, set()).add(x)
        most = max(measured.values(), key=len, default=set())
        envs = sorted(env for env, where in measured.items() if where >= most)
        if len(most) > 1:
            curves[name] = {x: _point(runs[x], envs) for x in sorted(most)}
    return curves


def _runs(experiments: Iterable[Record]) -> dict[int, dict[str, Record]]:
    """Results with seen colours by training seed and task."""
    found: dict[int, dict[str, Record]] = {}
    for each in experiments:
        for _, result in results_of(each, ["seen"]):
            found.setdefault(each["seed"], {})[result["env"]] = result
    return found


def _point(runs: Mapping[int, Mapping[str, Record]], envs: Sequence[str]) -> Any:
    """Mean success over tasks and the ends of its error bar.

    The bar is the range of the training seeds that have all tasks, or for a single one the 95 %
    interval of its episodes.
    """
    whole = [tasks for tasks in runs.values() if all(env in tasks for env in envs)]
    if not whole:  # each task with the seeds that it has
        merged = {env: result for tasks in runs.values() for env, result in tasks.items()}
        whole = [merged]
    means = [sum(tasks[env]["success"] for env in envs) / len(envs) for tasks in whole]
    mean = sum(means) / len(means)
    if len(means) > 1:
        return mean, min(means), max(means)
    rates = [(whole[0][env]["success"], whole[0][env]["episodes"]) for env in envs]
    error = 1.96 * math.sqrt(sum(p * (1 - p) / n for p, n in rates)) / len(rates)
    return mean, mean - error, mean + error


def _draw(panels: Mapping[str, Curves], x_label: str, logarithmic: bool, path: Path) -> None:
    """Draw panels side by side; their names are their titles."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 + 4 * len(panels), 4.5), layout="constrained")
    names = dict.fromkeys(name for curves in panels.values() for name in curves)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for panel, (title, curves) in zip(axes, panels.items(), strict=True):
        for number, name in enumerate(names):
            points = curves.get(name, {})
            means = [mean for mean, _, _ in points.values()]
            errors = [[mean - low, high - mean] for mean, low, high in points.values()]
            # Matplotlib reads $ as mathematics, and leaves out names that begin with _.
            panel.errorbar(
                list(points), means, list(zip(*errors, strict=True)) or None, color=f"C{number}",
                marker="o", capsize=3, label=name.replace("$", r"\$").lstrip("_"),
            )  # fmt: skip
        if logarithmic:
            panel.set_xscale("log")
        ticks = sorted({x for points in curves.values() for x in points})
        panel.set_xticks(ticks, [str(x) for x in ticks])
        panel.minorticks_off()
        panel.set(xlabel=x_label, ylim=(-0.02, 1.02), title=title)
        panel.grid(alpha=0.3)
    axes[0].set_ylabel("mean success")
    # Outside, where it covers no curve.
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    image = io.BytesIO()
    figure.savefig(image, dpi=120)
    files.write(path, image.getvalue())
