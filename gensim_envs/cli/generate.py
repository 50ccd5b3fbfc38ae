"""The command that lets a language model write tasks."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from gensim_envs.cli.shared import Folder, Price, open_library, warn
from gensim_envs.generation.conversation import TEMPERATURES
from gensim_envs.generation.embed import embedder
from gensim_envs.generation.providers import Budget, Provider, Stopped
from gensim_envs.generation.providers.exchange import FilesProvider
from gensim_envs.generation.providers.replay import ReplayProvider
from gensim_envs.generation.providers.server import ANSWER_TOKENS, OpenAIProvider
from gensim_envs.generation.publish import check_guard
from gensim_envs.generation.recording import Prompt, Recording, Scheme, Settings
from gensim_envs.generation.run import INTERRUPTED, Result, Run
from gensim_envs.generation.watch import Watch
from gensim_envs.library import Library, shipped
from gensim_envs.printing import printable
from gensim_envs.utils import files
from gensim_envs.utils.answers import loads
from gensim_envs.utils.cli import (
    Natural,
    OptionalPositive,
    Positive,
    Seed,
    UsageError,
    Workers,
    number,
    value,
)

SHIPPED_RECORDING = "generated/recording"
_COUNT = 20  # attempts


def _temperature(text: str) -> tuple[str, float]:
    query, _, given = text.partition("=")
    with contextlib.suppress(ValueError):
        if query in TEMPERATURES:
            return query, number(given, lambda n: 0 <= n <= 2, "a temperature")
    queries = ", ".join(TEMPERATURES)
    raise ValueError(f"{text!r} is not QUERY=T with T from 0 to 2 and a query of {queries}")


def _extra_body(text: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        if isinstance(found := loads(text), dict):
            return found
    raise ValueError(f"{text!r:.80} is not a JSON object")


ExtraBody = Annotated[dict[str, Any] | None, value(_extra_body, "JSON")]
Temperatures = Annotated[tuple[tuple[str, float], ...], value(_temperature, "QUERY=T", many=True)]


@dataclass(frozen=True)
class GenerateConfig:
    """Options of a run.

    Attributes:
        provider: openai queries a server, replay reads a recording, files waits for answers that
            you write.
        model: name of the model on the server; with --provider files, the author to record.
        base_url: URL of an OpenAI-compatible server; by default OPENAI_BASE_URL.
        recording: folder of the recording to replay; by default that of the shipped library.
        count: number of attempts at a task; by default 20, or those of the recording.
        scheme: prompting schemes; several are run on separate libraries and compared in a report.
        target: the skill that the tasks should lead to.
        curriculum: number of steps towards the target to plan first; by default none.
        window: number of attempts in flight; attempt k sees the library after attempt k - window.
        rounds: maximum number of repairs of a refused program.
        critics: number of critics that vote on a finished task.
        seed: seed of the sample of the library that prompts show.
        embedder: how descriptions are compared: auto, minilm, tfidf or openai:MODEL.
        temperature: sampling temperatures of queries, such as propose=0.9.
        max_calls: end the run after this many calls.
        max_tokens_total: end the run after this many tokens of prompts and answers.
        max_answer_tokens: limit on an answer, which reasoning counts towards.
        prompt: full; slim, whose API reference contains only the assets that a proposal uses, for
            models with a context of 4,096 tokens; or short, with signatures and the most similar
            task's program, for a model that was tuned on `gensim export --prompt short`.
        stream: whether to ask for streamed answers.
        extra_body: JSON object of further parameters for the server, such as
            '{"reasoning_effort": "low"}'.
        timeout: seconds of silence after which a call is tried again. For a slow server, or one
            that answers one request at a time, use a longer one with --window 1.
        retry_api: when a run is resumed, make the attempts again that a failed call has ended.
        run: folder of the run; by default runs/<model>-<number>. An existing run is resumed with
            its own settings.
        record: folder for a copy of the run that can be replayed.
        weak_sandbox: run programs even if this machine cannot isolate them.
    """

    provider: Literal["openai", "replay", "files"] = "openai"
    model: str = ""
    base_url: str | None = None
    recording: Annotated[Path | None, arg(metavar="DIR")] = None
    count: OptionalPositive = None
    scheme: tuple[Scheme, ...] = ("chain",)
    target: str = ""
    curriculum: Natural = 0
    window: Positive = 8
    rounds: Natural = 3
    critics: Natural = 3
    seed: Seed = 0
    embedder: str = "auto"
    temperature: Temperatures = ()
    max_calls: OptionalPositive = None
    max_tokens_total: OptionalPositive = None
    price: Price = None
    timeout: Positive = 120
    max_answer_tokens: Positive = ANSWER_TOKENS
    prompt: Prompt = "full"
    stream: bool = True
    extra_body: ExtraBody = None
    retry_api: bool = False
    run: Annotated[Path | None, arg(metavar="DIR")] = None
    record: Annotated[Path | None, arg(metavar="DIR")] = None
    weak_sandbox: bool = False
    workers: Workers = None


def generate(config: GenerateConfig, *, library: Folder = None) -> int:
    """Let a language model write tasks into a library."""
    if config.curriculum and not config.target:
        raise UsageError("--curriculum plans steps towards a target; give --target as well")
    if not config.scheme:
        raise UsageError("--scheme needs at least one scheme")
    if len(config.scheme) > 1 and (config.provider == "replay" or config.record):
        raise UsageError("several schemes cannot be combined with replay or --record")
    check_guard(config.weak_sandbox)
    opened = open_library(library, write=True)
    folder = config.run or _free_folder(config.model or config.provider)
    if len(config.scheme) > 1:
        return _compare(config, opened, folder)
    result = _run(config, config.scheme[0], opened, folder)
    if config.record:
        _copy(folder, config.record)
    return _report(result, folder, f"--run {folder}")


def _compare(config: GenerateConfig, library: Library, folder: Path) -> int:
    """Run every scheme from the same library, and write one report."""
    from gensim_envs.pages.report import write_report

    code = 0
    again = f"--run {folder} --scheme {' '.join(config.scheme)}"
    for scheme in config.scheme:
        own = Library(folder / scheme / "library")
        if library.registry.exists() and not own.registry.exists():
            files.copy(library.root / "generated", own.root / "generated")
            files.write(own.registry, files.read(library.registry))
        print(f"{scheme}:")
        result = _run(config, scheme, own, folder / scheme)
        code = max(code, _report(result, folder / scheme, again))
        if result.ended == INTERRUPTED:
            return code
    folders = [folder / scheme for scheme in config.scheme]
    page = write_report(folders, folder, weak_sandbox=config.weak_sandbox)
    print(f"wrote {page}")
    return code


def _run(config: GenerateConfig, scheme: Scheme, library: Library, folder: Path) -> Result:
    stop = threading.Event()
    budget = Budget(config.max_calls, config.max_tokens_total, config.price or (0.0, 0.0))
    with Watch(budget) as watch:
        resumed = Recording(folder).settings if (folder / "run.json").exists() else None
        provider = _provider(config, resumed, folder, budget, stop, watch)
        settings = resumed or _settings(config, scheme, provider)
        server = provider if isinstance(provider, OpenAIProvider) else None
        chosen = embedder(settings.embedder, server)
        settings = replace(settings, embedder=chosen.name)
        run = Run(
            folder, settings, library, provider, chosen, watch, stop, config.workers,
            again=config.retry_api,
            weak_sandbox=config.weak_sandbox,
        )  # fmt: skip
        watch.expect(settings.count)
        result = run.go()
    if budget.calls:
        print(budget, flush=True)
    changed = [f"{v.attempt:04d}/{name}" for v in result.verdicts for name in v.changed]
    if changed:
        said = f"{len(changed)} prompts differ from the recording; the first is {changed[0]}"
        print(printable(said))
    return result


def _provider(
    config: GenerateConfig, resumed: Settings | None, folder: Path, budget: Budget,
    stop: threading.Event, watch: Watch,
) -> Provider:  # fmt: skip
    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped("stopped")

    model = config.model or (resumed.model if resumed else "")
    if config.provider == "replay":
        return ReplayProvider(_recording(config))
    if config.provider == "files":
        return FilesProvider(folder / "exchange", model or "a person", sleep=sleep, say=watch.line)
    if not model:
        raise UsageError("name the --model that writes the tasks")
    server = OpenAIProvider(
        model, budget, base_url=config.base_url, timeout=config.timeout, sleep=sleep,
        say=watch.line, answer_tokens=config.max_answer_tokens, stream=config.stream,
        extra=config.extra_body,
    )  # fmt: skip
    if resumed is None:
        server.check_model()
    return server


def _recording(config: GenerateConfig) -> Recording:
    root = config.recording or shipped().root / SHIPPED_RECORDING
    if config.recording is None and not root.exists():
        raise UsageError("only a checkout has the shipped recording; use --recording DIR")
    return Recording(root)


def _settings(config: GenerateConfig, scheme: Scheme, provider: Provider) -> Settings:
    """Settings of a new run."""
    name = secrets.token_hex(6)
    if config.provider == "replay":
        recorded = _recording(config).settings
        return replace(recorded, run=name, count=config.count or recorded.count)
    return Settings(
        name, provider.model, scheme, config.count or _COUNT, config.window, config.rounds,
        config.critics, config.seed, config.embedder, config.target, config.curriculum,
        dict(config.temperature) or None, config.prompt,
    )  # fmt: skip


def _report(result: Result, folder: Path, again: str) -> int:
    """Print how a run ended; returns the exit code of the command."""
    accepted = len(result.accepted)
    print(f"{accepted} of {len(result.verdicts)} attempts were accepted; the run is in {folder}")
    if result.ended:
        warn(f"{result.ended}. Resume with {again}")
    return 0 if accepted and not result.ended else 1


def _copy(folder: Path, target: Path) -> None:
    """Copy the files of a run that `--provider replay` reads."""
    for name in ("attempts", "messages"):
        if (folder / name).is_dir():
            files.copy(folder / name, target / name)
    files.write(target / "run.json", files.read(folder / "run.json"))
    print(f"recorded in {target}")


def _free_folder(model: str) -> Path:
    name = "".join(c if c.isalnum() or c in ".-" else "-" for c in model) or "run"
    count = 1
    while os.path.lexists(f"runs/{name}-{count}"):
        count += 1
    return Path(f"runs/{name}-{count}")
