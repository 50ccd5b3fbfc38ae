"""The tables of policies and text encoders.

To add one, write a file in this folder and a line here.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from agents.errors import AgentsError

if TYPE_CHECKING:
    from agents.policies.base import Policy
    from agents.policies.text_encoders import TextEncoder

Kind = Literal["imitation", "reinforcement", "scripted"]
"""Whether a policy learns from demonstrations, learns from reward, or needs no training."""


@dataclass(frozen=True)
class Entry:
    """One policy.

    Attributes:
        kind: how it is trained.
        path: "module:class", which is imported when the policy is used.
    """

    kind: Kind
    path: str


POLICIES = {
    "transporter": Entry("imitation", "agents.policies.transporter:Transporter"),
    "bc_state": Entry("imitation", "agents.policies.bc_state:BCState"),
    "bc_image": Entry("imitation", "agents.policies.bc_image:BCImage"),
    "ppo": Entry("reinforcement", "agents.policies.sb3:PPO"),
    "sac": Entry("reinforcement", "agents.policies.sb3:SAC"),
    "oracle": Entry("scripted", "agents.policies.scripted:OraclePolicy"),
    "random": Entry("scripted", "agents.policies.scripted:RandomPolicy"),
    "noop": Entry("scripted", "agents.policies.scripted:NoopPolicy"),
}
"""All policies by name."""
ENCODERS = {
    "minilm": "agents.policies.text_encoders:MiniLM",
    "words": "agents.policies.text_encoders:Words",
    "clip": "agents.policies.clip:Clip",
}
"""All text encoders by name."""


def policy_names(kind: Kind) -> list[str]:
    """The names of the policies of a kind."""
    return [name for name, entry in POLICIES.items() if entry.kind == kind]


def scripted_policy(name: str) -> Policy:
    """A policy that needs no training.

    Raises:
        AgentsError: there is no such policy, or it has to be trained.
    """
    known = policy_names("scripted")
    if name not in known:
        raise AgentsError(
            f"{name!r:.60} is not a scripted policy ({', '.join(known)}); give the folder of a "
            "trained one as --checkpoint"
        )
    return cast("type[Policy]", load_class(name))()


def text_encoder(name: str) -> TextEncoder:
    """The text encoder of a name: "minilm", "words", or "clip:ARCHITECTURE/WEIGHTS".

    WEIGHTS is a tag of open_clip whose file is in the user's cache, as in "clip:RN50/openai", or
    the path of a file.

    Raises:
        GensimError: it is unknown or missing.
    """
    family = name.partition(":")[0]
    if family not in ENCODERS or (":" in name) != (family == "clip"):
        raise AgentsError(
            f"unknown text encoder {name!r:.80}; choose minilm, words or one like clip:RN50/openai"
        )
    cls = _import(ENCODERS[family])
    return cast("TextEncoder", cls(name) if family == "clip" else cls())


def load_class(name: str) -> type:
    """Import the class of a policy."""
    return cast("type", _import(POLICIES[name].path))


def _import(path: str) -> Any:
    module, attribute = path.split(":")
    return getattr(importlib.import_module(module), attribute)
