"""Let a model write the held-out tasks of `gensim export`, and judge what it writes.

    gensim export --prompt short --out data
    python scripts/write_held_out.py --data data --url http://127.0.0.1:8080/v1 --out answers.jsonl

Every answer and its verdict is a line of the output; the same command goes on after a stop. A
program passes the gate if it is valid Python of the suite's API and its class has the name that
was asked for. It passes the survey and gets a certificate as in `gensim generate`, which also
refuses a program that repeats another under a new name, here one of a training task.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gensim_envs.errors import TaskError
from gensim_envs.generation import check, validate
from gensim_envs.generation.conversation import TEMPERATURES
from gensim_envs.generation.embed import TfIdf
from gensim_envs.generation.export import HELD_OUT, MANIFEST
from gensim_envs.generation.memory import Memory, recall
from gensim_envs.generation.providers import Budget
from gensim_envs.generation.providers.server import OpenAIProvider
from gensim_envs.generation.recording import Answer, Call, Message
from gensim_envs.library import shipped
from gensim_envs.utils.answers import without_reasoning
from gensim_envs.utils.processes import processes
from gensim_envs.utils.statistics import wilson

STAGES = ("gate", "survey", "certificate")
"""What an answer may pass, in order."""


def judge(answer: str, name: str, known: Memory, executor: Executor) -> dict[str, Any]:
    """How far a program comes.

    Args:
        answer: the model's answer.
        name: class name that it was asked for.
        known: the training tasks.
        executor: runs draws and episodes.

    Returns:
        {"passed": stages of `STAGES`, "cause", "problem"}; the last two are "" for an accepted one.
    """
    passed: list[str] = []
    try:
        with check.refusing("runtime"):
            source, program = check.program_of(without_reasoning(answer), mend=True)
            if program.name != name:
                raise TaskError(f"the class is called {program.name}, not {name}", cause="gate")
            passed.append("gate")
            known.refuse_known_program(source)
            survey = check.survey_in(executor, program, source)
            passed.append("survey")
            validate.certify(program, survey.bounds, survey.redraws, executor)
            passed.append("certificate")
    except TaskError as error:
        return {"passed": passed, "cause": error.cause, "problem": str(error)}
    return {"passed": passed, "cause": "", "problem": ""}


def table(lines: list[dict[str, Any]]) -> Iterator[str]:
    """Rows of Markdown: shares with their 95 % intervals, then the causes of refusals."""
    for stage in STAGES:
        count = sum(stage in line["passed"] for line in lines)
        low, high = wilson(count, len(lines))
        yield f"| {stage} | {count} of {len(lines)} | {low:.0%} to {high:.0%} |"
    causes = Counter(line["cause"] for line in lines if line["cause"])
    yield "refused: " + ", ".join(f"{count} {cause}" for cause, count in causes.most_common())


def main() -> None:
    """Ask, judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of gensim export")
    parser.add_argument("--out", type=Path, required=True, help="file of answers and verdicts")
    parser.add_argument("--url", default="http://127.0.0.1:8080/v1")
    parser.add_argument("--name", default="local", help="the model, as the server calls it")
    parser.add_argument("--samples", type=int, default=100, help="of all tasks together")
    parser.add_argument("--window", type=int, default=1, help="answers in flight")
    parser.add_argument("--max-answer-tokens", type=int, default=1500)
    parser.add_argument("--timeout", type=float, default=900.0)
    options = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "none")
    provider = OpenAIProvider(
        options.name, Budget(), base_url=options.url, timeout=options.timeout, say=print,
        answer_tokens=options.max_answer_tokens,
    )  # fmt: skip
    manifest = json.loads((options.data / MANIFEST).read_text())
    sides = {task["name"]: task["side"] for task in manifest["tasks"]}
    tasks = [name for name, side in sides.items() if side == "held_out"]
    trained = [entry for entry in recall(shipped()) if sides.get(entry.name) == "train"]
    known = Memory(TfIdf(), trained)
    held_out = (options.data / HELD_OUT).read_text(encoding="utf-8")
    prompts = [json.loads(line)["messages"][:-1] for line in held_out.splitlines()]
    lines = []
    if options.out.exists():
        lines = [json.loads(line) for line in options.out.read_text().splitlines()]

    def answer(number: int) -> Answer:
        messages = tuple(Message(**message) for message in prompts[number % len(prompts)])
        temperature = TEMPERATURES["implement"]
        return provider.complete(Call(number + 1, "implement-1", messages, temperature))

    wanted = range(len(lines), options.samples)
    with (
        processes(1) as executor,
        ThreadPoolExecutor(options.window) as window,
        options.out.open("a", encoding="utf-8") as file,
    ):
        for number, each in zip(wanted, window.map(answer, wanted), strict=True):
            name = tasks[number % len(tasks)]
            verdict = judge(each.text, name, known, executor)
            line = {
                "task": name, "answer": each.text, "cut": bool(each.ended), **verdict,
                "tokens": [each.prompt_tokens, each.completion_tokens],
            }  # fmt: skip
            file.write(json.dumps(line) + "\n")
            file.flush()
            lines.append(line)
            result = ", ".join(verdict["passed"]) or f"{verdict['problem']:.100}"
            print(f"[{number + 1}/{options.samples}] {name}: {result}", flush=True)
    print(*table(lines), sep="\n")


if __name__ == "__main__":
    main()
