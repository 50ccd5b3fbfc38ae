"""The tables of policies and text encoders.

To add one, write a file in this folder and a line here.
"""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Literal, cast

from agents.errors import AgentsError

if TYPE_CHECKING:
    from agents.policies.base import Policy
    from agents.policies.text_encoders import TextEncoder

Kind = Literal["imitation", "reinforcement", "scripted"]
"""Whether a policy learns from demonstrations, learns from reward, or needs no training."""


POLICIES: dict[Kind, dict[str, str]] = {
    "imitation": {
        "transporter": "agents.policies.transporter:Transporter",
        "pointer": "agents.policies.pointer:Pointer",
        "bc_state": "agents.policies.bc_state:BCState",
        "bc_image": "agents.policies.bc_image:BCImage",
    },
    "reinforcement": {"ppo": "agents.policies.sb3:PPO", "sac": "agents.policies.sb3:SAC"},
    "scripted": {
        "oracle": "agents.policies.scripted:OraclePolicy",
        "random": "agents.policies.scripted:RandomPolicy",
        "noop": "agents.policies.scripted:NoopPolicy",
    },
}
"""All policies: name -> "module:class", which is imported when the policy is used."""
ENCODERS = {
    "minilm": "agents.policies.text_encoders:MiniLM",
    "words": "agents.policies.text_encoders:Words",
    "clip": "agents.policies.clip:Clip",
}
"""All text encoders by name."""


def scripted_policy(name: str) -> Policy:
    """A policy that needs no training.

    Raises:
        AgentsError: if there is no such policy, or it has to be trained.
    """
    known = POLICIES["scripted"]
    if name not in known:
        raise AgentsError(
            f"{name!r:.60} is not a scripted policy ({', '.join(known)}); give the folder of a "
            "trained one as --checkpoint"
        )
    return cast("Policy", pkgutil.resolve_name(known[name])())


def text_encoder(name: str) -> TextEncoder:
    """The text encoder of a name: "minilm", "words", or "clip:ARCHITECTURE/WEIGHTS".

    WEIGHTS is a tag of open_clip whose file is in the user's cache, as in "clip:RN50/openai", or
    the path of a file.

    Raises:
        GensimError: if it is unknown or missing.
    """
    family = name.partition(":")[0]
    if family not in ENCODERS or (":" in name) != (family == "clip"):
        raise AgentsError(
            f"unknown text encoder {name!r:.80}; choose minilm, words or one like clip:RN50/openai"
        )
    cls = pkgutil.resolve_name(ENCODERS[family])
    return cast("TextEncoder", cls(name) if family == "clip" else cls())
