"""What a benchmark's processes do: make demonstrations, train and evaluate one cell."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.benchmark.suites import Cell, Suite, Track
from agents.data.collect import collect
from agents.errors import AgentsError
from agents.evaluation import report
from agents.evaluation.evaluate import evaluate
from agents.evaluation.rollout import BASELINES, Player
from agents.files import disk_errors
from agents.policies.base import REINFORCED, learner_class
from agents.training import checkpoint, dagger
from gensim_envs.seeds import TEST

CELL, LOG = "cell.json", "log.txt"


@dataclass(frozen=True)
class MakeDemos:
    """Makes demonstrations, unless they are there.

    Attributes:
        path: folder of the datasets.
        envs: the tasks. State vectors are padded to what all of them need.
        obs_mode: of their observations.
        episodes: of each task.
        perturb: what is randomised in each episode.
    """

    path: Path
    envs: tuple[str, ...]
    obs_mode: str
    episodes: int
    perturb: tuple[str, ...]

    def __call__(self) -> None:
        """Do it."""
        collect(
            self.envs, self.episodes, self.path, obs_mode=self.obs_mode, workers=1,
            perturb=self.perturb,
        )  # fmt: skip


@dataclass(frozen=True)
class RunCell:
    """Trains and evaluates a cell and writes its cell.json; goes on where it was ended.

    Attributes:
        cell: what to do.
        suite: to which it belongs.
        episodes: of each task and track.
        demos: folder of the datasets on which it is trained; None where it needs none.
        out: folder of the benchmark, absolute.
    """

    cell: Cell
    suite: Suite
    episodes: int
    demos: Path | None
    out: Path

    @property
    def folder(self) -> Path:
        """Where the cell is."""
        return self.out / "cells" / self.cell.name

    @property
    def policy(self) -> Path | None:
        """Checkpoint of the policy that is tested; None for an agent that needs no training."""
        if self.cell.agent in BASELINES:
            return None
        if self.cell.kind == "zero-shot":
            return self.out / "cells" / str(self.cell.start) / "run"
        return self.folder / "run"

    def finished(self) -> dict[str, Any] | None:
        """What came of it, if it is done."""
        if not (self.folder / CELL).exists():
            return None
        found = checkpoint.load_json(self.folder / CELL)
        return found if found["episodes"] == self.episodes else None

    def __call__(self) -> None:
        """Do what is left to do."""
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        train = self.command()
        seconds = _train(train, self.folder) if train else None
        reports = dict(self._evaluations())
        tracks = {track.name: _track(track, reports) for track in self.cell.tracks}
        cell = self.cell
        checkpoint.save_json(self.folder / CELL, {
            "name": cell.name, "kind": cell.kind, "agent": cell.agent, "envs": list(cell.envs),
            "pool": cell.pool, "demos": cell.demos, "start": cell.start, "options": cell.options,
            "episodes": self.episodes, "seed": self.suite.seed,
            "commands": [self._shown(train)] if train else [],
            "seconds": {
                "train": seconds,
                "evaluate": sum(each["seconds"] for each in reports.values()),
            },
            "machine": _machine(), "versions": report.versions(), "tracks": tracks,
        })  # fmt: skip

    def command(self) -> list[str]:
        """Arguments of `python -m agents`; none where there is nothing to train."""
        cell = self.cell
        if self.policy != self.folder / "run":
            return []
        options = {"agent": cell.agent, "env": cell.envs, "seed": self.suite.seed, **cell.options,
                   "out": self.folder / "run"}  # fmt: skip
        if cell.agent not in REINFORCED:  # which take one thread in any case
            options |= {"threads": self.suite.threads, "workers": 1}
        if cell.demos is not None:
            options |= {"demos": cell.demos, "data": self.demos}
            options.pop("perturb", None)  # demonstrations are made so
        if cell.start is not None:
            options["start-from"] = self.out / "cells" / cell.start / "run"
        return ["train", *(part for name, value in options.items() for part in _flag(name, value))]

    def _shown(self, command: Sequence[str]) -> str:
        """A command as tables show it: the benchmark's folder is DIR."""
        folder = f"{self.out}/"
        parts = (f"DIR/{p.removeprefix(folder)}" if p.startswith(folder) else p for p in command)
        return f"python -m agents {shlex.join(parts)}"

    def _evaluations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Evaluation reports by perturbation; one report holds seen and unseen colours."""
        by_perturbation: dict[str, list[Track]] = {}
        for track in self.cell.tracks:
            by_perturbation.setdefault(_key(track), []).append(track)
        for key, tracks in by_perturbation.items():
            name = "-".join(track.name.replace(" ", "_") for track in tracks)
            path = self.folder / f"evaluation-{name}-{self.episodes}.json"
            if not path.exists():
                made = evaluate(
                    Player("" if self.policy else self.cell.agent, self.policy),
                    self.cell.envs,
                    seeds=list(TEST[: self.episodes]),
                    splits=[track.split for track in tracks],
                    perturb=tracks[0].perturb,
                    workers=1,
                )  # fmt: skip
                report.write(path, made)
            yield key, checkpoint.load_json(path)


def _key(track: Track) -> str:
    return json.dumps(track.perturb, sort_keys=True)


def _track(track: Track, reports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a report says about one track, without its single episodes."""
    made = reports[_key(track)]
    rows = [
        {key: value for key, value in row.items() if key != "outcomes"}
        for row in made["rows"]
        if row["split"] == track.split
    ]
    left_out = [each for each in made["left_out"] if each["split"] == track.split]
    return {"seeds": [made["seeds"][0], made["seeds"][-1]], "rows": rows, "left_out": left_out}


def _flag(name: str, value: Any) -> list[str]:
    """An option of the command line; a name and value as they are in a suite's `options`."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    many = value if isinstance(value, (list, tuple)) else [value]
    return [f"--{name}", *map(str, many)]


def _train(command: Sequence[str], folder: Path) -> float:
    """Train, and tell how many seconds it took.

    Of attempts that were ended, the time until their last checkpoint counts: what came after is
    done again.
    """
    from agents.__main__ import main

    path, before = folder / "attempt.json", 0.0
    if path.exists():
        earlier = checkpoint.load_json(path)
        saved = [each.stat().st_mtime for each in (folder / "run").rglob("*.safetensors")]
        before = earlier["before"] + max(0.0, max(saved, default=0.0) - earlier["began"])
    began = time.time()
    checkpoint.save_json(path, {"began": began, "before": before})
    try:
        code: object = main(list(command))
    except SystemExit as error:  # of argparse
        code = error.code
    if code:
        raise AgentsError(_last_line(folder / LOG))
    described = checkpoint.load_json(folder / "run" / checkpoint.AGENT)
    # A run may have been brought here finished, from a machine that trains faster.
    elsewhere = float(described["training"].get("seconds", 0))
    return round(max(before + time.time() - began, elsewhere), 1)


def _last_line(log: Path) -> str:
    """What a command that failed has said."""
    sys.stderr.flush()
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "training failed")
    return said.removeprefix("agents: ")


def _machine() -> dict[str, Any]:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {**report.machine(), "gpu": gpu}


def demonstrated(cell: Cell) -> tuple[str, str, tuple[str, ...]]:
    """Tasks, obs_mode and perturbations of the demonstrations from which a cell's agent learns."""
    learner = cell.agent
    if learner == "dagger":
        learner = cell.options.get("dagger.learner", dagger.Options.learner)
    perturb = tuple(cell.options.get("perturb", ()))
    return cell.trained_on, learner_class(learner).obs_mode, perturb
