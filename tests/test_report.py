"""Reports, the map and statistics: their figures, and that text in them never becomes markup.

Playwright drives an installed Chromium; without them those tests are skipped.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import binomtest
from tiny import make_library, program

from gensim_envs.cli import main
from gensim_envs.errors import Cause
from gensim_envs.generation.check import Facts
from gensim_envs.generation.embed import TfIdf
from gensim_envs.generation.memory import Entry
from gensim_envs.generation.recording import Answer, Call, Message, Recording, Settings
from gensim_envs.generation.verdict import CAUSES, STAGES, Verdict, read_verdicts, write_verdict
from gensim_envs.library import shipped
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.pages import columns
from gensim_envs.pages.map import MOST_LABELLED, layout, map_page
from gensim_envs.pages.measures import Rate, entropy, fisher, self_bleu, spread
from gensim_envs.pages.report import labels, write_report
from gensim_envs.pages.runs import Run
from gensim_envs.pages.snapshots import Snapshot, take_snapshot, webp
from gensim_envs.pages.stats import count, lines
from gensim_envs.utils.statistics import paired_difference

SCRIPT = (
    "</script></style><script>window.harm = 1</script><img src=x onerror='window.harm = 1'>\x00"
)


def accepted(attempt: int, name: str = "TinyZone", **fields: Any) -> Verdict:
    return Verdict(
        attempt, name=name, id=f"gensim/{name}-v0", passed=list(STAGES), first=list(STAGES[:4]),
        program=program(name), tokens=[1000, 100], seconds={"model": 4.0, "total": 20.0},
        proposal={"name": name, "description": "Put a block into a zone."}, **fields,
    )  # fmt: skip


def refused(attempt: int, cause: Cause, problem: str = "no", **fields: Any) -> Verdict:
    return Verdict(
        attempt, cause=cause, problem=problem, tokens=[500, 50],
        seconds={"model": 2.0, "total": 10.0}, **fields,
    )  # fmt: skip


def write_run(folder: Path, *verdicts: Verdict, **settings: Any) -> Path:
    """Write the folder of a run."""
    plain = {"run": "abc", "model": "nobody", "count": len(verdicts), **settings}
    Recording(folder).write_settings(Settings(**plain))
    for verdict in verdicts:
        write_verdict(folder, verdict)
    return folder


def facts_of(out: Path) -> Any:
    return json.loads((out / "report.json").read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of five attempts with verdicts and one without."""
    folder = write_run(
        tmp_path_factory.mktemp("runs") / "one",
        accepted(1, refusals=[["gate", "line 3: no"], ["spec", "goal 1: no room"]],
                 cuts={"propose-1": 2}),
        refused(2, "spec", "goal 7: no room", passed=["proposal", "gate"], first=["proposal"],
                refusals=[["gate", "line 4: no"]]),
        refused(3, "api", "HTTP 503"),
        refused(4, "novelty", "known", passed=["proposal"]),
        refused(5, "spec", "goal 2: no room", passed=["proposal", "gate"]),
    )  # fmt: skip
    call = Call(6, "propose-1", (Message("user", "Well?"),))
    Recording(folder).append(call, Answer("Hm", 10, 2, 1.0))
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of another scheme that accepted nothing."""
    return write_run(
        tmp_path_factory.mktemp("runs") / "two",
        *(refused(k, "gate") for k in (1, 2)),
        scheme="zero-shot",
    )


# --- the figures ------------------------------------------------------------------------------


def test_intervals_of_paired_differences_are_newcombes() -> None:
    """An example of his paper, and counts at which simpler intervals have no width."""
    assert paired_difference(36, 2, 12, 0) == pytest.approx((-0.3404, -0.0569), abs=1e-4)
    low, high = paired_difference(100, 0, 0, 0)
    assert low < 0 < high and low == pytest.approx(-high)
    assert paired_difference(0, 100, 0, 0)[1] == 1


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_intervals_are_wilsons_and_contain_the_rate(counted: tuple[int, int]) -> None:
    hits, of = counted
    rate = Rate.wilson(hits, of)
    assert 0 <= rate.low <= rate.high <= 1
    if of:
        assert rate.low - 1e-4 <= rate.share <= rate.high + 1e-4  # they are rounded
        known = binomtest(hits, of).proportion_ci(0.95, "wilson")
        assert (rate.low, rate.high) == pytest.approx((known.low, known.high), abs=1e-4)
    else:
        assert (rate.low, rate.high) == (0, 1)


def test_fishers_exact_test_on_his_tea_experiment() -> None:
    # Eight cups, three of four guessed right: 34/70 two-sided (Fisher, 1935).
    assert fisher(Rate.wilson(3, 4), Rate.wilson(1, 4)) == pytest.approx(34 / 70, abs=1e-6)
    assert fisher(Rate.wilson(0, 0), Rate.wilson(1, 4)) is None


def bleu(text: str, others: Sequence[str]) -> float:
    """BLEU-4 by its definition."""
    words, *references = [re.findall(r"\w+", each.lower()) for each in (text, *others)]
    logs = []
    for n in (1, 2, 3, 4):
        grams = [
            [*zip(*(each[k:] for k in range(n)), strict=False)] for each in (words, *references)
        ]
        own, *theirs = map(Counter, grams)
        clipped = sum(min(k, max(each[gram] for each in theirs)) for gram, k in own.items())
        logs.append(math.log((clipped or 0.1) / max(1, sum(own.values()))))
    closest = min((abs(len(each) - len(words)), len(each)) for each in references)[1]
    return math.exp(min(0, 1 - closest / len(words)) + sum(logs) / 4)


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "Ball", "on", "the", "box"]), min_size=1, max_size=12).map(
            " ".join
        ),
        min_size=2,
        max_size=6,
    )
)
def test_self_bleu_is_the_mean_of_each_against_the_others(texts: list[str]) -> None:
    by_hand = [bleu(text, texts[:k] + texts[k + 1 :]) for k, text in enumerate(texts)]
    assert self_bleu(texts) == pytest.approx(sum(by_hand) / len(texts), abs=1e-4)


def test_self_bleu_of_the_same_and_of_few() -> None:
    assert self_bleu(["put the red block on the box"] * 3) == 1
    assert self_bleu(["one"]) is None
    low = self_bleu(["put the red block on the box", "sweep every crumb into a round tray"])
    assert low is not None and low < 0.1
    assert self_bleu(["", "a b"]) is not None


def test_spread_and_entropy() -> None:
    likeness = np.array([[1, 0.5, 0.25], [0.5, 1, 0], [0.25, 0, 1]])
    assert spread(likeness) == 0.75
    assert spread(likeness[:1, :1]) is None
    assert entropy([4, 4, 0, 4, 4]) == 2
    assert entropy([7]) == entropy([]) == 0


# --- a report ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reported(run: Path, other: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    arguments = ["report", str(run), str(other), "--out", str(out), "--price", "1,10"]
    assert main([*arguments, "--workers", "1"]) == 0
    return out


def test_outcomes_add_up_and_exclude_unfinished_attempts(reported: Path) -> None:
    first, second = facts_of(reported)["runs"]
    ended = {each["name"]: each["attempts"] for each in first["outcomes"]}
    assert list(ended) == ["accepted", *CAUSES]
    assert {name: k for name, k in ended.items() if k} == {
        "accepted": 1, "spec": 2, "api": 1, "novelty": 1,
    }  # fmt: skip
    assert sum(ended.values()) == first["attempts"] == 5
    assert (first["unfinished"], second["unfinished"]) == ([6], [])
    spec = next(each for each in first["outcomes"] if each["name"] == "spec")
    # Messages that differ only in numbers are counted together, and keep their numbers.
    assert spec["messages"] == [{"text": "goal 2: no room", "count": 2}]
    page = (reported / "report.html").read_text()
    assert "They add up to 5 attempts." in page
    assert "Attempts without a verdict, in no figure: 6." in page


def test_rates_before_and_after_repairs(reported: Path) -> None:
    first, second = facts_of(reported)["runs"]
    # Of five attempts one ended with a call that failed: four are evaluated.
    assert first["evaluated"] == 4
    after = {stage: (rate["count"], rate["of"]) for stage, rate in first["passed"].items()}
    before = {stage: rate["count"] for stage, rate in first["first"].items()}
    assert after["gate"] == (3, 4)
    assert after["published"] == (1, 4)
    assert before == {
        "proposal": 4, "gate": 2, "spec": 1, "oracle": 1,
        "semantics": 0, "reflection": 0, "published": 0,
    }  # fmt: skip
    assert second["passed"]["gate"]["count"] == 0
    assert facts_of(reported)["fisher_accepted_of_first_two"] == 1


def test_repairs_and_usage(reported: Path) -> None:
    first = facts_of(reported)["runs"][0]
    sent = {each["cause"]: (each["programs"], each["accepted"]) for each in first["repairs"]}
    assert sent == {"gate": (2, 1), "spec": (1, 1)}
    usage = first["usage"]
    assert (usage["prompt_tokens"], usage["answer_tokens"]) == (3000, 300)
    assert usage["cost"] == pytest.approx(0.006)
    assert (usage["model_seconds"], usage["total_seconds"]) == (12, 60)
    assert usage["cuts"] == 2
    assert first["diversity"]["drawn"] == 1
    assert first["diversity"]["entropy"] == 1  # a block and a zone


def test_the_page_shows_runs_side_by_side_with_pictures(reported: Path) -> None:
    page = (reported / "report.html").read_text()
    assert "<h3>Comparison</h3>" in page
    for text in ("chain", "zero-shot", "syntax-correct", "runtime-verified", "task completed"):
        assert text in page
    assert page.count('src="data:image/webp;base64,') == 1
    assert "solved by the oracle" in page


def test_a_new_column_is_shown(
    run: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra: columns.Column[Any] = columns.Column("letters", lambda row: "xyzzy", "explained")
    tables = ("ATTEMPTS", "COMPARISON", "DIVERSITY", "OUTCOMES", "REPAIRS", "STAGES", "USAGE")
    for table in tables:
        monkeypatch.setattr(columns, table, (*getattr(columns, table), extra))
    page = write_report([run, other], tmp_path, workers=1).read_text()
    rows = {"ATTEMPTS": 7, "COMPARISON": 2, "DIVERSITY": 2, "OUTCOMES": 20, "REPAIRS": 2,
            "STAGES": 13, "USAGE": 2}  # fmt: skip
    assert page.count("xyzzy") == sum(rows.values())


def test_equal_runs_give_equal_bytes(
    run: Path, other: Path, reported: Path, tmp_path: Path
) -> None:
    write_report([run, other], tmp_path, price=(1, 10), workers=1)
    for name in ("report.html", "report.json"):
        assert (tmp_path / name).read_bytes() == (reported / name).read_bytes()


def test_a_report_is_written_into_the_run_by_default(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", refused(1, "gate"))
    assert main(["report", str(folder)]) == 0
    page = (folder / "report.html").read_text()
    assert "None." in page
    assert "cost" not in page  # no price, no cost


def test_a_single_prompt_has_no_proposal_stage(reported: Path, other: Path, tmp_path: Path) -> None:
    chain, single = facts_of(reported)["runs"]
    assert list(chain["passed"]) == list(STAGES)
    assert list(single["passed"]) == list(STAGES[1:])
    page = write_report([other], tmp_path, workers=1).read_text()
    assert "gate: syntax-correct" in page
    assert "proposal: proposed" not in page


def test_nothing_judged_is_a_dash(tmp_path: Path) -> None:
    failed = write_run(tmp_path / "failed", refused(1, "api", "HTTP 503 at port 5284"))
    judged = write_run(tmp_path / "judged", refused(1, "gate"), model="other")
    page = write_report([failed, judged], tmp_path, workers=1).read_text()
    assert columns.rate(Rate.wilson(0, 0)) == "\u2013"
    assert "(0 of 0)" not in page
    assert "p = " not in page
    assert "HTTP 503 at port 5284" in page
    assert facts_of(tmp_path)["fisher_accepted_of_first_two"] is None


def test_runs_without_a_verdict_are_skipped_by_name(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished = write_run(tmp_path / "unfinished")
    out = str(tmp_path / "out")
    assert main(["report", str(unfinished), str(run), "--out", out, "--workers", "1"]) == 0
    assert "skipped unfinished: no attempt has ended" in "".join(capsys.readouterr())
    assert facts_of(Path(out))["skipped"] == ["unfinished"]
    assert "not shown: unfinished." in Path(out, "report.html").read_text()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "$0.00"), (0.0000123, "$0.000012"), (0.006, "$0.0060"), (0.123, "$0.12"), (0.999, "$1.00"),
     (1234.5, "$1,234.50"), (None, "\u2013")],
)  # fmt: skip
def test_small_costs_keep_two_digits(amount: float | None, shown: str) -> None:
    assert columns.dollars(amount) == shown


CAUSE = st.none() | st.sampled_from(CAUSES)


@given(st.lists(st.tuples(CAUSE, st.text(), st.integers(0, 7)), min_size=1, max_size=30))
def test_counts_add_up_for_any_outcomes(ends: list[tuple[Any, str, int]]) -> None:
    verdicts = [
        Verdict(k, cause=cause, problem=problem, passed=list(STAGES[:passed]))
        for k, (cause, problem, passed) in enumerate(ends, 1)
    ]
    run = Run("any", Settings("abc", "nobody"), verdicts, [])
    outcomes = run.outcomes
    assert sum(each.attempts for each in outcomes) == len(verdicts)
    for each in outcomes:
        assert sum(message.count for message in each.messages) <= each.attempts
    failed = sum(cause == "api" for cause, _, _ in ends)
    for passed in (run.first, run.passed):
        rates = list(passed.values())
        assert {rate.of for rate in rates} == {len(ends) - failed}
        assert [rate.count for rate in rates] == sorted((r.count for r in rates), reverse=True)


def test_labels_tell_runs_apart() -> None:
    def record(name: str, **settings: Any) -> Run:
        return Run(name, Settings(**{"run": "abc", "model": "m", **settings}), [], [])

    assert labels([record("a"), record("b", model="n")]) == ["m", "n"]
    assert labels([record("a"), record("b", scheme="few-shot")]) == ["chain", "few-shot"]
    mixed = [record("a"), record("b", model="n"), record("c", scheme="few-shot")]
    assert labels(mixed) == ["m, chain", "n, chain", "m, few-shot"]
    assert labels([record("a"), record("b")]) == ["a", "b"]
    assert labels([record("a"), record("a")]) == ["a (1)", "a (2)"]


# --- pictures ---------------------------------------------------------------------------------


def test_a_picture_keeps_its_size_and_colour() -> None:
    picture = np.full((6, 10, 3), (200, 30, 30), dtype=np.uint8)
    with Image.open(io.BytesIO(webp(picture))) as found:
        assert (found.format, found.size) == ("WEBP", (10, 6))
        assert np.abs(np.asarray(found, dtype=int) - picture).max() < 16


def test_a_task_is_drawn_and_solved() -> None:
    snapshot = take_snapshot("TinyZone", program())
    assert snapshot.solved and not snapshot.problem
    assert snapshot.facts is not None and snapshot.facts.assets == ("Block", "Zone")


def test_a_task_that_the_oracle_does_not_solve_is_shown_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solved = take_snapshot("TinyZone", program())

    def give_up(oracle: Oracle) -> Any:
        raise OracleError("there is no way <b>there</b>")

    monkeypatch.setattr(Oracle, "act", give_up)
    snapshot = take_snapshot("TinyZone", program())
    assert not snapshot.solved
    assert snapshot.problem == "there is no way <b>there</b>"
    assert snapshot.picture.startswith(b"RIFF") and snapshot.picture != solved.picture


@pytest.mark.parametrize("source", ["import os", "def (", "", "class A(Task):\n    pass"])
def test_a_program_that_cannot_be_drawn_has_no_picture(source: str) -> None:
    snapshot = take_snapshot("Odd", source)
    assert snapshot == Snapshot(problem=snapshot.problem)
    assert snapshot.problem


# --- bad input --------------------------------------------------------------------------------


def refuse(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The line with which a command refuses its arguments."""
    assert main(["report", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("gensim: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_folders_that_are_not_runs_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not a run" in refuse(capsys, str(tmp_path / "nowhere"))
    assert "is not a run" in refuse(capsys, str(tmp_path))
    empty = write_run(tmp_path / "empty")
    assert "no verdict yet" in refuse(capsys, str(empty))
    full = write_run(tmp_path / "full", refused(1, "gate"))
    (tmp_path / "file").write_text("")
    assert "is not a folder" in refuse(capsys, str(full), "--out", str(tmp_path / "file"))


@pytest.mark.parametrize(
    "settings", ["", "[]", "{", '{"run": "a"}', '{"run": "a", "model": [1]}',
                 '{"run": "a", "model": "m", "scheme": "odd"}', "[" * 100_000],
)  # fmt: skip
def test_damaged_settings_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: str
) -> None:
    folder = write_run(tmp_path / "run", refused(1, "gate"))
    (folder / "run.json").write_text(settings)
    assert "run.json" in refuse(capsys, str(folder))


def nested(depth: int) -> dict[str, Any]:
    """A proposal within a proposal, and so on."""
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"deeper": found}
    return found


@pytest.mark.parametrize(
    "change", [{"attempt": "x"}, {"attempt": 2}, {"cause": "weather"}, {"problem": 3},
               {"refusals": [["gate"]]}, {"votes": [["yes", "a", "b"]]}, {"tokens": [1]},
               {"tokens": None}, {"seconds": {"total": "long"}}, {"passed": "all"},
               {"proposal": []}, {"cuts": {"a": "b"}},
               {"tokens": [10**400, 1]}, {"tokens": [-1, 0]}, {"seconds": {"total": math.nan}},
               {"proposal": nested(600)}],
)  # fmt: skip
def test_a_damaged_verdict_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    folder = write_run(tmp_path / "run", refused(1, "gate"))
    path = folder / "attempts" / "0001.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert "0001.json is malformed" in refuse(capsys, str(folder))


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"{", b"\xff\xfe", b"[" * 100_000])
def test_an_invalid_verdict_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    folder = write_run(tmp_path / "run", refused(1, "gate"))
    (folder / "attempts" / "0001.json").write_bytes(content)
    assert "0001.json is malformed" in refuse(capsys, str(folder))


def test_unrelated_files_are_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "run", refused(1, "gate"))
    (folder / "attempts" / "0001-copy.jsonl").write_text("")
    (folder / "attempts" / "0002.jsonl").write_text('{"torn')  # by a kill, before any answer
    assert main(["report", str(folder)]) == 0
    assert facts_of(folder)["runs"][0]["unfinished"] == []
    capsys.readouterr()
    shutil.copy(folder / "attempts" / "0001.json", folder / "attempts" / "1.json")
    assert "1.json is malformed: its attempt, 1, belongs to 0001.json" in refuse(
        capsys, str(folder)
    )


def test_an_accepted_task_whose_program_is_missing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", accepted(1))
    (folder / "attempts" / "0001.py").unlink()
    assert main(["report", str(folder), "--workers", "1"]) == 0
    page = (folder / "report.html").read_text()
    assert "no picture" in page
    assert "those of 0 tasks; the other tasks cannot be drawn" in page
    assert "Put a block into a zone." in page  # from the proposal


def test_a_verdict_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = [accepted(1, votes=[["yes", "why not"]]), refused(2, "reflection", SCRIPT)]
    assert read_verdicts(write_run(tmp_path / "run", *written)) == written


# --- text never becomes markup ----------------------------------------------------------------


class Markup(HTMLParser):
    """The elements of a page: (name, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def check_harmless(html: str) -> None:
    """Check that a page has no script, no handler, and no address outside of it."""
    for name, attributes in Markup(html).elements:
        assert name not in ("script", "iframe", "object", "form", "base")
        assert not [key for key in attributes if key.startswith("on")], name
        for key in ("src", "href", "xlink:href", "action"):
            assert re.match(r"data:|#|$", attributes.get(key) or ""), (name, attributes)
    assert "default-src 'none'" in html


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which every text contains markup."""
    source = program("Hostile").replace('"""Put a block into a zone."""', f'"""{SCRIPT[:-1]}"""')
    full: dict[str, Any] = {
        "references": [SCRIPT], "refusals": [[SCRIPT, SCRIPT]], "votes": [[SCRIPT, SCRIPT]],
        "cuts": {SCRIPT: 1}, "passed": [*STAGES, SCRIPT], "first": [SCRIPT],
        "proposal": {"description": SCRIPT, SCRIPT: [SCRIPT], "deep": {SCRIPT: [{SCRIPT: SCRIPT}]}},
        "name": SCRIPT, "id": SCRIPT, "seconds": {SCRIPT: 1.0},
    }  # fmt: skip
    folder = write_run(
        tmp_path_factory.mktemp("hostile") / "run",
        Verdict(1, program=source, **full),
        Verdict(2, program=SCRIPT, cause="gate", problem=SCRIPT, **full),
        model=SCRIPT, embedder=SCRIPT, target=SCRIPT, temperatures={SCRIPT: 0.5},
    )  # fmt: skip
    assert main(["report", str(folder), str(folder), "--workers", "1"]) == 0
    return folder


def test_no_text_of_a_run_becomes_markup(hostile: Path) -> None:
    page = (hostile / "report.html").read_text()
    check_harmless(page)
    assert "&lt;script&gt;window.harm = 1&lt;/script&gt;" in page
    assert "\x00" not in page
    assert len(facts_of(hostile)["runs"]) == 2


@given(st.text(max_size=60))
def test_no_name_or_summary_of_a_map_becomes_markup(text: str) -> None:
    entries = [entry(f"Task{k}", text + SCRIPT) for k in range(3)]
    check_harmless(map_page(entries, {"Task1"}, TfIdf()))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("there is no Chromium; on Debian: apt-get install chromium")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[[Path, int], Any]]:
    """Opens a page from its file; afterwards nothing may have gone wrong or gone out."""
    contexts, wrong = [], []

    def open_page(path: Path, width: int) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on(
            "request",
            lambda asked: asked.url.startswith(("file:", "data:")) or wrong.append(asked.url),
        )
        tab.goto(path.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("width", [1280, 360])
def test_pages_fit_a_screen_and_load_nothing(
    visit: Callable[[Path, int], Any], reported: Path, hostile: Path, width: int
) -> None:
    for path in (reported / "report.html", hostile / "report.html"):
        tab = visit(path, width)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("window.harm") is None
        record = tab.locator("details").first
        assert not record.locator("pre").is_visible()
        record.locator("summary").click()
        assert record.locator("pre").is_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_map_leads_from_a_task_to_its_nearest(
    visit: Callable[[Path, int], Any], tmp_path: Path, width: int
) -> None:
    words = ("red block", "blue bowl", "long rope", "tall tower")
    page = map_page([entry(f"Task{k}", word) for k, word in enumerate(words)], {"Task1"}, TfIdf())
    (tmp_path / "map.html").write_text(page)
    tab = visit(tmp_path / "map.html", width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    shown = tab.locator("svg.map:visible")
    assert shown.count() == 1
    shown.locator("a").nth(2).click()
    assert tab.evaluate("document.querySelector(':target').id") == "Task2"


# --- the map ----------------------------------------------------------------------------------


def entry(name: str, summary: str, *, levels: int = 1, assets: tuple[str, ...] = ()) -> Entry:
    return Entry(name, summary, "", Facts(assets, ("at",), (), 1, levels))


def distances(points: Any) -> Any:
    return np.linalg.norm(points[:, None] - points[None], axis=2)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40, 1200])
def test_points_in_a_plane_are_recovered(count: int) -> None:
    points = np.random.default_rng(count).normal(size=(count, 2)) * [3, 1]
    found, kept = layout(distances(points))
    assert found.shape == (count, 2)
    assert kept == pytest.approx(1)
    np.testing.assert_allclose(distances(found), distances(points), atol=1e-6)
    if count > 2:
        assert np.ptp(found[:, 0]) > np.ptp(found[:, 1])
        assert (found[np.abs(found).argmax(axis=0), [0, 1]] > 0).all()


def test_equal_tasks_share_a_point() -> None:
    found, kept = layout(np.zeros((5, 5)))
    assert not found.any()
    assert kept == 1


def test_a_map_without_scikit_learn_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    library = make_library(tmp_path / "library", "TinyZone")
    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    arguments = ["--library", str(library.root), "--embedder", "tfidf", "--out", "map.html"]
    assert main(["map", *arguments]) == 2
    message = capsys.readouterr().err
    assert message.startswith("gensim: sklearn is missing. Run pip install ")
    assert "llm" in message


def test_a_map_marks_origins_and_lists_neighbours() -> None:
    entries = [
        entry("StackBlocks", "Stack red blocks into a tower."),
        entry("StackBoxes", "Stack red boxes into a tower."),
        entry("SweepCrumbs", "Sweep every crumb into the tray."),
    ]
    page = map_page(entries, {"StackBoxes"}, TfIdf())
    assert page == map_page(entries, {"StackBoxes"}, TfIdf())
    # Two maps, the legend and the list.
    assert page.count("<rect") == 2 * 2 + 1 + 2
    assert page.count("<circle") == 2 + 1 + 1
    nearest = re.findall(r'<li id="(\w+)">.*?<ul><li><a href="#(\w+)">', page, re.DOTALL)
    assert nearest[:2] == [("StackBlocks", "StackBoxes"), ("StackBoxes", "StackBlocks")]
    assert page.count("Sweep Crumbs</text>") == 2


def test_labels_do_not_overlap_and_large_maps_have_none() -> None:
    words = ["stack", "sweep", "align", "red", "green", "blue", "block", "bowl", "ring", "tray"]
    rng = np.random.default_rng(0)

    def some(count: int) -> str:
        made = [entry(f"Task{k}", " ".join(rng.choice(words, 6))) for k in range(count)]
        return map_page(made, set(), TfIdf())

    broad = re.search(r'<svg class="map broad".*?</svg>', some(60), re.DOTALL)
    assert broad is not None
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">', broad.group())
    assert len(places) > 20
    same = [(float(x), float(y)) for x, y, anchor in places if anchor == "start"]
    for k, (x, y) in enumerate(same):
        assert all(abs(x - u) > 20 or abs(y - v) > 11 for u, v in same[:k])
    assert "<text" not in some(MOST_LABELLED + 1)


def test_the_map_of_a_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = make_library(tmp_path / "library", "TinyZone")
    out = tmp_path / "new" / "map.html"
    arguments = ["map", "--library", str(library.root), "--embedder", "tfidf", "--out"]
    assert main([*arguments, str(out)]) == 0
    assert "1 of them generated" in capsys.readouterr().out
    assert 'href="#TinyZone"' in out.read_text()
    assert main([*arguments, str(tmp_path)]) == 2
    assert main([*arguments, str(out), "--embedder", "odd"]) == 2
    assert "unknown embedder 'odd'" in capsys.readouterr().err


# --- the statistics ---------------------------------------------------------------------------


def test_statistics_count_all_and_generated_tasks() -> None:
    entries = [
        entry("A", "", assets=("Block", "Zone"), levels=1),
        entry("B", "", assets=("Block",), levels=3),
        Entry("C", "", "", Facts(("Rope",), ("along", "on"), ("red",), 12, 1)),
    ]
    found = count(entries, {"B", "C"})
    assert asdict(found.tasks) == {"all": 3, "generated": 2}
    assert asdict(found.tables["assets"]["Block"]) == {"all": 2, "generated": 1}
    assert asdict(found.tables["relations"]["along"]) == {"all": 1, "generated": 1}
    assert asdict(found.tables["goals"]["10+"]) == {"all": 1, "generated": 1}
    assert {height: each.all for height, each in found.tables["levels"].items()} == {
        "1": 2,
        "2": 0,
        "3": 1,
    }
    assert asdict(found.tables["colors"]["red"]) == {"all": 1, "generated": 1}
    assert found.most_used == ("Block", 2 / 3)
    assert found.entropy == 1.5
    text = "\n".join(lines(found))
    assert re.search(r"Block +2 +1  #=\n", text)
    assert "most used asset: Block, in 67% of the tasks" in text
    assert "0 tasks" in next(lines(count([], set())))


def test_bars_of_many_tasks_stay_within_the_width() -> None:
    many = count([entry(f"T{k}", "", assets=("Block",)) for k in range(5000)], {"T1"})
    assert max(map(len, lines(many))) < 80


def test_statistics_of_the_shipped_library(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    records = shipped().records()
    assert found["tasks"] == {
        "all": len(records), "generated": sum(not record.hand_written for record in records),
    }  # fmt: skip
    for kind in ("goals", "levels"):
        assert sum(each["all"] for each in found[kind].values()) == len(records)
    assert 0 < found["most_used"]["share"] < 1
    assert main(["stats"]) == 0
    assert capsys.readouterr().out.startswith(f"{len(records)} tasks")
