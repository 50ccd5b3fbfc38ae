"""Exchange prompts and answers as files, such as for copying to and from a chat window."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from gensim_envs.generation.providers import Sleep, estimate
from gensim_envs.generation.recording import Answer, Call
from gensim_envs.utils import files
from gensim_envs.utils.text import read_text


class FilesProvider:
    """Writes each prompt to a file and waits for the answer in another.

    Args:
        folder: folder of the files; `0007-implement-1.prompt.md` is answered in
            `0007-implement-1.answer.md`.
        model: the author, for the provenance.
        sleep: waits between looks.
        say: called with a line about a prompt that waits for its answer.
    """

    def __init__(
        self, folder: Path, model: str, *, sleep: Sleep = time.sleep,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:  # fmt: skip
        self.model = model
        self._folder = folder
        self._sleep = sleep
        self._say = say

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        stem = f"{call.attempt:04d}-{call.name}"
        prompt, answer = (self._folder / f"{stem}.{kind}.md" for kind in ("prompt", "answer"))
        data = ("\n\n".join(message.content.strip() for message in call.messages) + "\n").encode()
        if not prompt.exists() or files.read(prompt) != data:
            files.remove(prompt)  # so that nobody answers it while its old answer is set aside
            if answer.exists():
                files.rename(answer, f"{stem}.answer.old.md")
                self._say(f"{answer.name} answered another prompt; it is now {stem}.answer.old.md")
            files.write(prompt, data)
        if not answer.exists():
            self._say(f"waiting for {answer}")
        began = time.monotonic()
        while not (text := _finished(answer)):
            self._sleep(0.2)
        tokens = estimate(message.content for message in call.messages)
        return Answer(text, tokens, estimate([text]), round(time.monotonic() - began, 3))


def _finished(path: Path) -> str:
    """The text of a file that is no longer being written to, else ""."""
    with contextlib.suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime >= 0.5:
            return read_text(path, "answer").strip()
    return ""
