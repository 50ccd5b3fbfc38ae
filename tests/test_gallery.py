"""The gallery: its contents, that text never becomes markup, and that it works in a browser.

Playwright drives an installed Chromium; without them those tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import closing, nullcontext
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jinja2 import UndefinedError
from markupsafe import escape
from tiny import edit_registry, hand_written_record, make_library, program, publish, record

from gensim_envs.cli import main
from gensim_envs.library import Library, digest, shipped
from gensim_envs.pages import clips, snapshots
from gensim_envs.pages.columns import CERTIFICATE
from gensim_envs.pages.facts import Task, author
from gensim_envs.pages.gallery import entry, first_draw, page, shipped_table, table
from gensim_envs.pages.render import counted, highlight, multiple, render, visible
from gensim_envs.pages.snapshots import close_up
from gensim_envs.sandbox.gate import MAX_BYTES
from gensim_envs.sim.cameras import CLOSE_UP
from gensim_envs.sim.video import VideoRecorder
from gensim_envs.task.assets import Block
from gensim_envs.task.pose import Pose
from gensim_envs.task.scene import Scene
from gensim_envs.utils import processes
from gensim_envs.utils.naming import words

DOCS = Path(__file__).parent.parent / "docs"
SCRIPT = "</script></pre><script>window.harm = 1</script><img src=x onerror='window.harm = 1'>"
BOWL = "gensim/PutBlockInBowl-v0"
HOSTILE = (
    program("Hostile")
    .replace('"""Put a block into a zone."""', f'"""{SCRIPT}"""')
    .replace("block into the {other} zone", "block into the {other} zone <b onclick='harm()'>")
)


def publish_hostile(library: Library) -> None:
    """Publish a task in which every text contains markup."""
    hostile = replace(record("Hostile"), sha256=digest(HOSTILE), summary=SCRIPT)
    library.publish(hostile, HOSTILE, {"model": f'"{SCRIPT}'}, None)


def make(library: Library, out: Path) -> int:
    return main(["gallery", "--library", str(library.root), "--out", str(out), "--workers", "2"])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A hand-written task, a model's, and a hostile one."""
    made = make_library(tmp_path_factory.mktemp("shelf") / "library", "TinyZone")
    publish_hostile(made)
    made.write_records([*made.records(), hand_written_record(BOWL)])
    return made


@pytest.fixture(scope="module")
def out(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of the three."""
    folder = tmp_path_factory.mktemp("gallery")
    assert make(library, folder) == 0
    return folder


@pytest.fixture(scope="module")
def html(out: Path) -> str:
    return (out / "index.html").read_text(encoding="utf-8")


class Markup(HTMLParser):
    """The elements of a page as (name, attributes), its texts, and the code in scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        (self.scripts if self.cdata_elem == "script" else self.texts).append(data)


# --- what is on the page ----------------------------------------------------------------------


def test_the_page_has_all_about_each_task(html: str, library: Library, out: Path) -> None:
    for each in library.records():
        stem = each.id.removeprefix("gensim/")
        assert each.id in html
        assert f"gensim play {each.id} --seed" in html
        clip = clips.load(out / "clips", each)
        assert clip is not None
        for goal in clip.spec.goals:
            assert str(escape(goal.instruction)) in html
        for content in (clip.video, clip.start, clip.solved):
            assert len(content) > 1000
        assert (out / "clips" / f"{stem}.mp4").read_bytes()[4:8] == b"ftyp"
    assert html.count('<video src="data:video/mp4;base64,') == len(library.records())
    assert "Written by nobody." in html
    assert "Written by hand." in html
    assert '<span class="k">class</span> TinyZone(Task):' in html
    assert ">Oracle</dt><dd>20/20</dd>" in html


def test_text_of_a_model_never_becomes_markup(html: str) -> None:
    markup = Markup(html)
    assert len(markup.scripts) == 1
    assert markup.scripts[0].startswith('"use strict"')
    assert SCRIPT not in html
    assert "&lt;script&gt;window.harm = 1&lt;/script&gt;" in html
    for name, attributes in markup.elements:
        assert not [key for key in attributes if key.startswith("on")], name
        for key in ("src", "href", "poster"):
            assert re.match(r"data:|#|$", attributes.get(key) or ""), (name, attributes)


def test_invisible_characters_are_escaped() -> None:
    assert visible("a\u202eb\x00\ud800\n\u200bc") == "a\\u202eb\\x00\\ud800\n\\u200bc"


def test_a_template_that_lacks_a_value_fails() -> None:
    with pytest.raises(UndefinedError, match="entries"):
        render("gallery.html")


def test_highlighting_loses_nothing_and_escapes_everything() -> None:
    programs = sorted((shipped().root / "generated").glob("*.py"))[:8]
    source = "\n".join(path.read_text() for path in programs)
    source += f'\nx = "{SCRIPT}" # {SCRIPT} &amp; \ufeff\u202e\n\'open\nf"""never closed # 0x1f'
    html = str(highlight(source))
    markup = Markup(html)
    assert "".join(markup.texts).rstrip("\n") == visible(source)
    assert {name for name, _ in markup.elements} == {"span"}
    kinds = {str(attributes["class"])[0] for _, attributes in markup.elements}
    assert {"s", "c", "k", "m"} <= kinds <= {"s", "c", "k", "m", "o"}


def test_what_would_take_long_to_highlight_stays_plain() -> None:
    hostile = "def f(): pass\n" + " \n" * 5000 + SCRIPT
    assert "<span" not in highlight(hostile) and SCRIPT not in highlight(hostile)
    assert len("".join(Markup(str(highlight("x = 1\n" * 100_000))).texts)) <= MAX_BYTES


def test_equal_clips_give_equal_pages(html: str, library: Library, out: Path) -> None:
    entries = [entry(out / "clips", library, each) for each in library.records()]
    assert page(entries) == html
    assert str(library.root) not in html
    assert str(out) not in html


def test_names_are_words() -> None:
    assert words("TowersOfHanoi") == "Towers of Hanoi"
    assert words("LShape") == "L Shape"
    assert multiple(2, "brown box") == "2 \u00d7 brown box"
    assert counted(1, "goal") == "1 goal"


def test_an_invalid_certificate_and_a_missing_provenance_are_tolerated(tmp_path: Path) -> None:
    odd = replace(record(), certificate={"oracle": [1]})
    task = Task(odd, first_draw(shipped(), shipped().record(BOWL)), author(Library(tmp_path), odd))
    assert {column.value(task) for column in CERTIFICATE} == {"?"}
    assert task.author == "unknown"


def test_templates_take_columns_by_name() -> None:
    folder = Path(clips.__file__).parent / "templates"
    for template in folder.glob("*.html"):
        assert not re.search(r"columns\.\w+\[", template.read_text(encoding="utf-8")), template


# --- recording clips --------------------------------------------------------------------------


class Here(Executor):
    """Runs each call at once in this process."""

    def submit(self, act: Any, /, *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(act(*args, **named))
        return future


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures and no processes, for tests that do not look at the clips."""
    monkeypatch.setattr(processes, "processes", lambda workers: nullcontext(Here()))
    monkeypatch.setattr(snapshots, "CLOSE_UP", replace(CLOSE_UP, shape=(48, 64)))
    monkeypatch.setattr(clips, "_STILL", close_up(64))


def written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.mark.usefixtures("small")
def test_only_tasks_that_changed_are_recorded_again(tmp_path: Path) -> None:
    library, out = make_library(tmp_path / "library", "Kept", "Stopped"), tmp_path / "out"
    assert make(library, out) == 0
    whole, before = (out / "index.html").read_bytes(), written(out / "clips")
    assert len(before) == 8
    assert make(library, out) == 0
    assert written(out / "clips") == before
    # What is written last is missing after an interruption.
    (out / "clips" / "Stopped-v0.json").unlink()
    (out / "clips" / "Stopped-v0.mp4").write_bytes(b"half")
    publish(library, "New")
    assert make(library, out) == 0
    after = written(out / "clips")
    assert len(after) == 12
    assert {name for name in before if after[name] != before[name]} == {
        name for name in before if name.startswith("Stopped")
    }
    library.write_records([each for each in library.records() if each.name != "New"])
    assert make(library, out) == 0
    assert (out / "index.html").read_bytes() == whole


def test_a_clip_of_another_program_or_a_damaged_one_does_not_count(
    library: Library, out: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "clips"
    shutil.copytree(out / "clips", folder)
    mine = library.record("gensim/TinyZone-v0")
    assert clips.load(folder, mine) is not None
    assert clips.load(folder, replace(mine, sha256="0" * 64)) is None
    note = folder / "TinyZone-v0.json"
    whole = json.loads(note.read_text())
    for damaged in (
        "{", "[]", "[" * 100_000, json.dumps({**whole, "spec": {"name": 1}}),
        json.dumps({**whole, "speed": "<b>"}),
    ):  # fmt: skip
        note.write_text(damaged)
        assert clips.load(folder, mine) is None


def test_the_code_that_a_clip_depends_on_exists() -> None:
    package = Path(clips.__file__).parent.parent
    assert [name for name in clips.SOURCES if not (package / name).exists()] == []


@pytest.mark.usefixtures("small")
def test_a_task_that_cannot_be_shown_is_named_and_left_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    library = make_library(tmp_path / "library", "Changed", "TinyZone")
    (library.root / "generated" / "changed.py").write_text(program("Changed") + "# later\n")
    edit_registry(library, lambda records: records.append({"id": "gensim/Odd-v0"}))
    assert make(library, tmp_path / "out") == 1
    printed = capfd.readouterr()
    assert "gensim/Odd-v0" in printed.err
    assert "gensim/Changed-v0: gensim/Changed-v0:" in printed.out and "sha256" in printed.out
    assert "gensim/TinyZone-v0: done" in printed.out
    assert ": 1 tasks," in printed.out
    html = (tmp_path / "out" / "index.html").read_text()
    assert "TinyZone" in html and "Changed" not in html


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library", *(f"Task{k}" for k in range(8)))
    notes = tmp_path / "out" / "clips"
    command = [sys.executable, "-m", "gensim_envs.cli", "gallery", "--workers", "1"]
    child = subprocess.Popen(
        [*command, "--library", str(library.root), "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    wait(lambda: list(notes.glob("*.json")))
    os.killpg(child.pid, signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert (child.returncode, stderr) == (130, "gensim: stopped\n")
    assert 1 <= len(list(notes.glob("*.json"))) < 8
    wait(lambda: not group(child.pid))
    assert not (tmp_path / "out" / "index.html").exists()


def group(leader: int) -> bool:
    """Whether a process of this group is alive."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def wait(until: Callable[[], object]) -> None:
    for _ in range(600):
        if until():
            return
        time.sleep(0.1)
    raise AssertionError("waited for a minute")


def test_a_faster_video_has_every_nth_frame(table: Any) -> None:
    def build(scene: Scene) -> None:
        block = scene.add(Block("red"), at=Pose(0.4, -0.2))
        scene.goal("put the red block there", block, at=scene.mark(block, Pose(0.6, 0.2)))

    def frames(every: int) -> tuple[int, list[Any]]:
        env = table(build, obs_mode="state")
        env.reset(seed=0)
        camera = replace(CLOSE_UP, shape=(24, 32))
        with closing(VideoRecorder(env.world, motion=True, camera=camera, every=every)) as video:
            video.start()
            env.step([0.4, -0.2, 0.0, 0.6, 0.2, 0.0])
            video.return_home()
            return video.length, video.pop_frames()

    (length, all), (same, some) = frames(1), frames(5)
    assert length == same == len(all) - 1
    assert all[0].shape == (24, 32, 3)
    assert len(some) == 1 + length // 5
    assert np.array_equal(some, all[::5])


# --- the command ------------------------------------------------------------------------------


def test_without_the_encoder_the_extra_is_named(
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert make(library, tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert message.startswith("gensim: imageio_ffmpeg is missing. Run pip install ")
    assert "video" in message
    assert not (tmp_path / "out").exists()


def test_bad_use(library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert make(library, file) == 2
    assert f"{file} is not a folder" in capsys.readouterr().err
    where = ["--library", str(library.root), "--out", str(tmp_path / "out")]
    assert main(["gallery", "TinyZones", *where]) == 2
    assert "Similar: gensim/TinyZone-v0" in capsys.readouterr().err


# --- the table --------------------------------------------------------------------------------


def test_the_table_in_the_documents_is_up_to_date() -> None:
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == shipped_table(), (
        "run python -m gensim_envs.pages.gallery > docs/gallery.md"
    )


def test_the_table_keeps_text_in_its_cell(out: Path) -> None:
    lines = (out / "table.md").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if "Hostile" in line)
    assert "&lt;script&gt;" in line and "<" not in line
    odd = replace(record(), summary="a | b `c` [d](e) \\")
    spec = first_draw(shipped(), shipped().record(BOWL))
    last = table([Task(odd, spec, "")]).splitlines()[-1]
    assert r"a \| b \`c\` \[d\](e) \\ |" in last
    assert len(re.findall(r"(?<!\\)\|", last)) == len(re.findall(r"\|", lines[-1]))


# --- in a browser -----------------------------------------------------------------------------


def expect(what: Any) -> Any:
    """Playwright's checks, which wait: a page follows a key or a link a little later."""
    return pytest.importorskip("playwright.sync_api").expect(what)


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
def visit(browser: Any, out: Path) -> Iterator[Callable[..., Any]]:
    """Opens the gallery from its file; afterwards nothing may have gone wrong or gone out."""
    contexts, wrong = [], []

    def open_page(hash: str = "", size: tuple[int, int] = (1280, 800), **options: Any) -> Any:
        viewport = {"width": size[0], "height": size[1]}
        contexts.append(browser.new_context(viewport=viewport, **options))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on(
            "request",
            lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url),
        )
        tab.goto((out / "index.html").as_uri() + hash)
        return tab

    yield open_page
    for context in contexts:
        for tab in context.pages:
            assert tab.evaluate("window.harm") is None
        context.close()
    assert wrong == []


def test_the_page_can_only_run_its_own_script_and_style(browser: Any, out: Path) -> None:
    blocked = "new Promise(done => {{ addEventListener('securitypolicyviolation', event => "
    blocked += "done(event.violatedDirective)); {} }})"
    tab = browser.new_page()
    tab.goto((out / "index.html").as_uri())
    for directive, act in {
        "img-src": "new Image().src = 'http://127.0.0.1:9/'",
        "connect-src": "fetch('http://127.0.0.1:9/').catch(() => {})",
        "script-src-elem": "document.head.append(Object.assign("
        "document.createElement('script'), { text: 'window.harm = 1' }))",
        "style-src-attr": "document.body.setAttribute('style', 'color: red')",
    }.items():
        assert tab.evaluate(blocked.format(act)) == directive
    assert tab.evaluate("window.harm") is None
    tab.close()


def shown(tab: Any) -> list[str]:
    return tab.locator(".card:visible").evaluate_all("cards => cards.map(c => c.dataset.key)")


def test_search_and_filters_by_keyboard_alone(visit: Callable[..., Any]) -> None:
    tab = visit()
    expect(tab.get_by_role("status")).to_have_text("3 tasks")
    tab.keyboard.press("/")
    tab.keyboard.type("Bowl distinct")
    expect(tab.get_by_role("status")).to_have_text("None of 3 tasks")
    assert shown(tab) == []
    expect(tab.get_by_text("No task matches")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("status")).to_have_text("3 tasks")
    tab.keyboard.type("nobody ZONE")  # in any order, any case, the author too
    expect(tab.get_by_role("status")).to_have_text("1 of 3 tasks")
    assert shown(tab) == ["TinyZone-v0"]
    tab.keyboard.press("Escape")

    for _ in range(30):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.value") == "Zone":
            break
    ring = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    tab.keyboard.press("Space")
    assert shown(tab) == ["Hostile-v0", "TinyZone-v0"]
    expect(tab).to_have_url(re.compile("#asset=Zone$"))
    tab.keyboard.press("/")
    tab.keyboard.type("tiny")
    assert shown(tab) == ["TinyZone-v0"]
    expect(tab).to_have_url(re.compile("#q=tiny&asset=Zone$"))


def test_a_view_can_be_linked(visit: Callable[..., Any]) -> None:
    tab = visit("#asset=Bowl&asset=Block&relation=inside&origin=hand-written&odd=1")
    expect(tab.get_by_role("status")).to_have_text("1 of 3 tasks")
    assert shown(tab) == ["PutBlockInBowl-v0"]
    expect(tab.get_by_role("checkbox", name="Bowl")).to_be_checked()
    tab.get_by_role("button", name="Clear all").click()
    expect(tab.get_by_role("status")).to_have_text("3 tasks")
    tab.evaluate("location.hash = '#asset=Zone&asset=Bowl'")
    tab.get_by_text("No task matches").wait_for()


def test_a_task_opens_and_closes_by_keyboard(visit: Callable[..., Any]) -> None:
    tab = visit("#origin=hand-written")
    dialog = tab.get_by_role("dialog")
    expect(dialog).to_be_hidden()
    tab.get_by_role("link", name="Put Block in Bowl").focus()
    tab.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(tab).to_have_url(re.compile("#origin=hand-written&task=PutBlockInBowl-v0$"))
    expect(dialog).to_contain_text("Certificate")
    assert tab.locator(".close svg").bounding_box()["width"] == 20
    dialog.get_by_text("Program,").press("Enter")
    expect(dialog.get_by_text("class PutBlockInBowl(Task):")).to_be_visible()
    tab.wait_for_function("document.querySelector('#solved').naturalWidth == 640")
    tab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(tab).to_have_url(re.compile("#origin=hand-written$"))
    assert tab.evaluate("document.activeElement.textContent") == "Put Block in Bowl"
    expect(tab.locator(".card figure")).to_have_count(3)  # the clip is back in its card
    tab.go_back()
    tab.go_forward()
    expect(dialog).to_be_hidden()


def test_from_one_task_to_another_and_back(visit: Callable[..., Any]) -> None:
    tab = visit("#task=Hostile-v0")
    expect(tab.get_by_role("dialog")).to_contain_text(SCRIPT)
    tab.evaluate("location.hash = '#task=TinyZone-v0'")
    tab.get_by_role("dialog").get_by_role("heading", name="Tiny Zone").wait_for()
    expect(tab.locator("dialog figure video")).to_have_count(1)
    tab.go_back()
    tab.get_by_role("dialog").get_by_role("heading", name="Hostile").wait_for()
    tab.get_by_role("button", name="Close").click()
    expect(tab.locator(".card figure")).to_have_count(3)


MOVES = "video => new Promise(done => video.addEventListener('timeupdate', () => "
MOVES += "video.currentTime > 0.2 && done(video.videoWidth)))"


def test_clips_play_in_view_and_can_be_paused(visit: Callable[..., Any]) -> None:
    tab = visit()
    video = tab.locator("video").first
    assert video.evaluate(MOVES) == 480
    pause = tab.get_by_role("button", name="Pause the clip of").first
    pause.focus()
    tab.keyboard.press("Enter")
    assert video.evaluate("video => video.paused")
    tab.get_by_role("button", name="Play the clip of").first.press("Enter")
    tab.wait_for_function("!document.querySelector('video').paused")
    tab.get_by_role("button", name="Pause clips").press("Enter")
    assert tab.locator("video").evaluate_all("all => all.every(video => video.paused)")
    tab.get_by_role("button", name="Play clips").press("Enter")
    tab.wait_for_function("!document.querySelector('video').paused")


def test_readers_who_prefer_reduced_motion_get_the_solved_scene(visit: Callable[..., Any]) -> None:
    tab = visit(reduced_motion="reduce")
    expect(tab.get_by_role("button", name="Play clips")).to_be_visible()
    expect(tab.locator("figure img").first).to_be_visible()
    assert tab.locator("video").evaluate_all("all => all.every(video => !video.currentTime)")
    tab.get_by_role("button", name="Play the clip of").first.press("Enter")
    assert tab.locator("video").first.evaluate(MOVES) == 480
    expect(tab.locator("figure img").first).to_be_hidden()


@pytest.mark.parametrize("hash", ["", "#task=Hostile-v0"])
@pytest.mark.parametrize("size", [(360, 740), (1280, 800)])
def test_nothing_is_wider_than_the_screen(
    visit: Callable[..., Any], size: tuple[int, int], hash: str
) -> None:
    tab = visit(hash, size)
    wide = "element => element.scrollWidth - element.clientWidth"
    assert tab.locator("html").evaluate(wide) == 0
    if hash:
        tab.get_by_text("Program,").click()
        assert tab.locator("dialog pre").last.evaluate(wide) > 0  # it scrolls by itself
        assert tab.locator(".sheet").evaluate(wide) == 0


def test_touch_targets_are_large_enough(visit: Callable[..., Any]) -> None:
    tab = visit("", (360, 740), has_touch=True)
    tab.get_by_text("Filters").tap()
    targets = tab.locator("button:visible, summary:visible, #filters label, input[type=search]")
    sizes = targets.evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(r => [r.width, r.height])"
    )
    assert len(sizes) > 10
    assert min(min(size) for size in sizes) >= 44
    assert len(set(tab.locator(".card").evaluate_all("all => all.map(e => e.offsetLeft)"))) == 1


NAMELESS = """() => [...document.querySelectorAll('button, a, input, video, img, summary, dialog')]
  .filter(e => e.checkVisibility() && !e.textContent.trim() && !e.labels?.length
    && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.alt)
  .map(e => e.outerHTML.slice(0, 80))"""

FAINT = """() => {
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const parse = color => color.match(/[\\d.]+/g).map(Number);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(e).backgroundColor);
      if (a === 1) return [r, g, b];
    }
  };
  const faint = new Set();
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility()) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(parse(style.color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.add(`${e.className || e.tagName} ${ratio.toFixed(2)}`);
  }
  return [...faint];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("hash", ["", "#task=PutBlockInBowl-v0"])
def test_everything_has_a_name_and_can_be_read(
    visit: Callable[..., Any], scheme: str, hash: str
) -> None:
    tab = visit(hash, color_scheme=scheme)
    assert tab.evaluate(NAMELESS) == []
    tab.locator("dialog details").evaluate_all("all => all.forEach(e => { e.open = true })")
    assert tab.evaluate(FAINT) == []
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert tab.evaluate("document.documentElement.lang") == "en"
    expect(tab.locator("h1")).to_have_count(1)
