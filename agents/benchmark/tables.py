"""`python -m agents tables`: results of benchmarks as Markdown tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from jinja2 import Environment, FileSystemLoader
from tyro.conf import Positional

from agents.benchmark.plots import Record, demos_label, plot, policy_label, results_of
from agents.errors import AgentsError
from gensim_envs.errors import FileError
from gensim_envs.printing import printable
from gensim_envs.utils.decode import DecodeError, Line, Range, Size, Using, decode, read
from gensim_envs.utils.statistics import paired_difference

_MOST = 2**20  # characters of the tables of one suite

SPLITS = ("seen", "unseen")
"""Conditions of the main table; the others are perturbations."""


def _with(kind: type) -> Using:
    """Reads an object, which stays as it is, that has at least the fields of a dataclass.

    The field for the key `return`, which Python reserves, is `return_`.
    """

    def check(data: Any) -> Any:
        decode(kind, {each.name: data[each.name.rstrip("_")] for each in fields(kind)})
        return data

    return Using(check)


_Line = Annotated[str, Line()]
_Share = Annotated[float, Range(0, 1)]


_Count = Annotated[int, Range(0, 10**9)]


@dataclass(frozen=True)
class _Paired:
    """Numbers of episodes that were solved with and without a perturbation."""

    both: _Count
    gained: _Count
    lost: _Count
    neither: _Count

    def __post_init__(self) -> None:
        if not (self.both or self.gained or self.lost or self.neither):
            raise DecodeError("paired has no episodes")


@dataclass(frozen=True)
class _Result:
    """What tables and plots show of the result on one task."""

    env: _Line
    success: _Share
    success_interval: Annotated[list[_Share], Size(2, 2)]
    return_: Annotated[float, Range(-100, 100)]
    episodes: Annotated[int, Range(1, 10**9)]
    paired: _Paired | None


@dataclass(frozen=True)
class _Condition:
    """What they show of the results under one condition."""

    results: list[Annotated[Any, _with(_Result)]]
    seeds: list[Annotated[int, Range(0, 2**62)]]


@dataclass(frozen=True)
class _Machine:
    """What they show of a machine."""

    cpu: _Line | None
    cores: int | None
    gpu: _Line | None


@dataclass(frozen=True)
class _Seconds:
    """What they show of the times of an experiment."""

    train: float | None
    evaluate: float


@dataclass(frozen=True)
class _Experiment:
    """What they show of an experiment."""

    name: _Line
    kind: _Line
    policy: _Line
    envs: Annotated[list[_Line], Size(1, 1000)]
    pool: _Line | None
    demos: int | None
    start: _Line | None
    group: _Line | None
    seed: int
    commands: list[_Line]
    seconds: Annotated[Any, _with(_Seconds)]
    machine: Annotated[Any, _with(_Machine)]
    versions: dict[str, _Line]
    conditions: dict[str, Annotated[Any, _with(_Condition)]]
    variant: _Line | None
    pool_demos: int | None

    def __post_init__(self) -> None:
        decode(list[_Line], [*self.versions, *self.conditions])
        if self.kind in ("few-shot", "zero-shot") and None in (self.start, self.pool_demos):
            raise DecodeError(f"{self.kind} needs start and pool_demos")


@dataclass(frozen=True)
class _Failed:
    """An experiment that failed."""

    name: _Line
    error: str


@dataclass(frozen=True)
class _Results:
    """What a results.json holds; `total` is the number of experiments of the suite."""

    suite: _Line
    version: int
    purpose: _Line
    sha256: _Line
    total: Annotated[int, Range(0, 10**9)]
    experiments: list[Annotated[Any, _with(_Experiment)]]
    failed: list[_Failed]


def tables(results: Positional[tuple[Path, ...]], plots: Path | None = None) -> None:
    """Print the results of benchmarks as Markdown tables.

    Args:
        results: files results.json; those of one suite and version are joined.
        plots: draw plots into this folder.
    """
    if not results:
        raise AgentsError("give one or more files results.json of a benchmark")
    for each in load(results):
        print(printable(markdown(each), _MOST, lines=True))
        if plots is not None:
            plot(each, plots)


def load(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Results by suite; those of one suite and version are joined.

    Raises:
        AgentsError: if a file holds no results, two of one suite are of different versions, or an
            experiment occurs twice with different results.
    """
    suites: dict[str, dict[str, Any]] = {}
    for path in paths:
        try:
            data = read(path, dict[str, Any])
            found = decode(_Results, {each.name: data[each.name] for each in fields(_Results)})
        except (FileError, DecodeError, KeyError) as error:
            problem = f"it has no {error}" if isinstance(error, KeyError) else error
            raise AgentsError(f"{path} is not a results.json of a benchmark: {problem}") from error
        name, sha256, experiments = found.suite, found.sha256, found.experiments
        suite = suites.setdefault(name, {**data, "experiments": []})
        if suite["sha256"] != sha256:
            raise AgentsError(f"{path} is of another version of suite {name!r} than earlier files")
        known = {each["name"]: each for each in suite["experiments"]}
        for each in experiments:
            if known.setdefault(each["name"], each) != each:
                raise AgentsError(
                    f"{path} has other results of {each['name']} than an earlier file; omit one"
                )
        suite["experiments"] = list(known.values())
    return list(suites.values())


def markdown(results: Record, plots: Sequence[str] = ()) -> str:
    """All tables of one suite.

    Args:
        results: the content of a results.json.
        plots: file names of plots to show.
    """
    experiments = results["experiments"]
    evaluated = [each for each in experiments if each["conditions"]]
    kinds: dict[str, list[Record]] = {}
    for each in experiments:
        kinds.setdefault(label(each), []).append(each)
    text = _TEMPLATE.render(
        results, plots=plots, kinds=kinds,
        success=_success_table(evaluated), perturbations=_perturbation_table(evaluated),
        differences=_difference_table(evaluated),
        several_seeds=len({each["seed"] for each in evaluated}) > 1,
        machines=list(dict.fromkeys(map(_machine, experiments))),
        commands=[line for each in kinds.values() for line in each[0]["commands"]],
    )  # fmt: skip
    return text.rstrip() + "\n"


def label(experiment: Record) -> str:
    """The policy of an experiment and its training, without the task of its evaluation."""
    demos, parts = experiment["demos"], [policy_label(experiment)]
    if experiment["kind"] in ("few-shot", "zero-shot"):
        before = f"pretrained on {experiment['pool']} ({experiment['pool_demos']} demos per task)"
        parts += [before, demos_label(demos)]
    elif experiment["kind"] == "multi":
        parts += [f"multi-task on {experiment['pool']}", f"{demos_label(demos)} per task"]
    elif demos is not None:
        parts += [demos_label(demos)]
    return ", ".join(parts)


def _success_table(experiments: Sequence[Record]) -> str:
    """Policies by tasks, or tasks by policies if there are more tasks."""
    found = _by_seed(experiments, SPLITS)
    policies, tasks = (list(dict.fromkeys(key[k] for key in found)) for k in (0, 1))
    entries = {
        (policy, _column(_short(task), condition)): _entry(results)
        for (policy, task, condition), results in found.items()
    }
    columns = [_column(_short(task), condition) for task in tasks for condition in SPLITS]
    for name, group in _groups(experiments).items():
        for condition in SPLITS:
            evaluated = {t for _, t, other in found if other == condition and t in group}
            for policy in policies if len(evaluated) > 1 else ():
                of_tasks = [found.get((policy, task, condition), {}) for task in evaluated]
                # Means over other tasks could not be compared.
                if same := set.intersection(*(set(each) for each in of_tasks)):
                    entry = _means([[each[seed] for each in of_tasks] for seed in sorted(same)])
                    entries[policy, _column(name, condition)] = entry
            columns.append(_column(name, condition))
    columns = [each for each in columns if any((policy, each) in entries for policy in policies)]
    if len(tasks) > len(policies):
        return _table("task", columns, policies, lambda row, name: entries.get((name, row), ""))
    return _table("policy", policies, columns, lambda name, col: entries.get((name, col), ""))


def _by_seed(
    experiments: Iterable[Record], conditions: Sequence[str]
) -> dict[tuple[str, str, str], dict[int, Record]]:
    """The results of each training seed, by label, task and condition."""
    found: dict[tuple[str, str, str], dict[int, Record]] = {}
    for each in experiments:
        for condition, result in results_of(each, conditions):
            found.setdefault((label(each), result["env"], condition), {})[each["seed"]] = result
    return found


def _groups(experiments: Sequence[Record]) -> dict[str, set[str]]:
    """The tasks of which there are means: those of each of several task lists, and all."""
    lists: dict[str, set[str]] = {}
    for each in experiments:
        lists.setdefault(each["group"] or "", set()).update(each["envs"])
    every = set().union(*lists.values())
    named = {f"mean, {name}": tasks for name, tasks in lists.items() if name}
    return {name: tasks for name, tasks in named.items() if tasks != every} | {"mean": every}


def _means(seeds: Sequence[Sequence[Record]]) -> str:
    """Mean success and return of each training seed's tasks, and the range of the seeds."""
    each_seed = [_mean(results, "success") for results in seeds]
    mean_return = _mean([result for results in seeds for result in results], "return")
    between = f" ({min(each_seed):.1f}-{max(each_seed):.1f})" if len(seeds) > 1 else ""
    return f"{math.fsum(each_seed) / len(seeds):.1f}{between}, {mean_return:.1f}"


def _mean(results: Sequence[Record], key: str) -> float:
    return 100 * math.fsum(each[key] for each in results) / len(results)  # in any order


def _column(task: str, condition: str) -> str:
    return task if condition == "seen" else f"{task}, {condition}"


def _perturbation_table(experiments: Sequence[Record]) -> str:
    conditions = dict.fromkeys(name for each in experiments for name in each["conditions"])
    others = [name for name in conditions if name not in SPLITS]
    if not others:
        return ""
    perturbed = [each for each in experiments if set(each["conditions"]) & set(others)]
    entries = {
        (f"{policy}: {_short(env)}", condition): _entry(results)
        for (policy, env, condition), results in _by_seed(perturbed, ["seen", *others]).items()
    }
    rows = list(dict.fromkeys(row for row, _ in entries))
    return _table("policy", rows, ["seen", *others], lambda row, c: entries.get((row, c), ""))


def _difference_table(experiments: Sequence[Record]) -> str:
    conditions = list(dict.fromkeys(name for each in experiments for name in each["conditions"]))
    entries = {
        (f"{policy}: {_short(env)}", condition): _difference(pairs)
        for (policy, env, condition), results in _by_seed(experiments, conditions).items()
        if all(pairs := [each["paired"] for each in results.values()])
    }
    rows, columns = (list(dict.fromkeys(key[k] for key in entries)) for k in (0, 1))
    return _table("policy", rows, columns, lambda row, c: entries.get((row, c), "")) if rows else ""


def _table(
    corner: str, rows: Sequence[str], columns: Sequence[str], entry: Callable[[str, str], str]
) -> str:
    lines = [[corner, *columns], ["---"] * (len(columns) + 1)]
    lines += [[row, *(entry(row, column) for column in columns)] for row in rows]
    escaped = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in escaped)


def _entry(seeds: Mapping[int, Record]) -> str:
    """Success with its interval, or the range of several training seeds, and the return."""
    results = list(seeds.values())
    low, high = results[0]["success_interval"]
    if len(results) > 1:
        low, high = (limit(each["success"] for each in results) for limit in (min, max))
    success, mean_return = (_mean(results, key) for key in ("success", "return"))
    return f"{success:.0f} ({100 * low:.0f}-{100 * high:.0f}), {mean_return:.0f}"


def _difference(seeds: Sequence[Mapping[str, int]]) -> str:
    """The difference of success, in points, of the episodes of all seeds."""
    counts = {key: sum(each[key] for each in seeds) for key in seeds[0]}
    change = (counts["gained"] - counts["lost"]) / sum(counts.values())
    low, high = paired_difference(**counts)
    return "{:+d} ({:+d} to {:+d})".format(*(round(100 * x) for x in (change, low, high)))


def _short(env: str) -> str:
    return env.removeprefix("gensim/")


def _seconds(experiments: Iterable[Record], what: str) -> str:
    taken = [each["seconds"][what] for each in experiments]
    known = [seconds for seconds in taken if seconds is not None]
    return f"{statistics.median(known):.0f}" if known else ""


def _seeds(experiments: Iterable[Record]) -> str:
    return ", ".join(map(str, sorted({each["seed"] for each in experiments})))


def _test_seeds(experiments: Iterable[Record]) -> str:
    conditions = [found for each in experiments for found in each["conditions"].values()]
    seeds = [seed for each in conditions for seed in each["seeds"]]
    return f"{min(seeds)}..{max(seeds)}" if seeds else ""


def _machines(experiments: Iterable[Record], known: Sequence[str]) -> str:
    numbers = sorted({known.index(_machine(each)) + 1 for each in experiments})
    return ", ".join(map(str, numbers))


def _machine(experiment: Record) -> str:
    machine = experiment["machine"]
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    versions = ", ".join(f"{name} {each}" for name, each in experiment["versions"].items())
    return f"{machine['cpu']}, {machine['cores']} cores{gpu}; {versions}"


_environment = Environment(loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True)
_environment.filters |= {
    "seeds": _seeds, "test_seeds": _test_seeds, "seconds": _seconds, "machines": _machines,
}  # fmt: skip
_TEMPLATE = _environment.get_template("results.md.jinja")
