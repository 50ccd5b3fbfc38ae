"""Frozen suites: the experiments of a benchmark, policies x tasks x numbers of demonstrations.

`suites.json` holds named lists of tasks and suites. A suite stores the sha256 of each task program
and of itself, so that two results of one suite and version are of the same experiments and tasks.
`python -m agents freeze` writes both after a suite was changed and its version raised.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from agents.errors import AgentsError
from gensim_envs.errors import files_as
from gensim_envs.seeds import TEST
from gensim_envs.utils import decode
from gensim_envs.utils.decode import Range, Size, Using

SUITES = Path(__file__).with_name("suites.json")

_Number = Annotated[int, Range(0, 10**9)]
_Numbers = Annotated[tuple[_Number, ...], Size(1, 1000)]


def _read_variant(text: Any) -> str:
    if not (isinstance(text, str) and re.fullmatch("[a-z]+( [a-z]+)*", text)):
        raise ValueError(f"expected words in lower case, found {text!r:.60}")
    return text


_Variant = Annotated[str, Using(_read_variant)]


@dataclass(frozen=True)
class TaskList:
    """A named list of tasks.

    Attributes:
        purpose: one line.
        tasks: ids.
    """

    purpose: str
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class SuiteFile:
    """What a file of suites holds."""

    lists: dict[str, TaskList]
    suites: list[dict[str, Any]]


@dataclass(frozen=True)
class _Condition:
    """See `Condition`."""

    split: Literal["train", "test"] = "train"
    perturb: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Start:
    """The experiment of the same policy that one starts from."""

    pool: str
    demos: _Number
    variant: _Variant | None = None


@dataclass(frozen=True)
class _Block:
    """Experiments: seeds x policies x tasks x numbers of demonstrations; see `Experiment`.

    Attributes:
        tasks: ids or the name of a list, for one policy each; else a pool is given.
        conditions: names.
        seeds: of training; by default that of the suite.
    """

    policies: tuple[str, ...]
    tasks: str | tuple[str, ...] | None = None
    pool: str | None = None
    demos: _Numbers | None = None
    start: _Start | None = None
    conditions: tuple[str, ...] = ("seen", "unseen")
    options: dict[str, Any] = field(default_factory=dict)
    seeds: _Numbers | None = None
    variant: _Variant | None = None


@dataclass(frozen=True)
class _Suite:
    """A suite as it is written; see `Suite`."""

    name: str
    version: _Number
    purpose: str
    episodes: Annotated[int, Range(1, len(TEST))]
    seed: _Number
    threads: _Number
    conditions: dict[str, _Condition]
    experiments: tuple[_Block, ...]
    programs: dict[str, str] = field(default_factory=dict)
    frozen: dict[str, Any] = field(default_factory=dict)


Lists = Mapping[str, TaskList]


@dataclass(frozen=True)
class Condition:
    """A condition under which a policy is evaluated.

    Attributes:
        name: column of the tables.
        split: "train" for seen colours, "test" for unseen ones.
        perturb: the value of `reset(options={"perturb": ...})`.
    """

    name: str
    split: str
    perturb: dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """One entry of a benchmark: a policy, how it is trained, and how it is evaluated.

    Attributes:
        name: of its folder; unique in the suite.
        policy: name of the policy.
        envs: tasks that it is trained and evaluated on; one, unless its kind is "multi".
        pool: name of the task list of multi-task training, of this experiment or its start.
        demos: demonstrations of each task; None for policies that need none, 0 to evaluate the
            experiment it starts from without further training.
        start: name of the experiment whose policy it starts from, which has the same seed.
        pool_demos: demonstrations of each task of the pool that the start was trained on.
        group: name of the task list that its task is from; tables show a mean of each.
        conditions: of its evaluation; without any, others only start from it.
        options: of training, where they differ from the defaults of the policy.
        seed: of training: of initial weights, batches and augmentation. Demonstrations are the
            same for all seeds.
        variant: what is special about its options, for tables and names; None for nothing.
    """

    name: str
    policy: str
    envs: tuple[str, ...]
    pool: str | None
    demos: int | None
    start: str | None
    pool_demos: int | None
    group: str | None
    conditions: tuple[Condition, ...]
    options: dict[str, Any]
    seed: int
    variant: str | None

    @property
    def kind(self) -> str:
        """single, multi, few-shot or zero-shot."""
        if self.start is not None:
            return "few-shot" if self.demos else "zero-shot"
        return "multi" if self.pool is not None else "single"

    @property
    def trained_on(self) -> str:
        """The name of its list of tasks or of its only task, for file names."""
        return self.pool if self.kind == "multi" and self.pool else _short(self.envs[0])


@dataclass(frozen=True)
class Suite:
    """A frozen benchmark.

    Attributes:
        name: for `--suite`.
        version: raised when anything about it changes.
        purpose: one line.
        episodes: test episodes of each task and condition.
        seed: of training, where a block of experiments states no `seeds`.
        threads: compute threads of each experiment; fixed, because rounding depends on it.
        experiments: in the order in which they run; each is after the one it starts from.
        programs: {task: sha256 of its program}.
        sha256: of all of this.
    """

    name: str
    version: int
    purpose: str
    episodes: int
    seed: int
    threads: int
    experiments: tuple[Experiment, ...]
    programs: dict[str, str]
    sha256: str


def task_list(name: str, path: Path = SUITES) -> tuple[str, ...]:
    """The tasks of a named list.

    Raises:
        AgentsError: if there is no such list.
    """
    return _listed(name, read(path).lists, str(path))


def suite(name: str, path: Path = SUITES) -> Suite:
    """A suite, as it was frozen.

    Raises:
        AgentsError: if there is none of this name, or it has changed since it was frozen.
    """
    data = read(path)
    found = {each.get("name"): each for each in data.suites}
    if name not in found:
        raise AgentsError(f"unknown suite {name!r}; choose one of {', '.join(map(str, found))}")
    made = parse(found[name], data.lists)
    frozen = found[name].get("frozen", {})
    if frozen != {"version": made.version, "sha256": made.sha256}:
        problem = "is not frozen"
        if frozen:
            problem = f"has version {made.version}, and version {frozen['version']} is frozen"
            if frozen["version"] == made.version:
                problem = f"has changed since version {made.version} was frozen; raise its version"
        raise AgentsError(
            f"suite {name!r} in {path} {problem}. Run python -m agents freeze --file {path}"
        )
    return made


@files_as(AgentsError)
def read(path: Path) -> SuiteFile:
    """The content of a file of suites.

    Raises:
        AgentsError: if it is malformed.
    """
    return decode.read(path, SuiteFile)


def parse(data: Mapping[str, Any], lists: Lists) -> Suite:
    """A suite from its JSON; its hash includes the tasks of its lists.

    Raises:
        AgentsError: naming what is wrong with it.
    """
    where = f"suite {data.get('name')!r}"
    try:
        written = decode.decode(_Suite, data)
    except decode.DecodeError as error:
        raise AgentsError(f"{where}: {error}") from error
    conditions = {
        name: Condition(name, each.split, each.perturb) for name, each in written.conditions.items()
    }
    experiments: dict[str, Experiment] = {}
    for number, block in enumerate(written.experiments, 1):
        for each in _experiments(
            block, lists, conditions, written.seed, f"{where}, block {number}"
        ):
            if each.name in experiments:
                raise AgentsError(f"{where} has two experiments {each.name!r}")
            if each.start is not None and each.start not in experiments:
                raise AgentsError(f"{where}: {each.name!r} starts from {each.start!r}, which is "
                                  "not an experiment before it")  # fmt: skip
            experiments[each.name] = each
    hashed = {key: value for key, value in data.items() if key != "frozen"}
    content = [hashed, [each.envs for each in experiments.values()]]
    return Suite(
        written.name, written.version, written.purpose, written.episodes, written.seed,
        written.threads, tuple(experiments.values()), written.programs,
        sha256=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
    )  # fmt: skip


def _experiments(
    block: _Block, lists: Lists, conditions: Mapping[str, Condition], seed: int, where: str
) -> Iterable[Experiment]:
    """The experiments of one block. Names state variants, and seeds other than the suite's."""
    start, pool, tasks = block.start, block.pool, block.tasks
    if (pool is None) == (tasks is None):
        raise AgentsError(f"{where} needs either tasks, one policy each, or a pool for one policy")
    for name in block.conditions:
        if name not in conditions:
            raise AgentsError(f"{where}: unknown condition {name!r}; use {', '.join(conditions)}")
    chosen = tuple(conditions[name] for name in block.conditions)
    group = tasks if isinstance(tasks, str) else None
    if start is None and 0 in (block.demos or ()):
        raise AgentsError(f"{where}: a policy without demonstrations needs one to start from")
    listed = _listed(pool or tasks or (), lists, where)
    groups = [listed] if pool else [(env,) for env in listed]
    for number, policy, envs, demos in itertools.product(
        block.seeds or (seed,), block.policies, groups, block.demos or (None,)
    ):
        other = None if number == seed else f"seed{number}"
        before, trained_on = None, pool or _short(envs[0])
        if start:
            before = _name(policy, start.pool, start.demos, start.variant, other)
            name = _name(before, trained_on, demos, block.variant)
        else:
            name = _name(policy, trained_on, demos, block.variant, other)
        yield Experiment(
            name, policy, envs, start.pool if start else pool, demos, before,
            start.demos if start else None, group, chosen, block.options, number, block.variant,
        )  # fmt: skip


def _listed(tasks: str | Sequence[str], lists: Lists, where: str) -> tuple[str, ...]:
    """The tasks of a list, or a sequence of tasks."""
    if not isinstance(tasks, str):
        return tuple(tasks)
    if tasks not in lists:
        raise AgentsError(f"{where}: unknown task list {tasks!r}; use {', '.join(lists)}")
    return lists[tasks].tasks


def _name(*parts: object) -> str:
    return "-".join(str(part).replace(" ", "_") for part in parts if part is not None)


def _short(env: str) -> str:
    return env.removeprefix("gensim/").replace("/", "_")
