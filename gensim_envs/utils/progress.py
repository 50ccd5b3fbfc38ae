"""Show the progress of long work: a bar on a terminal if tqdm is installed, else plain lines."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Self, TextIO

from gensim_envs.printing import printable

if TYPE_CHECKING:
    from tqdm import tqdm


class Progress:
    """Count the steps of long work on stderr; a context manager.

    Args:
        total: number of steps; None if unknown.
        title: text before the bar.
        unit: name of a step.
        done: steps that an earlier run completed.
    """

    def __init__(
        self, total: int | None = None, title: str = "", unit: str = "it", done: int = 0
    ) -> None:
        self._bar: tqdm[Any] | None = None
        if sys.stderr is not None and sys.stderr.isatty():
            with contextlib.suppress(ModuleNotFoundError):
                from tqdm import tqdm

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
        """Whether a bar is shown."""
        return self._bar is not None

    def expect(self, total: int) -> None:
        """Set the number of steps once it is known."""
        if self._bar is not None:
            self._bar.reset(total)

    def advance(self, steps: int = 1, **figures: object) -> None:
        """Count completed steps and show figures beside the bar."""
        if self._bar is not None:
            if figures:
                shown = {name: printable(str(value), 60) for name, value in figures.items()}
                self._bar.set_postfix(shown, refresh=False)
            self._bar.update(steps)

    def line(self, text: str, stream: TextIO | None = None) -> None:
        """Print a line above the bar, by default on stdout; its text may come from anyone."""
        if self._bar is not None:
            self._bar.clear()
        print(printable(text), file=stream, flush=True)
        if self._bar is not None:
            self._bar.refresh()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
