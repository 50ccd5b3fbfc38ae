"""The names of what happens to a task in the pipeline; no other module lists them."""

from __future__ import annotations

from typing import Literal, get_args

from gensim_envs.errors import Cause

Stage = Literal["proposal", "gate", "spec", "oracle", "semantics", "reflection", "published"]
"""A check that a task passes; novelty is checked along the way and again before publishing."""
STAGES: tuple[Stage, ...] = get_args(Stage)
"""All stages, in the order in which a task passes them."""
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""All reasons for which a task can be refused."""

Query = Literal[
    "curriculum", "propose", "review", "pick", "implement", "single", "repair", "restate", "reflect"
]
"""What a model can be asked for."""
