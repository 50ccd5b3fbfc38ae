"""`python -m agents evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from agents.errors import AgentsError
from agents.evaluation import results
from agents.evaluation.evaluate import PERTURBATIONS
from agents.evaluation.evaluate import evaluate as run_evaluation
from agents.ranges import Checked
from agents.suites import task_list
from gensim_envs.seeds import TEST
from gensim_envs.utils import cli, files
from gensim_envs.utils.decode import Range

PRETRAINED = Path(__file__).parents[1] / "pretrained" / "transporter"
"""The checkpoint that is evaluated by default."""


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(Checked):
    """Options of `python -m agents evaluate`."""

    option_prefix = ""

    checkpoint: Path | None = None
    """Folder of a trained policy; by default agents/pretrained/transporter."""
    policy: str | None = None
    """A policy that needs no training: oracle, random or noop."""
    env: Annotated[tuple[str, ...], arg(metavar="ID ...")] = ()
    """Tasks; by default those that the policy was trained on."""
    tasks: str | None = None
    """A list of tasks in suites.json."""
    episodes: Annotated[int, Range(1, len(TEST))] = 100
    """Episodes of each task and split."""
    split: tuple[Literal["train", "test"], ...] = ("train",)
    """train shows the colours, shapes and objects of training, test unseen ones."""
    perturb: tuple[Literal[tuple(PERTURBATIONS)], ...] = ()  # type: ignore[valid-type]
    """Perturbations of each episode."""
    workers: cli.Workers = None
    json: Path | None = None
    """Write the report to this file."""
    videos: Path | None = None
    """Write videos of failed episodes into this folder."""
    max_videos: cli.Natural = 5
    """Number of videos."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for one, other in (("checkpoint", "policy"), ("env", "tasks")):
            if getattr(self, one) and getattr(self, other):
                raise AgentsError(f"--{one} and --{other} exclude each other; give one of them")
        told = dict.fromkeys(each for each in self.perturb if "instruction" in PERTURBATIONS[each])
        if len(told) > 1:
            raise AgentsError(f"--perturb {' '.join(told)} exclude each other; give one of them")


def evaluate(config: EvaluateConfig) -> None:
    """Play episodes over fixed test seeds and report success."""
    envs = task_list(config.tasks) if config.tasks else config.env
    with nullcontext() if config.json is None else _made(config.json):
        _evaluate(config, envs)


@contextmanager
def _made(path: Path) -> Iterator[None]:
    """Create a file before long work, which shows that it can be written; delete it on errors."""
    existed = path.exists()
    files.append(path, b"")
    try:
        yield
    except BaseException:
        if not existed:
            files.remove(path)
        raise


def _evaluate(config: EvaluateConfig, envs: Sequence[str]) -> None:
    result = run_evaluation(
        config.policy or config.checkpoint or PRETRAINED,
        envs,
        seeds=list(TEST[: config.episodes]),
        splits=config.split,
        perturb={k: v for each in config.perturb for k, v in PERTURBATIONS[each].items()},
        workers=config.workers,
        videos=config.videos,
        max_videos=config.max_videos,
    )
    result["command"] = " ".join(["python -m agents", *sys.argv[1:]])
    print(results.table(result))
    if config.json is not None:
        results.write(config.json, result)
        print(f"wrote {config.json}", file=sys.stderr)
