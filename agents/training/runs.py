"""What a run is: its config, and what of its dataset, learner and language make it one.

A run goes on only as what it was; what is found in a folder is compared with what is asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.policies import language
from agents.policies.base import About, Array, hyperparameters, learner_class
from agents.training import checkpoint
from agents.training.distributed import device_of


@dataclass(frozen=True, kw_only=True)
class Config:
    """What `python -m agents train` is asked to do."""

    agent: str = "transporter"
    """What to train."""
    envs: tuple[str, ...] = ()
    """Tasks to train on, drawn evenly; all of the dataset's where none is named."""
    demos: int | None = None
    """Demonstrations of each task; all that a dataset has, or 100 new ones, where not given."""
    out: Path
    """Folder of the run. The same command goes on with a run that was broken off."""
    seed: int = 0
    """Fixes the first weights, the batches and their augmentation."""
    steps: int = 2000
    """Batches to train on."""
    batch_size: int = 16
    """Samples in a batch, of all processes together."""
    learning_rate: float = 1e-3
    """Of AdamW, at its highest; it falls along half a cosine to 0."""
    warmup: int = 100
    """Steps in which the learning rate rises from 0."""
    weight_decay: float = 0.01
    """Of AdamW."""
    clip_norm: float = 1.0
    """Norm that a gradient is scaled down to."""
    ema: float = 0.0
    """Decay of a moving average of the weights, which is then what is kept; 0 for none."""
    validate_every: int = 500
    """Steps between validations by success, where there is a simulator; 0 for none."""
    validation_episodes: int = 20
    """Episodes of each task in a validation, on seeds that are for nothing else."""
    patience: int = 5
    """Validations without a new best after which training stops."""
    checkpoint_every: int = 200
    """Steps between checkpoints to go on from."""
    encoder: str = "minilm"
    """What turns instructions into tokens: minilm, words or clip:ARCH/WEIGHTS."""
    perturb: tuple[str, ...] = ()
    """What differs from demonstration to demonstration beyond the task: colors, light, camera."""
    start_from: Path | None = None
    """Checkpoint whose weights, and options where none are given, to begin with."""
    device: str = "auto"
    """Where to compute: auto, cpu or cuda."""
    threads: int = 0
    """Threads that compute on the CPU; 0 for torch's choice."""
    loaders: int = 1
    """Threads that prepare batches; several pay with a GPU."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the network's layers; auto is bf16 where the hardware computes in it."""
    overwrite: bool = False
    """Replace another run in the folder."""

    def __post_init__(self) -> None:
        least = {
            "seed": 0, "steps": 1, "batch_size": 1, "warmup": 0, "weight_decay": 0,
            "ema": 0, "validate_every": 0, "validation_episodes": 1, "patience": 1,
            "checkpoint_every": 1, "threads": 0, "loaders": 1,
        }  # fmt: skip
        if self.demos is not None and self.demos < 1:
            raise AgentsError(f"demos is {self.demos}; give 1 or more")
        for name, bound in least.items():
            if not getattr(self, name) >= bound:
                raise AgentsError(f"{name} is {getattr(self, name)}; give {bound} or more")
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise AgentsError(f"{name} is {getattr(self, name)}; give more than 0")
        if self.ema >= 1:
            raise AgentsError(f"ema is {self.ema}; give less than 1")


_FREE = ("out", "device", "threads", "loaders", "precision", "overwrite")
"""Fields that are no part of what a run is; what the precision came to is."""


def described(config: Config, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a run is, as far as its config says, as a JSON object.

    Raises:
        AgentsError: an option is not allowed, or the checkpoint to start from does not fit.
    """
    base: dict[str, Any] = {}
    if config.start_from is not None:
        start = checkpoint.load_json(config.start_from / checkpoint.AGENT)
        trained = About.from_json(start.get("about", {}))
        agent, encoder = trained.agent, trained.encoder
        if agent != config.agent:
            raise AgentsError(f"{config.start_from} holds a {agent}; give --agent {agent}")
        if learner_class(agent).language and encoder != config.encoder:
            raise AgentsError(
                f"{config.start_from} reads instructions with {encoder}, not {config.encoder}; "
                f"give --encoder {encoder}"
            )
        base = start.get("config", {})
    asked = {k: v for k, v in asdict(config).items() if k not in _FREE}
    own = asdict(hyperparameters(config.agent, base | dict(settings)))
    value: dict[str, Any] = json.loads(json.dumps({"config": own, "training": asked}, default=str))
    return value


def check_same(out: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Checks that the run in a folder is the one that is asked for, as far as both are known.

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
        differ = [f"its {checkpoint.AGENT} is of another kind"]
    if differ:
        raise AgentsError(
            f"{out} holds another run: {'; '.join(differ[:3])}. Choose another --out, or "
            "--overwrite it"
        )


def chosen(config: Config, demos: Demonstrations) -> Demonstrations:
    """The part of a dataset to train on.

    Raises:
        AgentsError: it has no such tasks, too few demonstrations, or not what the learner needs.
    """
    cls = learner_class(config.agent)
    if demos.obs_mode != cls.obs_mode:
        raise AgentsError(
            f"{config.agent} learns from obs_mode={cls.obs_mode!r} and the dataset has "
            f"{demos.obs_mode!r}; export one with the other mode"
        )
    unknown = [env for env in config.envs if env not in demos.envs]
    if unknown or not len(demos):
        raise AgentsError(
            f"the dataset has no demonstrations of {', '.join(unknown) or 'anything'}; it has "
            f"{', '.join(demos.envs) or 'none'}"
        )
    if config.demos is not None:
        return demos.first(config.demos, config.envs or None)
    if not config.envs:
        return demos
    return Demonstrations.joined([demos.first(len(demos.seeds(env)), [env]) for env in config.envs])


def check_machine(
    config: Config, settings: Mapping[str, Any], demos: Demonstrations | None, *, validates: bool
) -> None:
    """Sees to it, before any long work, that this machine has what a run needs.

    Args:
        config: of the run.
        settings: of its learner.
        demos: what it learns from, where that is there already.
        validates: whether its policy is played in between.

    Raises:
        AgentsError: there is no such device or language encoder here.
    """
    device_of(config.device)
    cls = learner_class(config.agent)
    if not cls.language:
        return
    own = described(config, settings)["config"]
    cls.check(hyperparameters(config.agent, own), config.encoder)
    stored = None if demos is None else _stored_tokens(config, demos)
    if stored is not None and not validates:
        return
    try:
        encoder = language.encoder(config.encoder)
    except AgentsError as error:
        if stored is None:
            raise
        raise AgentsError(
            f"{error}. The dataset has the tokens for training but not for validation: "
            "--validate-every 0 trains without"
        ) from error
    if demos is None or stored is None:
        return
    if not language.alike(encoder.fingerprint(), _fingerprint(config, demos)):
        raise AgentsError(
            f"the dataset has tokens of another {config.encoder} than the one here, which would "
            "read in validation; export it anew, or give --validate-every 0"
        )


def tokens_of(
    config: Config, demos: Demonstrations
) -> tuple[dict[str, Array], int, tuple[float, ...]]:
    """The tokens of each instruction of a dataset, and the encoder's width and fingerprint.

    Those that came with the dataset need no encoder, where they are vectors.
    """
    sentences = demos.instructions()
    if not learner_class(config.agent).language:
        return dict.fromkeys(sentences, np.zeros((0, 0), np.float32)), 0, ()
    stored = _stored_tokens(config, demos)
    if stored is not None:
        return stored, stored[sentences[0]].shape[1], _fingerprint(config, demos)
    encoder = language.encoder(config.encoder)
    tokens = dict(zip(sentences, encoder.encode(sentences), strict=True))
    return tokens, encoder.width, encoder.fingerprint()


def _stored_tokens(config: Config, demos: Demonstrations) -> dict[str, Array] | None:
    """The tokens that came with a dataset, where they are vectors of all its instructions."""
    sentences, stored = demos.instructions(), demos.tokens.get(config.encoder, {})
    if not all(s in stored and stored[s].ndim == 2 for s in sentences):
        return None
    return {s: stored[s] for s in sentences}


def _fingerprint(config: Config, demos: Demonstrations) -> tuple[float, ...]:
    """Of the encoder whose tokens came with a dataset; () where it is not known."""
    tokens = demos.tokens.get(config.encoder, {}).get(language.PROBE)
    return () if tokens is None else language.fingerprint(tokens)


def about(
    config: Config, demos: Demonstrations, width: int, fingerprint: tuple[float, ...]
) -> About:
    """What a policy trained on a dataset is for, with an encoder of this width and fingerprint.

    Raises:
        AgentsError: the checkpoint to start from is for something else.
    """
    cls = learner_class(config.agent)
    sample = demos[0]
    names = ("state",) if cls.obs_mode == "state" else ("color", "height")
    made = About(
        agent=config.agent,
        envs=tuple(demos.envs),
        obs_mode=cls.obs_mode,
        observation={name: list(getattr(sample, name).shape) for name in names},
        action_low=tuple(map(float, demos.action_low)),
        action_high=tuple(map(float, demos.action_high)),
        encoder=config.encoder if cls.language else None,
        encoder_width=width,
        state_bounds=demos.state_bounds,
        encoder_fingerprint=fingerprint,
    )
    if config.start_from is not None:
        start = checkpoint.load_json(config.start_from / checkpoint.AGENT)
        differ = made.misfits(About.from_json(start["about"]))
        if differ:
            raise AgentsError(
                f"the checkpoint {config.start_from} does not fit the dataset: "
                f"{'; '.join(differ)}. Train without --start-from"
            )
    return made
