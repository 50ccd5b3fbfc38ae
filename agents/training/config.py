"""The config of a training run, and whether a folder holds the same run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from agents.errors import AgentsError
from agents.policies.base import PolicySpec
from agents.policies.learned import policy_class, policy_config
from agents.training import checkpoint


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Training from demonstrations."""

    policy: str = "transporter"
    """The policy to train."""
    envs: Annotated[tuple[str, ...], arg(name="env", metavar="ID ...")] = ()
    """Tasks to train on, sampled uniformly; by default all of the dataset."""
    demos: int | None = None
    """Demonstrations of each task; by default all of a dataset, or 100 new ones."""
    out: Path
    """Folder of the run. The same command resumes a run that was interrupted."""
    seed: int = 0
    """Seed of initial weights, batches and augmentation."""
    steps: int = 2000
    """Number of optimizer steps."""
    batch_size: int = 16
    """Samples in a batch, of all processes together."""
    learning_rate: float = 1e-3
    """Peak learning rate of AdamW; it decays to 0 along half a cosine."""
    warmup: int = 100
    """Steps of linear warm-up of the learning rate."""
    weight_decay: float = 0.01
    """Weight decay of AdamW."""
    clip_norm: float = 1.0
    """Maximum norm of the gradient."""
    ema: float = 0.0
    """Decay of the moving average of the weights, which is then kept; 0 for none."""
    validate_every: int = 500
    """Steps between validations by success, which need the simulator; 0 for none."""
    validation_episodes: int = 20
    """Episodes of each task in a validation, on seeds of their own."""
    patience: int = 5
    """Validations without improvement after which training stops."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""
    encoder: str = "minilm"
    """The text encoder of instructions: minilm, words or clip:ARCH/WEIGHTS."""
    perturb: tuple[str, ...] = ()
    """Randomisations of new demonstrations: colors, light, camera."""
    start_from: Path | None = None
    """Checkpoint whose weights, and options unless they are given, to start from."""
    device: str = "auto"
    """Device to compute on: auto, cpu or cuda."""
    threads: int = 0
    """Threads that compute on the CPU; 0 for the default of torch."""
    loaders: int = 1
    """Threads that prepare batches; use several with a GPU."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Precision of the layers; auto is bf16 where the hardware supports it."""
    overwrite: bool = False
    """Replace another run in the folder."""

    def __post_init__(self) -> None:
        minimum = {
            "demos": 1, "seed": 0, "steps": 1, "batch_size": 1, "warmup": 0, "weight_decay": 0,
            "ema": 0, "validate_every": 0, "validation_episodes": 1, "patience": 1,
            "checkpoint_every": 1, "threads": 0, "loaders": 1,
        }  # fmt: skip
        check_minimum(self, minimum)
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                value, option = getattr(self, name), name.replace("_", "-")
                raise AgentsError(f"--{option} is {value}; expected more than 0")
        if self.ema >= 1:
            raise AgentsError(f"--ema is {self.ema}; expected less than 1")


_NOT_COMPARED = {"out", "device", "threads", "loaders", "precision", "overwrite"}
"""Fields that may change when a run resumes; the precision that was used may not."""


def check_minimum(config: Any, minimum: Mapping[str, float], prefix: str = "") -> None:
    """Check numbers of a config against their minimum; None is an option that is not given.

    Args:
        config: a dataclass of options.
        minimum: field -> its minimum.
        prefix: prefix of the options in a command.

    Raises:
        AgentsError: naming the option of the first that is less.
    """
    for name, least in minimum.items():
        value = getattr(config, name)
        if value is not None and not value >= least:
            option = f"--{prefix}{name.replace('_', '-')}"
            raise AgentsError(f"{option} is {value}; expected {least} or more")


def default_policy_config(policy: str, start_from: Path | None = None) -> Any:
    """The hyperparameters of a policy: those of a checkpoint to start from, or the defaults.

    Raises:
        AgentsError: there is no such policy or checkpoint, or the checkpoint is of another policy.
    """
    if start_from is None:
        return policy_config(policy, {})
    start = checkpoint.load_json(start_from / checkpoint.CONFIG)
    trained = PolicySpec.from_json(start.get("spec", {}))
    if trained.policy != policy:
        raise AgentsError(
            f"{start_from} holds the policy {trained.policy}; give --policy {trained.policy}"
        )
    return policy_config(policy, start.get("config", {}))


def describe(config: TrainConfig, hyperparameters: Any) -> dict[str, Any]:
    """Describe what identifies a run, as a JSON object.

    Raises:
        AgentsError: if the checkpoint to start from uses another text encoder.
    """
    if config.start_from is not None:
        start = checkpoint.load_json(config.start_from / checkpoint.CONFIG)
        encoder = PolicySpec.from_json(start.get("spec", {})).encoder
        if policy_class(config.policy).reads_instructions and encoder != config.encoder:
            raise AgentsError(
                f"{config.start_from} was trained with the text encoder {encoder}, not "
                f"{config.encoder}; give --encoder {encoder}"
            )
    training = {k: v for k, v in asdict(config).items() if k not in _NOT_COMPARED}
    described = {"config": asdict(hyperparameters), "training": training}
    value: dict[str, Any] = json.loads(json.dumps(described, default=str))
    return value


def find_run(config: TrainConfig, described: Mapping[str, Any]) -> dict[str, Any] | None:
    """The config.json of the run in the folder of a config; None if there is none to resume.

    Raises:
        AgentsError: if it is another run.
    """
    found = checkpoint.find(config.out, config.overwrite)
    if found is not None:
        check_same(config.out, found, described)
    return found


def check_same(out: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Check that the run in a folder is the one that was asked for.

    Raises:
        AgentsError: naming the first differences.
    """
    try:
        differ = [
            f"{name} is {there[part].get(name)} there and {value} here"
            for part in ("training", "config")
            for name, value in here[part].items()
            if there[part].get(name) != value
        ]
    except (KeyError, AttributeError):
        differ = [f"its {checkpoint.CONFIG} is not that of a run"]
    if differ:
        raise AgentsError(
            f"{out} holds another run: {'; '.join(differ[:3])}. Choose another --out, or "
            "--overwrite it"
        )
