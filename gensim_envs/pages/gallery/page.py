"""The gallery: one file of HTML that holds everything and asks no network for anything."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from gensim_envs.library import Record
from gensim_envs.pages.gallery import facts
from gensim_envs.pages.gallery.clips import Clip
from gensim_envs.pages.gallery.html import BASE, data_url, highlighted, policy, tag, text
from gensim_envs.task.assets import COLORS
from gensim_envs.task.spec import TaskSpec
from gensim_envs.utils.naming import words

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """A task of the gallery.

    Attributes:
        record: of its library.
        clip: what was filmed.
        source: its program.
        author: the model that wrote it; nothing where a person did.
    """

    record: Record
    clip: Clip
    source: str
    author: str

    @property
    def key(self) -> str:
        """What names it within the page."""
        return self.record.id.removeprefix("gensim/")

    @property
    def title(self) -> str:
        """Its name as words."""
        return words(self.record.name)

    @property
    def origin(self) -> str:
        """How it came about."""
        return "generated" if self.author else "hand-written"


def page(entries: Sequence[Entry]) -> str:
    """The whole page. It depends on the entries only."""
    parts = {name: _part(name) for name in ("template.html", "page.css", "page.js")}
    style = (
        BASE
        + parts["page.css"]
        + "".join(
            f".{name} {{ --color: rgb({r} {g} {b}); }}\n" for name, (r, g, b) in COLORS.items()
        )
    )
    return string.Template(parts["template.html"]).substitute(
        policy=policy(style, parts["page.js"]),
        style=style,
        script=parts["page.js"],
        count=facts.counted(len(entries), "task"),
        filters=text(_filters(entries)),
        cards=text(map(_card, entries)),
    )


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _icon(name: str) -> Element:
    return tag("svg", tag("use", href=f"#{name}"), class_=name, aria_hidden="true")


# Filters.


def _filters(entries: Sequence[Entry]) -> list[Element]:
    """A set of boxes to tick for each thing that can be filtered by."""
    found: dict[str, Counter[str]] = {name: Counter() for name in ("relation", "origin", "asset")}
    for entry in entries:
        found["asset"].update(facts.assets(entry.clip.spec))
        found["relation"].update(facts.relations(entry.clip.spec))
        found["origin"].update([entry.origin])
    titles = {"asset": "Assets", "relation": "Relations", "origin": "Written by"}
    labels = {"generated": "a model", "hand-written": "hand"}
    return [
        tag(
            "fieldset",
            tag("legend", titles[group]),
            *(_choice(group, name, labels.get(name, name)) for name in sorted(names)),
        )
        for group, names in found.items()
    ]


def _choice(group: str, name: str, label: str) -> Element:
    return tag(
        "label",
        tag("input", type="checkbox", name=group, value=name),
        tag("span", label, class_="name"),
        tag("span", class_="count", aria_hidden="true"),
    )


# Cards.


def _card(entry: Entry) -> Element:
    """A task as it is seen among others; all about it is in a template."""
    record, spec = entry.record, entry.clip.spec
    sentences = [goal.instruction for goal in spec.goals]
    kinds, relations = facts.assets(spec), facts.relations(spec)
    names = [thing.name for thing in facts.things(spec)]
    searched = [record.id, entry.title, record.summary, *sentences, *names, *kinds, *relations]
    return tag(
        "article",
        tag("div", _film(entry), class_="frame"),
        tag(
            "div",
            tag("h2", tag("a", entry.title, href=f"#task={entry.key}")),
            tag("p", record.summary),
            tag("p", f"“{sentences[0]}”", class_="instruction"),
            _tags(kinds, relations),
            tag("p", *_in_short(entry), class_="figures"),
            class_="body",
        ),
        tag("template", *_everything(entry)),
        class_="card",
        data_key=entry.key,
        data_search=" ".join([*searched, entry.author]).lower(),
        data_asset="|".join(kinds),
        data_relation="|".join(relations),
        data_origin=entry.origin,
    )


def _film(entry: Entry) -> Element:
    clip = entry.clip
    return tag(
        "figure",
        tag(
            "video",
            src=data_url("video/mp4", clip.film), poster=data_url("image/webp", clip.start),
            width="480", height="360", preload="none", muted="", loop="", playsinline="",
            aria_label=f"The oracle solves {entry.title}",
        ),
        tag(
            "img",
            src=data_url("image/webp", clip.solved), width="640", height="480", decoding="async",
            alt=f"{entry.title}, solved",
        ),
        tag(
            "button", _icon("play"), _icon("pause"),
            type="button", aria_label=f"Play the clip of {entry.title}",
        ),
    )  # fmt: skip


def _tags(kinds: Iterable[str], relations: Iterable[str]) -> Element:
    return tag(
        "ul",
        *(tag("li", name, class_="relation") for name in relations),
        *(tag("li", name) for name in kinds),
        class_="tags",
        aria_label="Relations and assets",
    )


def _in_short(entry: Entry) -> list[Element]:
    figures = facts.certificate(entry.record)
    return [
        tag("span", facts.counted(len(entry.clip.spec.goals), "goal")),
        tag("span", facts.counted(entry.clip.actions, "action")),
        tag("span", f"solved {figures['oracle']}"),
    ]


def _everything(entry: Entry) -> list[Element]:
    """What the dialog shows below the clip."""
    record, spec = entry.record, entry.clip.spec
    lines = entry.source.count("\n")
    return [
        tag(
            "header",
            tag("h2", entry.title, id="title", tabindex="-1"),
            tag("p", tag("code", record.id), class_="id"),
            tag("p", record.summary),
        ),
        _section("Goals, in this order", _goals(spec)),
        _section("On the table", _things(spec)),
        _section("Certificate, on 20 seeds", _pairs(_certificate(entry))),
        _section("At most", _pairs(_bounds(record))),
        _section("Origin", tag("p", _origin(entry)), *_replay(entry)),
        tag(
            "details",
            tag("summary", f"Program, {facts.counted(lines, 'line')}"),
            tag("pre", tag("code", *highlighted(entry.source)), tabindex="0"),
        ),
    ]


def _section(title: str, *content: Element) -> Element:
    return tag("section", tag("h3", title), *content)


def _goals(spec: TaskSpec) -> Element:
    return tag(
        "ol",
        *(
            tag(
                "li",
                tag("span", goal.instruction, class_="sentence"),
                tag(
                    "span",
                    ", ".join(facts.moved(spec, goal)),
                    " ",
                    tag("span", goal.relation, class_="relation"),
                    class_="meaning",
                ),
            )
            for goal in spec.goals
        ),
        class_="goals",
    )


def _things(spec: TaskSpec) -> Element:
    return tag("ul", *map(_thing, facts.things(spec)), class_="things")


def _thing(thing: facts.Thing) -> Element:
    item = tag(
        "li",
        tag("span", class_=f"swatch {thing.color}", aria_hidden="true"),
        facts.times(thing.count, thing.name),
    )
    if thing.role:
        item.append(tag("span", thing.role, class_="role"))
    return item


def _pairs(pairs: Iterable[tuple[str, str]]) -> Element:
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs))


def _certificate(entry: Entry) -> list[tuple[str, str]]:
    figures = facts.certificate(entry.record)
    return [
        ("Oracle solves", figures["oracle"]),
        ("Actions it takes", figures["actions"]),
        ("Random solves", figures["random"]),
        ("Return of no-op", figures["noop"]),
        ("Redrawn", figures["redraws"]),
    ]


def _bounds(record: Record) -> list[tuple[str, str]]:
    names = {"items": "Bodies", "targets": "Places of a goal", "steps": "Actions needed"}
    pairs = [(names[key], str(record.bounds[key])) for key in names]
    return [*pairs, ("Actions allowed", str(record.max_episode_steps))]


def _origin(entry: Entry) -> str:
    return f"Written by {entry.author}." if entry.author else "Written by hand."


def _replay(entry: Entry) -> list[Element]:
    speed = entry.clip.speed
    shown = "in real time" if speed == 1 else f"{speed:g} times as fast"
    return [
        tag("p", f"The clip shows the oracle on seed {entry.clip.seed}, {shown}. To play it:"),
        tag("pre", tag("code", f"gensim play {entry.record.id} --seed {entry.clip.seed}")),
    ]
