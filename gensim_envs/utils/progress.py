"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any, Self, TextIO

from tqdm import tqdm


class Progress:
    """Counts the steps of something long on stderr; a context manager.

    Args:
        total: number of steps; None where it is not known yet.
        title: what is being done.
        unit: what a step is.
        done: steps that an earlier run has done.
    """

    def __init__(
        self, total: int | None = None, title: str = "", unit: str = "it", done: int = 0
    ) -> None:
        self._bar: tqdm[Any] | None = None
        if sys.stderr is not None and sys.stderr.isatty():
            self._bar = tqdm(
                total=total,
                desc=title or None,
                unit=unit,
                initial=done,
                leave=False,
                dynamic_ncols=True,
            )

    @property
    def visible(self) -> bool:
        """Whether there is a terminal to show a bar on."""
        return self._bar is not None

    def expect(self, total: int) -> None:
        """Set the number of steps, where it is known only now."""
        if self._bar is not None:
            self._bar.reset(total)

    def advance(self, steps: int = 1, **figures: object) -> None:
        """Count further steps; the figures are shown beside the bar."""
        if self._bar is not None:
            if figures:
                self._bar.set_postfix(figures, refresh=False)
            self._bar.update(steps)

    def line(self, text: str, stream: TextIO | None = None) -> None:
        """Print a line that stays, by default on stdout."""
        if self._bar is not None:
            self._bar.clear()
        print(text, file=stream, flush=True)
        if self._bar is not None:
            self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
