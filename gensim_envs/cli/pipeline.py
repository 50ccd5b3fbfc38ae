"""Commands of the pipeline: a language model writes tasks, and what became of them."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gensim_envs.cli.shared import (
    Command,
    UsageError,
    library_of,
    need,
    positive,
    price,
    seed,
    workers,
)
from gensim_envs.library import Library, LibraryError, shipped

if TYPE_CHECKING:
    from gensim_envs.generation.embed import Embedder
    from gensim_envs.generation.propose import Scheme
    from gensim_envs.generation.providers import Budget, Provider
    from gensim_envs.generation.run import Result
    from gensim_envs.generation.settings import Settings
    from gensim_envs.generation.watch import Watch

SCHEMES = ("chain", "few-shot", "zero-shot")
SHIPPED_RECORDING = "generated/recording"


def add_commands(command: Command) -> None:
    """Declare them."""
    sub = command("generate", _generate, "Let a language model write tasks into a library.")
    sub.add_argument("--provider", choices=("openai", "replay", "files"), default="openai",
                     help="a server, a recording, or a person who answers files")  # fmt: skip
    sub.add_argument("--model", help="as the server calls it; with files, who answers")
    sub.add_argument("--base-url", help="of an OpenAI-compatible server; else OPENAI_BASE_URL")
    sub.add_argument("--recording", type=Path, metavar="DIR",
                     help="what to replay; the shipped library's if not given")  # fmt: skip
    sub.add_argument("--count", type=positive, help="attempts at a task; 20 if not given")
    sub.add_argument("--scheme", nargs="+", choices=SCHEMES, default=["chain"],
                     help="several are run one after the other, each into a library of its own "
                          "below the run, and compared in one report")  # fmt: skip
    sub.add_argument("--target", default="", help="what the tasks are to do or lead to")
    sub.add_argument("--curriculum", type=positive, default=0, metavar="N",
                     help="plan N steps towards the target first")  # fmt: skip
    sub.add_argument("--window", type=positive, default=8,
                     help="attempts in flight; attempt k sees the library after k - "
                          "WINDOW")  # fmt: skip
    sub.add_argument("--rounds", type=seed, default=3, help="repairs of a refused program at most")
    sub.add_argument("--critics", type=seed, default=3, help="who vote on a finished task")
    sub.add_argument("--seed", type=seed, default=0, help="of what is shown of the library")
    sub.add_argument("--embedder", default="auto",
                     help="auto, minilm, tfidf or openai:MODEL")  # fmt: skip
    sub.add_argument("--temperature", type=_temperature, action="append", default=[],
                     metavar="STAGE=T",
                     help="for one stage; may be given several times")  # fmt: skip
    sub.add_argument("--max-calls", type=positive, help="ends the run")
    sub.add_argument(
        "--max-tokens-total", type=positive, help="of prompts and answers; ends the run"
    )
    sub.add_argument("--price", type=price, default=(0.0, 0.0), metavar="IN,OUT",
                     help="US dollars for a million tokens of prompts and of answers")  # fmt: skip
    sub.add_argument("--timeout", type=positive, default=120,
                     help="seconds of silence after which a call is tried again")  # fmt: skip
    sub.add_argument("--run", dest="folder", type=Path, metavar="DIR",
                     help="where to keep everything; runs/<model>-<number> if not given. A run "
                          "that is there is resumed with its own settings")  # fmt: skip
    sub.add_argument("--record", type=Path, metavar="DIR", help="keep a copy that replay reads")
    sub.add_argument("--weak-sandbox", action="store_true",
                     help="publish even where programs cannot be denied processes or "
                          "network")  # fmt: skip
    workers(sub)


def _temperature(text: str) -> tuple[str, float]:
    from gensim_envs.generation.conversation import TEMPERATURES

    stage, _, value = text.partition("=")
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if stage not in TEMPERATURES or not 0 <= found <= 2:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not STAGE=T with T from 0 to 2 and a stage of {', '.join(TEMPERATURES)}"
        )
    return stage, found


def _generate(options: argparse.Namespace) -> int:
    need("openai", "jinja2", "pydantic", "sklearn")
    from gensim_envs.generation.providers import ProviderError
    from gensim_envs.generation.publish import check_guard
    from gensim_envs.generation.recording import RecordingError

    if options.curriculum and not options.target:
        raise UsageError("--curriculum plans steps towards a target; say --target as well")
    if len(options.scheme) > 1 and (options.provider == "replay" or options.record):
        raise UsageError("several schemes are run afresh: no replay, no --record")
    check_guard(options.weak_sandbox)
    library = library_of(options, write=True)
    folder = options.folder or _free_folder(options.model or options.provider)
    try:
        if len(options.scheme) > 1:
            return _compare(options, library, folder)
        result = _run(options, options.scheme[0], library, folder)
    except (ProviderError, RecordingError) as error:
        raise UsageError(str(error)) from error
    if options.record:
        _copy(folder, options.record)
    return _ended(result, folder, f"--run {folder}")


def _compare(options: argparse.Namespace, library: Library, folder: Path) -> int:
    """Run every scheme from the same library, and write one report."""
    import shutil

    from gensim_envs.generation.run import INTERRUPTED
    from gensim_envs.pages.report.build import write_report

    code = 0
    again = f"--run {folder} --scheme {' '.join(options.scheme)}"
    for scheme in options.scheme:
        own = Library(folder / scheme / "library")
        if library.registry.exists() and not own.registry.exists():
            shutil.copytree(library.root / "generated", own.root / "generated", dirs_exist_ok=True)
            shutil.copy(library.registry, own.registry)
        print(f"{scheme}:")
        result = _run(options, scheme, own, folder / scheme)
        code = max(code, _ended(result, folder / scheme, again))
        if result.ended == INTERRUPTED:
            return code
    page = write_report([folder / scheme for scheme in options.scheme], folder)
    print(f"wrote {page}")
    return code


def _run(options: argparse.Namespace, scheme: Scheme, library: Library, folder: Path) -> Result:
    from gensim_envs.generation.providers import Budget
    from gensim_envs.generation.run import Run
    from gensim_envs.generation.watch import Watch

    stop = threading.Event()
    budget = Budget(options.max_calls, options.max_tokens_total, options.price)
    with Watch(budget) as watch:
        setup = _set_up(options, scheme, folder, budget, stop, watch)
        run = Run(
            folder, setup.settings, library, setup.provider, setup.embedder, watch, stop,
            options.workers,
        )  # fmt: skip
        watch.begin(setup.settings.count)
        result = run.go()
    changed = [f"{v.attempt:04d}/{name}" for v in result.verdicts for name in v.changed]
    if changed:
        print(f"{len(changed)} prompts are not those of the recording any more, the first of them "
              f"{changed[0]}")  # fmt: skip
    return result


class _Setup(NamedTuple):
    settings: Settings
    provider: Provider
    embedder: Embedder


def _set_up(
    options: argparse.Namespace, scheme: Scheme, folder: Path, budget: Budget,
    stop: threading.Event, watch: Watch,
) -> _Setup:  # fmt: skip
    """Provider, settings and embedder, of the options or of a run that is resumed."""
    from dataclasses import replace

    from gensim_envs.generation import providers as llm
    from gensim_envs.generation.embed import embedder
    from gensim_envs.generation.recording import Recording
    from gensim_envs.generation.settings import Settings

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise llm.Stopped("stopped")

    resumed = Settings.of(Recording(folder)) if (folder / "run.json").exists() else None
    model = options.model or (resumed.model if resumed else "")
    provider: Any
    if options.provider == "replay":
        recording = Recording(options.recording or shipped().root / SHIPPED_RECORDING)
        recorded = Settings.of(recording)
        provider = llm.ReplayProvider(recording)
        count = options.count or recorded.count
        settings = resumed or replace(recorded, run=secrets.token_hex(6), count=count)
    else:
        if options.provider == "files":
            model = model or "a person"
            provider = llm.FilesProvider(folder / "exchange", model, sleep=sleep, say=watch.say)
        else:
            if not model:
                raise UsageError("say which --model is to write tasks")
            provider = llm.OpenAIProvider(
                model, budget, base_url=options.base_url, timeout=options.timeout, sleep=sleep
            )
        settings = resumed or Settings(
            secrets.token_hex(6), model, scheme, options.count or 20, options.window,
            options.rounds, options.critics, options.seed, options.embedder, options.target,
            options.curriculum, dict(options.temperature) or None,
        )  # fmt: skip
    server = provider if isinstance(provider, llm.OpenAIProvider) else None
    chosen = embedder(settings.embedder, server)
    return _Setup(replace(settings, embedder=chosen.name), provider, chosen)


def _ended(result: Result, folder: Path, again: str) -> int:
    """Say how a run ended; the exit code of the command."""
    accepted = len(result.accepted)
    print(f"{accepted} of {len(result.verdicts)} attempts were accepted; all of it is in {folder}")
    if result.ended:
        print(f"gensim: {result.ended}. Resume with {again}", file=sys.stderr)
    return 0 if accepted and not result.ended else 1


def _copy(folder: Path, target: Path) -> None:
    """A recording of a run: what replay reads and what a reader wants to know, no more."""
    import shutil

    try:
        for name in ("attempts", "messages"):
            if (folder / name).is_dir():
                shutil.copytree(folder / name, target / name, dirs_exist_ok=True)
        shutil.copy(folder / "run.json", target / "run.json")
    except OSError as error:
        raise LibraryError(f"{target} cannot be written: {error}") from error
    print(f"recorded in {target}")


def _free_folder(model: str) -> Path:
    name = "".join(c if c.isalnum() or c in ".-" else "-" for c in model) or "run"
    number = 1
    while os.path.lexists(f"runs/{name}-{number}"):
        number += 1
    return Path(f"runs/{name}-{number}")
