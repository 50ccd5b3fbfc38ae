"""Results of benchmarks as Markdown tables and plots.

`python -m agents.benchmark.tables FILE...` prints the tables of one or more results.json. Those of
one suite and version are joined.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.errors import AgentsError
from agents.files import disk_errors

Record = Mapping[str, Any]
"""The cell.json of a finished cell."""
SPLITS = ("seen", "unseen")
"""Tracks that are columns of the main table; the others are perturbations."""


def load(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Results by suite, cells of one suite and version joined.

    Raises:
        AgentsError: where a file is no result, or two of one suite are of different versions.
    """
    suites: dict[str, dict[str, Any]] = {}
    for path in paths:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            name, sha256, cells = data["suite"], data["sha256"], data["cells"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AgentsError(
                f"{path} is no results.json of a benchmark ({error!r:.80})"
            ) from error
        known = suites.setdefault(name, {**data, "cells": []})
        if known["sha256"] != sha256:
            raise AgentsError(f"{path} is of another version of suite {name!r} than a file before")
        known["cells"] += cells
    return list(suites.values())


def markdown(results: Record, plots: Sequence[str] = ()) -> str:
    """All tables of one suite.

    Args:
        results: the content of a results.json.
        plots: file names of pictures to show.
    """
    cells: list[Record] = [cell for cell in results["cells"] if cell["tracks"]]
    command = f"python -m agents benchmark --suite {results['suite']} --out DIR"
    parts = [
        f"## Suite `{results['suite']}`, version {results['version']}",
        f"{results['purpose']}. Success in percent of the test episodes, with its 95 % interval.",
        _success_table(cells),
        *(f"![{name}]({name})" for name in plots),
        _perturbation_table(cells),
        f"### How\n\n`{command}`",
        _how_table(results["cells"]),
        _failures(results.get("failed", [])),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def policy(cell: Record) -> str:
    """What a cell's policy is, in words that do not name the task that it is tested on."""
    demos = cell["demos"]
    parts = [cell["agent"]]
    if cell["kind"] in ("few-shot", "zero-shot"):
        parts += [f"after {cell['pool']}", _count(demos)]
    elif cell["kind"] == "multi":
        parts += [f"one for {cell['pool']}", f"{_count(demos)} each"]
    elif demos is not None:
        parts += [_count(demos)]
    return ", ".join(parts)


def _count(demos: int) -> str:
    return "zero-shot" if demos == 0 else "1 demo" if demos == 1 else f"{demos} demos"


# --------------------------------------------------------------------------------------- tables


def _success_table(cells: Sequence[Record]) -> str:
    """Policies by tasks, or tasks by policies where there are more tasks."""
    found = {
        (policy(cell), row["env"], track): row
        for cell in cells
        for track, row in _rows(cell, SPLITS)
    }
    policies, tasks = (list(dict.fromkeys(key[k] for key in found)) for k in (0, 1))
    entries = {
        (name, _column(_short(task), track)): _percent(row)
        for (name, task, track), row in found.items()
    }
    columns = [
        column
        for task in tasks
        for track in SPLITS
        if any((name, column := _column(_short(task), track)) in entries for name in policies)
    ]
    for track in SPLITS:
        there = {task for _, task, other in found if other == track}
        for name in policies if len(there) > 1 else ():
            rows = [found.get((name, task, track)) for task in there]
            rates = [row["success"] for row in rows if row]
            if len(rates) == len(there):  # a mean over fewer tasks compares with nothing
                entries[name, _column("mean", track)] = f"{100 * sum(rates) / len(rates):.1f}"
        if any((name, _column("mean", track)) in entries for name in policies):
            columns.append(_column("mean", track))
    if len(tasks) > len(policies):
        return _table("task", columns, policies, lambda row, name: entries.get((name, row), ""))
    return _table("policy", policies, columns, lambda name, col: entries.get((name, col), ""))


def _column(task: str, track: str) -> str:
    return task if track == "seen" else f"{task}, {track}"


def _perturbation_table(cells: Sequence[Record]) -> str:
    tracks = dict.fromkeys(track for cell in cells for track in cell["tracks"])
    others = [track for track in tracks if track not in SPLITS]
    if not others:
        return ""
    entries = {
        (f"{policy(cell)}: {_short(row['env'])}", track): _percent(row)
        for cell in cells
        if any(track in cell["tracks"] for track in others)
        for track, row in _rows(cell, ["seen", *others])
    }
    rows = list(dict.fromkeys(row for row, _ in entries))
    table = _table("policy", rows, ["seen", *others], lambda row, t: entries.get((row, t), ""))
    return f"### Under perturbations\n\n{table}"


def _how_table(cells: Sequence[Record]) -> str:
    """Times, seeds and machines, and the commands that train."""
    by_name = {cell["name"]: cell for cell in cells}
    machines = list(dict.fromkeys(map(_machine, cells)))
    letters = dict(zip(machines, map(chr, range(ord("A"), ord("Z"))), strict=False))
    columns: dict[str, Callable[[Record], object]] = {
        "training seed": lambda cell: cell["seed"],
        "test seeds": _seeds,
        "training, s": lambda cell: _seconds(cell["seconds"]["train"]),
        "evaluation, s": lambda cell: _seconds(cell["seconds"]["evaluate"]),
        "machine": lambda cell: letters.get(_machine(cell), "another"),
    }
    table = _table("cell", list(by_name), list(columns), lambda n, c: str(columns[c](by_name[n])))
    legend = "\n".join(f"- {letter}: {machine}" for machine, letter in letters.items())
    commands = [line for cell in cells for line in cell["commands"]]
    if not commands:
        return f"{table}\n\n{legend}"
    return (
        f"{table}\n\n{legend}\n\n<details><summary>Training commands</summary>\n\n```sh\n"
        + "\n".join(commands)
        + "\n```\n\n</details>"
    )


def _failures(failed: Sequence[Record]) -> str:
    if not failed:
        return ""
    return "### Failed\n\n" + "\n".join(f"- {each['name']}: {each['error']}" for each in failed)


def _table(
    corner: str, rows: Sequence[str], columns: Sequence[str], entry: Callable[[str, str], str]
) -> str:
    lines = [[corner, *columns], ["---"] * (len(columns) + 1)]
    lines += [[row, *(entry(row, column) for column in columns)] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _rows(cell: Record, tracks: Iterable[str]) -> Iterable[tuple[str, Record]]:
    """What was measured in some tracks: track and the row of each task."""
    for track in tracks:
        for row in cell["tracks"].get(track, {}).get("rows", []):
            yield track, row


def _percent(row: Record) -> str:
    low, high = row["success_interval"]
    return f"{100 * row['success']:.0f} ({100 * low:.0f}-{100 * high:.0f})"


def _short(env: str) -> str:
    return env.removeprefix("gensim/")


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f}"


def _seeds(cell: Record) -> str:
    seeds = [seed for track in cell["tracks"].values() for seed in track["seeds"]]
    return f"{min(seeds)}..{max(seeds)}" if seeds else ""


def _machine(cell: Record) -> str:
    machine, versions = cell["machine"], cell["versions"]
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{machine['cpu']}, {machine['cores']} cores{gpu}; {said}"


# ---------------------------------------------------------------------------------------- plots


def plot(results: Record, folder: Path) -> list[str]:
    """Draw what there is to draw of a suite.

    Returns:
        Names of the files in `folder`; none where matplotlib is missing.

    Raises:
        AgentsError: where one cannot be written.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        print("no plots: matplotlib is missing; pip install matplotlib", file=sys.stderr)
        return []
    matplotlib.use("Agg")
    figures = {
        "success_over_demos.png": (over_demos(results["cells"]), "demonstrations", True),
        "success_over_tasks.png": (over_tasks(results["cells"]), "tasks trained on before", False),
    }
    return [
        name
        for name, (curves, label, logarithmic) in figures.items()
        if curves and _draw(curves, label, logarithmic, folder / name)
    ]


Curves = dict[str, dict[int, tuple[float, float]]]
"""By name: number on the x axis -> mean success over tasks, and its standard error."""


def over_demos(cells: Sequence[Record]) -> Curves:
    """Success on seen splits over demonstrations, for agents with more than one number of them."""
    groups: dict[str, dict[int, list[Record]]] = {}
    for cell in cells:
        if cell["kind"] == "single" and cell["demos"]:
            rows = [row for _, row in _rows(cell, ["seen"])]
            groups.setdefault(cell["agent"], {}).setdefault(cell["demos"], []).extend(rows)
    return _curves(groups)


def over_tasks(cells: Sequence[Record]) -> Curves:
    """Success on new tasks over the number of tasks trained on before; 0 is from scratch.

    There is a curve for each agent and number of demonstrations of the new task.
    """
    pools = {cell["name"]: len(cell["envs"]) for cell in cells if cell["kind"] == "multi"}
    started = [cell for cell in cells if cell["start"] is not None]
    new = {env for cell in started for env in cell["envs"]}
    groups: dict[str, dict[int, list[Record]]] = {}
    for cell in cells:
        if cell["start"] in pools or (cell["kind"] == "single" and set(cell["envs"]) <= new):
            rows = [row for _, row in _rows(cell, ["seen"])]
            name = f"{cell['agent']}, {_count(cell['demos'])}"
            groups.setdefault(name, {}).setdefault(pools.get(cell["start"], 0), []).extend(rows)
    return _curves(groups)


def _curves(groups: Mapping[str, Mapping[int, Sequence[Record]]]) -> Curves:
    """Means over tasks, the same ones at each point; a single point is no curve."""
    curves = {}
    for name, points in groups.items():
        measured: dict[str, set[int]] = {}  # where each task is
        for x, rows in points.items():
            for row in rows:
                measured.setdefault(row["env"], set()).add(x)
        most = max(measured.values(), key=len, default=set())
        tasks = [env for env, where in measured.items() if where >= most]
        if len(most) > 1:
            curves[name] = {
                x: _mean([row for row in points[x] if row["env"] in tasks]) for x in sorted(most)
            }
    return curves


def _mean(rows: Sequence[Record]) -> tuple[float, float]:
    """Mean success, and its standard error from the episodes of these very tasks."""
    rates = [(row["success"], row["episodes"]) for row in rows]
    variance = sum(p * (1 - p) / n for p, n in rates) / len(rates) ** 2
    return sum(p for p, _ in rates) / len(rates), math.sqrt(variance)


def _draw(curves: Curves, label: str, logarithmic: bool, path: Path) -> bool:
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
    axes.set(xlabel=label, ylabel="mean success", ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)  # where it hides no curve
    with disk_errors(path):
        figure.savefig(path, dpi=120)
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m agents.benchmark.tables`."""
    parser = argparse.ArgumentParser(
        prog="python -m agents.benchmark.tables",
        description="Markdown tables of benchmarks' results.",
    )
    parser.add_argument("results", nargs="+", type=Path, metavar="FILE", help="a results.json")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw plots into this folder")
    options = parser.parse_args(arguments)
    try:
        for results in load(options.results):
            print(markdown(results))
            if options.plots is not None:
                with disk_errors(options.plots):
                    options.plots.mkdir(parents=True, exist_ok=True)
                plot(results, options.plots)
    except AgentsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
