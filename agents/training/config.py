"""The config of a training run from demonstrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from agents import checkpoint
from agents.checkpoint import as_json
from agents.errors import AgentsError
from agents.policies.base import PolicySpec
from agents.policies.learned import policy_class, policy_config
from agents.ranges import Amount, Checked, Natural, Positive, Rate, Share
from gensim_envs.utils.decode import Range

DISTURB = 0.2
"""Share of the executed actions of demonstrations for training that go wrong."""

Validate = Callable[[Path], float]
"""From the folder of a checkpoint to its success, 0..1."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Checked):
    """Training from demonstrations."""

    option_prefix = ""

    policy: str = "transporter"
    """The policy to train."""
    envs: Annotated[tuple[str, ...], arg(name="env", metavar="ID ...")] = ()
    """Tasks to train on, sampled uniformly; by default all of the dataset."""
    data: tuple[Path, ...] = ()
    """Folders of datasets that `gensim demos` or `python -m agents export` wrote, or ids of Minari
    datasets; by default the oracle makes demonstrations."""
    workers: Annotated[int | None, Range(1)] = None
    """Processes that play episodes; by default one for each core."""
    demos: Annotated[int | None, Range(1)] = None
    """Demonstrations of each task; by default all of a dataset, or 100 new ones."""
    out: Path
    """Folder of the run. The same command resumes an interrupted run, unless it has --overwrite."""
    seed: Natural = 0
    """Seed of initial weights, batches and augmentation."""
    steps: Positive = 2000
    """Number of optimizer steps."""
    batch_size: Positive = 16
    """Samples in a batch, of all processes together."""
    learning_rate: Rate = 1e-3
    """Peak learning rate of AdamW; it decays to 0 along half a cosine."""
    warmup: Natural = 100
    """Steps of linear warm-up of the learning rate."""
    weight_decay: Amount = 0.01
    """Weight decay of AdamW."""
    clip_norm: Rate = 1.0
    """Maximum norm of the gradient."""
    validate_every: Natural = 500
    """Steps between validations by success, which need the simulator; 0 for none."""
    validation_episodes: Positive = 20
    """Episodes of each task in a validation, on seeds of their own."""
    patience: Positive = 5
    """Validations without improvement after which training stops."""
    checkpoint_every: Positive = 200
    """Steps between checkpoints."""
    encoder: str = "minilm"
    """The text encoder of instructions: minilm, words or clip:ARCH/WEIGHTS."""
    perturb: tuple[Literal["colors", "light", "camera", "distractors"], ...] = ()
    """Randomisations of new demonstrations."""
    disturb: Share = DISTURB
    """Share of the executed actions of new demonstrations that go wrong; the oracle labels what
    follows, so that they show how to recover."""
    start_from: Path | None = None
    """Checkpoint from whose weights to start; the options of its network are the defaults."""
    device: str = "auto"
    """Device to compute on: auto, cpu or cuda."""
    threads: Natural = 0
    """Threads that compute on the CPU; 0 for the default of torch."""
    loaders: Positive = 1
    """Threads that prepare batches; use several with a GPU."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Precision of the layers; auto is bf16 where the hardware supports it."""
    overwrite: bool = False
    """Replace another run in the folder."""


_NOT_COMPARED = {
    "data", "workers", "out", "device", "threads", "loaders", "precision", "overwrite"
}  # fmt: skip
"""Fields that may change when a run resumes; the precision that was used may not."""

_RECORDING = {"perturb", "disturb"}
"""Fields that only new demonstrations use."""


def load_start(start_from: Path) -> tuple[PolicySpec, dict[str, Any]]:
    """The spec and the hyperparameters of a checkpoint to start from.

    Raises:
        AgentsError: if there is no such checkpoint.
    """
    start = checkpoint.load_json(start_from / checkpoint.CONFIG)
    return PolicySpec.from_json(start.get("spec", {})), start.get("config", {})


def default_policy_config(policy: str, start_from: Path | None = None) -> Any:
    """The hyperparameters of a policy: those of a checkpoint to start from, or the defaults.

    Raises:
        AgentsError: there is no such policy or checkpoint, or the checkpoint is of another policy.
    """
    if start_from is None:
        return policy_config(policy, {})
    trained, values = load_start(start_from)
    if trained.policy != policy:
        raise AgentsError(
            f"{start_from} holds the policy {trained.policy}; give --policy {trained.policy}"
        )
    return policy_config(policy, values)


def describe(config: TrainConfig, hyperparameters: Any) -> dict[str, Any]:
    """Describe what identifies a run, as a JSON object.

    Raises:
        AgentsError: if the checkpoint to start from uses another text encoder.
    """
    if config.start_from is not None:
        encoder = load_start(config.start_from)[0].encoder
        if policy_class(config.policy).reads_instructions and encoder != config.encoder:
            raise AgentsError(
                f"{config.start_from} was trained with the text encoder {encoder}, not "
                f"{config.encoder}; give --encoder {encoder}"
            )
    unused = _RECORDING if config.data else set()  # the datasets tell how they were recorded
    training = {k: v for k, v in asdict(config).items() if k not in _NOT_COMPARED | unused}
    return as_json({"config": asdict(hyperparameters), "training": training})
