"""What learners have in common.

They are torch modules: from a batch of demonstrations to a loss, from an observation to an action.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.errors import AgentsError
from agents.policies import language
from agents.training import checkpoint

if TYPE_CHECKING:
    import gymnasium as gym

    from agents.data.demonstrations import Demonstrations, Sample

LEARNERS = {
    "transporter": "agents.policies.transporter:Transporter",
    "bc_state": "agents.policies.bc_state:BCState",
    "bc_image": "agents.policies.bc_image:BCImage",
    "ppo": "agents.training.ppo:PPO",
    "sac": "agents.training.sac:SAC",
}
"""Name -> module and class; loaded when asked for."""
REINFORCED = ("ppo", "sac")
"""Those that learn by acting; the others learn from demonstrations."""

Array = NDArray[Any]


@dataclass(frozen=True)
class About:
    """What a policy was made for. It is all that tells a machine without the simulator about it."""

    agent: str
    """Name of the learner."""
    envs: tuple[str, ...]
    """Ids of the tasks that it was trained on."""
    obs_mode: str
    """"rgbd" or "state"."""
    observation: dict[str, list[int]]
    """Name -> shape of each part of an observation: color and height, or state."""
    action_low: tuple[float, ...]
    """Least value of each of the six numbers; those of x and y are the table's edges."""
    action_high: tuple[float, ...]
    """Greatest value of each; the images show the table from the least to the greatest x and y."""
    encoder: str | None
    """What turns instructions into tokens; None where they are not read."""
    encoder_width: int
    """Width of a token, or of the vocabulary where tokens are numbers of words."""
    state_bounds: dict[str, int] = field(default_factory=dict)
    """Most of each kind of thing that a state vector has room for; empty where that is what `envs`
    need, or where there are pictures."""
    encoder_fingerprint: tuple[float, ...] = ()
    """Tells encoders of one name apart; empty where it is not known."""

    @property
    def bounds(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(6,) least and (6,) greatest values of an action."""
        return np.array(self.action_low, np.float32), np.array(self.action_high, np.float32)

    def as_json(self) -> dict[str, Any]:
        """A JSON object from which `from_json` makes an equal one."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> About:
        """The inverse of `as_json`.

        Raises:
            AgentsError: a field is missing or unknown.
        """
        names = [field.name for field in fields(cls)]
        if sorted(value) != sorted(names):
            raise AgentsError(
                f"the description of a checkpoint has {', '.join(sorted(value)) or 'nothing'} "
                f"where {', '.join(sorted(names))} belong; train it anew with this version"
            )
        given: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in value.items()
        }
        return cls(**given)

    def misfits(self, other: About) -> list[str]:
        """In what another policy or dataset differs, so that weights would not carry over."""
        names = ("agent", "obs_mode", "observation", "action_low", "action_high",
                 "encoder", "encoder_width")  # fmt: skip
        differ = [name for name in names if getattr(self, name) != getattr(other, name)]
        if not language.alike(self.encoder_fingerprint, other.encoder_fingerprint):
            differ.append("encoder_fingerprint")
        return [f"{n} is {getattr(other, n)} there and {getattr(self, n)} here" for n in differ]


class Learner(nn.Module):
    """A policy that learns from demonstrations."""

    obs_mode: ClassVar[str]
    """"rgbd" or "state"."""
    language: ClassVar[bool] = True
    """Whether it reads instructions; without, its tokens are empty."""
    Config: ClassVar[type]
    """Dataclass of its hyperparameters, each with a default and a docstring."""
    run: ClassVar[Mapping[str, Any]] = {}
    """What of a run's Config it learns best with, where that is not the class's default."""

    def __init__(self, config: Any, about: About) -> None:
        super().__init__()
        self.config = config
        self.about = about

    @classmethod
    def check(cls, config: Any, encoder: str) -> None:
        """Sees to it that what a learner needs beside torch is here.

        Args:
            config: its hyperparameters.
            encoder: of its instructions.

        Raises:
            AgentsError: naming what is missing.
        """

    def measure(self, demos: Demonstrations) -> None:
        """Takes what the network needs to know of the training set as a whole, into buffers.

        Called once, before training from scratch.
        """

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator, train: bool
    ) -> dict[str, Tensor]:
        """Stacks samples into a batch on the CPU, augmented where `train` says so.

        Called in loader threads, several at a time: it draws from `rng` only and changes nothing.

        Args:
            samples: (B,) steps of demonstrations.
            tokens: the tokens of their instructions, (L, width) float16 or (L,) int64 each.
            rng: the only randomness.
            train: False for batches that are compared with each other.
        """
        raise NotImplementedError

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean to minimise over a batch, and parts of it to log, all scalars."""
        raise NotImplementedError

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss: what DistributedDataParallel calls."""
        return self.loss(batch)

    def optimizer_groups(self) -> list[dict[str, Any]]:
        """Groups of parameters for AdamW; a group without "lr" gets the run's."""
        return [{"params": [p for p in self.parameters() if p.requires_grad]}]

    def predict(self, observation: Mapping[str, Array], tokens: Array) -> NDArray[np.float32]:
        """(6,) action for one observation, within the bounds.

        Args:
            observation: color and height, or state.
            tokens: of the instruction, as in `prepare`.
        """
        raise NotImplementedError

    def heatmaps(self) -> dict[str, NDArray[np.float32]] | None:
        """Of the last `predict`: "pick" and "place", (160, 320) each; None if it has none."""
        return None

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.parameters()).device

    def clipped(self, action: Array) -> NDArray[np.float32]:
        """(6,) the action, within the bounds."""
        low, high = self.about.bounds
        return np.clip(action.astype(np.float32), low, high)


def pad_tokens(tokens: Sequence[Array]) -> tuple[Tensor, Tensor]:
    """Stacks sentences of different lengths.

    Returns:
        (B, L, width) float32 tokens, or (B, L) int64 numbers of words, padded with zeros; and
        (B, L) bool, True where a token is. L is at least 1.
    """
    longest = max(1, *(len(t) for t in tokens))
    first = np.asarray(tokens[0])
    kind = np.int64 if first.dtype.kind in "iu" else np.float32
    padded = np.zeros((len(tokens), longest, *first.shape[1:]), kind)
    mask = np.zeros((len(tokens), longest), bool)
    for row, sentence in enumerate(tokens):
        padded[row, : len(sentence)] = sentence
        mask[row, : len(sentence)] = True
    return torch.from_numpy(padded), torch.from_numpy(mask)


# --------------------------------------------------------------------------------- by their names


def imitators() -> list[str]:
    """Names of learners that learn from demonstrations, and that DAgger can train."""
    return [name for name in LEARNERS if name not in REINFORCED]


def learner_class(name: str) -> type[Learner]:
    """The class of a learner.

    Raises:
        AgentsError: there is no such learner.
    """
    if name not in LEARNERS:
        raise AgentsError(f"no learner is called {name!r}; there are {', '.join(LEARNERS)}")
    module, attribute = LEARNERS[name].split(":")
    found: type[Learner] = getattr(importlib.import_module(module), attribute)
    return found


def make_learner(about: About, settings: Mapping[str, Any]) -> Learner:
    """A learner with fresh weights from torch's generator.

    Args:
        about: what it is for.
        settings: hyperparameters that differ from the defaults of its Config.

    Raises:
        AgentsError: a hyperparameter is unknown or not allowed.
    """
    cls = learner_class(about.agent)
    try:
        return cls(hyperparameters(about.agent, settings), about)
    except ValueError as error:
        raise AgentsError(f"{about.agent}: {error}") from error


def hyperparameters(agent: str, settings: Mapping[str, Any]) -> Any:
    """A learner's Config.

    Raises:
        AgentsError: a setting is unknown or not allowed.
    """
    cls = learner_class(agent).Config
    known = [field.name for field in fields(cls)]
    for name in settings:
        if name not in known:
            raise AgentsError(f"{agent} has no option {name!r}; it has {', '.join(known)}")
    try:
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()})
    except ValueError as error:
        raise AgentsError(f"{agent}: {error}") from error


def load_learner(folder: Path | str, device: str | torch.device = "cpu") -> Learner:
    """The learner of a checkpoint with its best weights, in evaluation mode.

    Raises:
        AgentsError: there is no checkpoint, or none that this version can read.
    """
    folder = Path(folder)
    described = checkpoint.load_json(folder / checkpoint.AGENT)
    if "about" not in described or "config" not in described:
        raise AgentsError(f"{folder / checkpoint.AGENT} describes no learner; train it anew")
    learner = make_learner(About.from_json(described["about"]), described["config"])
    weights, _ = checkpoint.load_tensors(folder / checkpoint.MODEL)
    load_weights(learner, weights, folder)
    return learner.to(device).eval()


def load_weights(learner: Learner, weights: Mapping[str, Tensor], source: Path) -> None:
    """Puts weights into a learner.

    Raises:
        AgentsError: they belong to a network of another shape.
    """
    own = learner.state_dict()
    wrong = list(own.keys() ^ weights.keys()) + [
        name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape
    ]
    if wrong:
        raise AgentsError(
            f"the weights in {source} are of another network ({len(wrong)} differ, such as "
            f"{min(wrong)}); use the options of {learner.about.agent} that it was trained with"
        )
    learner.load_state_dict(dict(weights))


# ------------------------------------------------------------------------------------- as a player


class Agent(Protocol):
    """What `agents.evaluation.evaluate` plays."""

    obs_mode: str

    def begin(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """A new episode of `env` has been reset; `rng` is for whoever acts at random."""

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """(6,) the next action."""

    def heatmaps(self) -> dict[str, NDArray[np.float32]] | None:
        """Where the last action was looked for: "pick" and "place", (160, 320) each."""


class LearnedAgent:
    """Plays a learner, whose instructions it encodes, each once."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.about = learner.about
        self.obs_mode = learner.obs_mode
        self._tokens: dict[str, Array] = {}
        self._encoder: Any = None
        if self.about.encoder is not None:
            self._encoder = language.encoder(self.about.encoder)
            if self._encoder.width != self.about.encoder_width:
                raise AgentsError(
                    f"the tokens of {self.about.encoder} are {self._encoder.width} wide and those "
                    f"of the checkpoint {self.about.encoder_width}; use the weights of the "
                    "encoder that it was trained with"
                )
            if not language.alike(self._encoder.fingerprint(), self.about.encoder_fingerprint):
                raise AgentsError(
                    f"the encoder {self.about.encoder} here has other weights than the one that "
                    "the checkpoint was trained with; use those"
                )

    def begin(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """Checks that the env is of the kind that the learner was trained for.

        Raises:
            AgentsError: naming the space that does not fit.
        """
        space: Any = env.observation_space
        parts = {"state": space} if self.obs_mode == "state" else getattr(space, "spaces", {})
        needed = self.about.observation
        shapes = {name: list(part.shape) for name, part in parts.items() if name in needed}
        if shapes != needed:
            raise AgentsError(
                f"{_id(env)} observes {shapes} and the checkpoint was trained for "
                f"{needed}; evaluate it on envs like {self.about.envs[0]} in "
                f"obs_mode={self.obs_mode!r} with equal bounds, or train one for this env"
            )
        actions: Any = env.action_space
        low, high = self.about.bounds
        if actions.shape != low.shape or not (
            np.allclose(actions.low, low) and np.allclose(actions.high, high)
        ):
            raise AgentsError(
                f"the actions of {_id(env)} are {actions} and the checkpoint's go from "
                f"{low.tolist()} to {high.tolist()}; unwrap the env, or train one for it"
            )

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """(6,) the next action."""
        parts = {"state": observation} if self.obs_mode == "state" else observation
        return self.learner.predict(parts, self._encoded(instruction))

    def heatmaps(self) -> dict[str, NDArray[np.float32]] | None:
        """Of the last action, if the learner has some."""
        return self.learner.heatmaps()

    def _encoded(self, instruction: str) -> Array:
        if self._encoder is None:
            return np.zeros((0, 0), np.float32)
        if instruction not in self._tokens:
            self._tokens[instruction] = self._encoder.encode([instruction])[0]
        return self._tokens[instruction]


def load_agent(folder: Path | str, name: str | None = None) -> LearnedAgent:
    """The agent of a checkpoint, on the CPU.

    Args:
        folder: the --out of a training run.
        name: which learner it has to be, if that matters.

    Raises:
        AgentsError: there is no such checkpoint, or its language encoder cannot be had.
    """
    learner = load_learner(folder)
    if name is not None and learner.about.agent != name:
        raise AgentsError(f"{folder} holds a {learner.about.agent}, not a {name}")
    return LearnedAgent(learner)


def _id(env: gym.Env[Any, Any]) -> str:
    return env.spec.id if env.spec is not None else "the env"
