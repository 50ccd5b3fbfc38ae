"""Commands that show libraries and runs: gallery, report, map and stats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from gensim_envs.cli.shared import Folder, Price, check_writable, open_library, select
from gensim_envs.library import Library
from gensim_envs.utils.cli import UsageError, Workers


def gallery(
    ids: Positional[tuple[str, ...]] = (),
    *,
    out: Annotated[Path, arg(metavar="DIR")] = Path("out/gallery"),
    workers: Workers = None,
    library: Folder = None,
) -> int:
    """Write a page with pictures, videos and programs of tasks.

    Args:
        ids: ids or class names; all tasks of the library if there are none.
        out: folder of the page.
    """
    import imageio_ffmpeg  # noqa: F401  # fails here rather than after the first episode

    from gensim_envs.pages.gallery import write_gallery

    opened = open_library(library)
    records, broken = select(opened, ids)
    check_writable(out)
    page, shown = write_gallery(opened, records, out, workers=workers)
    print(f"wrote {page}: {shown} tasks, {page.stat().st_size / 1e6:.1f} MB")
    return 1 if broken or shown < len(records) else 0


def report(
    runs: Positional[tuple[Path, ...]],
    *,
    out: Annotated[Path | None, arg(metavar="DIR")] = None,
    price: Price = None,
    weak_sandbox: bool = False,
    workers: Workers = None,
) -> None:
    """Write a page about the results of runs; several are compared.

    Args:
        runs: folders of runs.
        out: folder of the page; by default that of the first run.
        weak_sandbox: run programs even if this machine cannot isolate them, for their pictures.
    """
    from gensim_envs.pages.report import write_report

    if not runs:
        raise UsageError("name at least one run. See gensim report --help")
    for folder in runs:
        if not (folder / "run.json").is_file():
            raise UsageError(f"{folder} is not a run: it has no run.json")
    out = out or runs[0]
    check_writable(out)
    page = write_report(runs, out, price=price, workers=workers, weak_sandbox=weak_sandbox)
    print(f"wrote {page}, {page.stat().st_size / 1e6:.1f} MB, and {page.with_suffix('.json').name}")


def draw_map(
    *,
    out: Annotated[Path, arg(metavar="FILE.html")] = Path("out/map.html"),
    embedder: str = "auto",
    library: Folder = None,
) -> None:
    """Draw the tasks of a library by the similarity of their descriptions.

    Args:
        out: where to write the page.
        embedder: auto, minilm, tfidf or openai:MODEL.
    """
    from gensim_envs.generation import embed
    from gensim_envs.generation.memory import recall
    from gensim_envs.generation.providers import ApiError, Budget
    from gensim_envs.generation.providers.server import OpenAIProvider
    from gensim_envs.pages.map import map_page
    from gensim_envs.utils import files

    opened = open_library(library)
    if out.is_dir():
        raise UsageError(f"{out} is a folder; name a file")
    check_writable(out.absolute().parent)
    entries, generated = recall(opened), _generated(opened)
    server = None
    if embedder.startswith("openai:"):
        server = OpenAIProvider(embedder.removeprefix("openai:"), Budget())
    try:
        html = map_page(entries, generated, embed.embedder(embedder, server))
    except ApiError as error:
        raise UsageError(str(error)) from error
    files.write(out, html.encode())
    print(f"wrote {out}: {len(entries)} tasks, {len(generated)} of them generated")


def stats(*, as_json: Annotated[bool, arg(name="json")] = False, library: Folder = None) -> None:
    """Count the assets, relations and goals of a library's tasks.

    Args:
        as_json: print the figures as JSON.
    """
    from gensim_envs.generation.memory import recall
    from gensim_envs.pages.stats import count, lines

    opened = open_library(library)
    found = count(recall(opened), _generated(opened))
    print(json.dumps(found.to_json(), indent=2) if as_json else "\n".join(lines(found)))


def _generated(library: Library) -> set[str]:
    """Class names of the tasks that models wrote."""
    return {record.name for record in library.records() if not record.hand_written}
