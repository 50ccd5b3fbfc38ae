"""Base class of trained policies: a torch module with a loss, a config and a checkpoint."""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from agents import checkpoint
from agents.errors import AgentsError
from agents.policies.base import Array, Policy, PolicySpec, same_encoder
from agents.policies.registry import POLICIES, text_encoder
from agents.policies.text_encoders import TextEncoder
from gensim_envs.errors import GensimError
from gensim_envs.printing import printable
from gensim_envs.utils.decode import DecodeError, decode

if TYPE_CHECKING:
    import gymnasium as gym

    from agents.data.demonstrations import Demonstrations, Sample


_KINDS = {"color": "u", "height": "f"}  # of numpy's types: unsigned and floating-point numbers
_IMPOSSIBLE = (
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    UserWarning,
)
"""Errors of torch where the numbers of a config make no network."""


class LearnedPolicy(nn.Module, Policy):
    """A policy that is trained.

    A subclass defines the class attributes, `forward`, `prepare` and `select_action`; those that
    Stable-Baselines3 trains define the last one only.
    """

    spec: PolicySpec
    config_class: ClassVar[type]
    """Dataclass of the hyperparameters; every field has a default and a docstring."""
    reads_instructions: ClassVar[bool] = True
    """Whether it gets the tokens of instructions; otherwise they are empty."""
    train_defaults: ClassVar[Mapping[str, Any]] = {}
    """Fields of a `TrainConfig` whose defaults differ for this policy."""

    def __init__(self, config: Any, spec: PolicySpec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec
        self._encoder: TextEncoder | None = None
        self._shapes = spec.observation  # what `act` reads, in the env of the last reset
        self._tokens: dict[str, Array] = {}

    # ------------------------------------------------------------------------------- training

    @classmethod
    def check_requirements(cls, config: Any, encoder: str) -> None:
        """Check that what the policy needs besides torch is installed.

        Args:
            config: its hyperparameters.
            encoder: name of the text encoder.

        Raises:
            AgentsError: naming what is missing.
        """

    def fit_statistics(self, demos: Demonstrations) -> None:
        """Store statistics of the training set in buffers, once, before training from scratch."""

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """Stack samples into a batch of training, on the CPU.

        Loader threads call this concurrently: it draws from `rng` only and changes no state.

        Args:
            samples: B steps of demonstrations.
            tokens: of their instructions, (L, width) float16 or (L,) int64 each.
            rng: the only source of randomness.
        """
        raise NotImplementedError

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean loss over a batch, and scalars to log."""
        raise NotImplementedError

    # --------------------------------------------------------------------------------- acting

    def select_action(
        self, observation: Mapping[str, Array], tokens: Array, instruction: str
    ) -> NDArray[np.float32]:
        """The action for one observation, (6,), within the bounds.

        Args:
            observation: color and height, or state.
            tokens: of the instruction, as for `prepare`.
            instruction: its text, for what the policy looks up in it by itself, such as colours.
        """
        raise NotImplementedError

    def load_text_encoder(self) -> None:
        """Load the text encoder, which `act` needs if the policy reads instructions.

        Raises:
            AgentsError: if it is missing, or has other weights than in training.
        """
        name = self.spec.encoder
        if name is None or self._encoder is not None:
            return
        encoder = text_encoder(name)
        if encoder.width != self.spec.encoder_width:
            raise AgentsError(
                f"tokens of {name} have width {encoder.width}, the checkpoint expects "
                f"{self.spec.encoder_width}; use the encoder weights that it was trained with"
            )
        if not same_encoder(encoder.fingerprint(), self.spec.encoder_fingerprint):
            raise AgentsError(
                f"the weights of the text encoder {name} differ from those that the checkpoint was "
                "trained with; install those"
            )
        self._encoder = encoder

    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """Check that the policy was trained for the spaces of this env; see `Policy`."""
        name = env.spec.id if env.spec is not None else "the env"
        space: Any = env.observation_space
        parts = {"state": space} if self.obs_mode == "state" else getattr(space, "spaces", {})
        expected = self._expected(env)
        shapes = {
            key: list(part.shape)
            for key, part in parts.items()
            if key in expected
            and part.dtype is not None  # as it is for spaces of spaces
            and _KINDS.get(key, part.dtype.kind) == part.dtype.kind
        }
        if shapes != expected:
            same = f"obs_mode={self.obs_mode!r}" + " and equal bounds" * (self.obs_mode == "state")
            raise AgentsError(
                f"{name} has observations {shapes or printable(str(space), 200)}, the checkpoint "
                f"was trained on {expected}; evaluate it on envs like {self.spec.envs[0]} with "
                f"{same}, or train a policy for this env"
            )
        actions: Any = env.action_space
        low, high = self.spec.bounds
        if actions.shape != low.shape or not (
            np.allclose(actions.low, low) and np.allclose(actions.high, high)
        ):
            raise AgentsError(
                f"{name} has actions {actions}, the checkpoint was trained on {low.tolist()} to "
                f"{high.tolist()}; unwrap the env, or train a policy for it"
            )
        self._shapes = expected

    def _expected(self, env: gym.Env[Any, Any]) -> dict[str, list[int]]:
        """The shape of each part of an observation that it can read in an env."""
        return self.spec.observation

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """See `Policy`.

        Raises:
            AgentsError: the observation or the instruction is not what the policy reads, the
                weights give no action, or what the checkpoint says of itself does not fit together.
        """
        parts = {"state": observation} if self.obs_mode == "state" else observation
        self._check_observation(parts)
        if not isinstance(instruction, str):
            raise AgentsError(f"the instruction is a {type(instruction).__name__}; expected a str")
        try:
            action = self.select_action(parts, self._encode(instruction), instruction)
        except (GensimError, OSError):
            raise
        except Exception as error:
            raise AgentsError(
                f"the checkpoint of {self.spec.policy} cannot act ({printable(str(error), 200)}); "
                "train it again"
            ) from error
        if not np.isfinite(action).all():
            raise AgentsError(
                f"the weights of {self.spec.policy} give an action that is not finite; train it "
                "again"
            )
        return action

    def _check_observation(self, parts: Any) -> None:
        for name, shape in self._shapes.items():
            found = np.shape(parts[name]) if isinstance(parts, Mapping) and name in parts else None
            if found is None or list(found) != shape:
                raise AgentsError(
                    f"the observation has {'no ' + name if found is None else f'{name} {found}'}; "
                    f"{self.spec.policy} reads {name} {tuple(shape)}, as in an env with "
                    f"obs_mode={self.obs_mode!r}. Call reset(env) before each episode"
                )

    def _encode(self, instruction: str) -> Array:
        self.load_text_encoder()
        if self._encoder is None:
            return np.zeros((0, 0), np.float32)
        if instruction not in self._tokens:
            self._tokens[instruction] = self._encoder.encode([instruction])[0]
        return self._tokens[instruction]

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return next(self.parameters()).device

    def on_device(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A batch on the device of the policy."""
        return {name: each.to(self.device) for name, each in batch.items()}

    def clip(self, action: Array) -> NDArray[np.float32]:
        """An action, (6,), clipped to the bounds."""
        return np.clip(action.astype(np.float32), *self.spec.bounds)

    # ---------------------------------------------------------------------------- checkpoints

    def save_pretrained(self, folder: Path) -> None:
        """Write config.json and model.safetensors.

        Raises:
            FileError: if the folder cannot be written.
        """
        described = {"config": asdict(self.config), "spec": asdict(self.spec)}
        checkpoint.save_json(folder / checkpoint.CONFIG, described)
        checkpoint.save_tensors(folder / checkpoint.MODEL, self.state_dict(), {})

    @classmethod
    def from_pretrained(cls, folder: Path | str, device: str | torch.device = "cpu") -> Self:
        """Load the best weights of a checkpoint, in evaluation mode.

        Args:
            folder: the `--out` of a training run.
            device: where to put the parameters.

        Raises:
            AgentsError: there is no valid checkpoint, it holds another policy than this class, or
                its text encoder is missing.
        """
        folder = Path(folder)
        described = checkpoint.load_json(folder / checkpoint.CONFIG)
        if "spec" not in described or "config" not in described:
            unfinished = not described.get("training", {}).get("finished", True)
            raise AgentsError(
                f"{folder / checkpoint.CONFIG} describes no policy; "
                + ("resume its training" if unfinished else "train it again")
            )
        spec = PolicySpec.from_json(described["spec"])
        config = policy_config(spec.policy, described["config"])
        weights, _ = checkpoint.load_tensors(folder / checkpoint.MODEL)
        try:
            # The meta device takes no memory, whatever size the config asks for.
            with torch.device("meta"), _StayOnMeta(), warnings.catch_warnings():
                warnings.filterwarnings("error", "Initializing zero-element tensors")
                sketch = make_policy(spec, config)
        except _IMPOSSIBLE as error:
            raise AgentsError(
                f"{folder} does not describe a valid network: {error!s:.200}"
            ) from error
        if not isinstance(sketch, cls):
            raise AgentsError(f"{folder} holds the policy {spec.policy}, not {cls.__name__}")
        load_weights(sketch, {name: each.to("meta") for name, each in weights.items()}, folder)
        policy = cast("Self", make_policy(spec, config))
        load_weights(policy, weights, folder)
        policy.load_text_encoder()
        return policy.to(device).eval()


class _StayOnMeta(TorchFunctionMode):
    """Leaves tensors of the meta device there, though Stable-Baselines3 moves its networks."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is Tensor.to and args[0].is_meta:
            return args[0]
        return func(*args, **(kwargs or {}))


def policy_class(name: str) -> type[LearnedPolicy]:
    """The class of a policy that is trained.

    Raises:
        AgentsError: if there is no such policy, or it needs no training.
    """
    trained = POLICIES["imitation"] | POLICIES["reinforcement"]
    if name not in trained:
        raise AgentsError(f"unknown policy {name!r:.60}; choose one of {', '.join(trained)}")
    return cast("type[LearnedPolicy]", pkgutil.resolve_name(trained[name]))


def make_policy(spec: PolicySpec, config: Any) -> LearnedPolicy:
    """A policy with initial weights from torch's generator."""
    return policy_class(spec.policy)(config, spec)


def policy_config(policy: str, values: Mapping[str, Any]) -> Any:
    """The hyperparameters of a policy, from those that differ from the defaults.

    Raises:
        AgentsError: if a hyperparameter is unknown or out of range.
    """
    try:
        return decode(policy_class(policy).config_class, values)
    except DecodeError as error:
        raise AgentsError(f"the options of {policy} are malformed: {error}") from error


def load_weights(policy: LearnedPolicy, weights: Mapping[str, Tensor], source: Path) -> None:
    """Set the weights of a policy.

    Raises:
        AgentsError: if they belong to a network of another shape.
    """
    try:
        policy.load_state_dict(weights)
    except RuntimeError as error:
        differ = "; ".join(line.strip(" \t.") for line in str(error).splitlines()[1:])
        raise AgentsError(
            f"the weights in {source} do not fit the network: {differ:.200}. Use the options of "
            f"{policy.spec.policy} that it was trained with"
        ) from error


def pad_tokens(tokens: Sequence[Array]) -> dict[str, Tensor]:
    """Stack the tokens of instructions of different lengths.

    Returns:
        `tokens`, (B, L, width) float32 or (B, L) int64 word ids, padded with zeros; and `mask`, the
        (B, L) bool mask of tokens. L is at least 1.
    """
    longest = max(1, *(len(each) for each in tokens))
    first = np.asarray(tokens[0])
    kind = np.int64 if first.dtype.kind in "iu" else np.float32
    padded = np.zeros((len(tokens), longest, *first.shape[1:]), kind)
    mask = np.zeros((len(tokens), longest), bool)
    for row, each in enumerate(tokens):
        padded[row, : len(each)] = each
        mask[row, : len(each)] = True
    return {"tokens": torch.from_numpy(padded), "mask": torch.from_numpy(mask)}
