"""The table of policies: to add one, write a file in this folder and a line here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from agents.errors import AgentsError

if TYPE_CHECKING:
    from agents.policies.base import Policy
    from agents.policies.learned import LearnedPolicy

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


def policy_names(kind: Kind) -> list[str]:
    """The names of the policies of a kind."""
    return [name for name, entry in POLICIES.items() if entry.kind == kind]


def policy_class(name: str) -> type[LearnedPolicy]:
    """The class of a policy that is trained.

    Raises:
        AgentsError: there is no such policy, or it needs no training.
    """
    trained = [*policy_names("imitation"), *policy_names("reinforcement")]
    if name not in trained:
        raise AgentsError(f"unknown policy {name!r:.60}; choose one of {', '.join(trained)}")
    return cast("type[LearnedPolicy]", _load(name))


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
    return cast("type[Policy]", _load(name))()


def _load(name: str) -> type:
    module, attribute = POLICIES[name].path.split(":")
    found: type = getattr(importlib.import_module(module), attribute)
    return found
