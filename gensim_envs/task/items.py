"""Handles to things in a scene, which task programs pass around and write into sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, TypeVar

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset
from gensim_envs.task.checks.sentences import plural
from gensim_envs.task.pose import Pose

A = TypeVar("A", bound=Asset)
Kind = TypeVar("Kind", bound=Asset, covariant=True)


class Item(Generic[Kind]):
    """A handle to one thing in the scene; as text it is its colour and noun."""

    def __init__(self, index: int, asset: Kind, fixed: bool) -> None:
        self.index = index
        self.asset = asset
        self.fixed = fixed
        self._pose: Pose | None = None

    @property
    def pose(self) -> Pose:
        """Where a fixed item stands.

        Raises:
            TaskError: for a movable item, which is placed only after `build` has returned.
        """
        if self._pose is None or not self.fixed:
            raise TaskError(
                f"the {self} is movable, so it has no pose of its own",
                "Refer to it by on=, inside= or items, or add it with fixed=True",
            )
        return replace(self._pose, owner=self.index)

    def __str__(self) -> str:
        return str(self.asset)


class Group(list[Item[A]]):
    """Several items; as text, their colour and noun in the plural."""

    def __str__(self) -> str:
        names = list(dict.fromkeys(str(item) for item in self))
        return " and ".join(plural(name) if len(self) > 1 else name for name in names)
