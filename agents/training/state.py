"""The state of a training run: in memory, and in the files from which it resumes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents import checkpoint
from agents.data.demonstrations import Demonstrations
from agents.evaluation.results import versions
from agents.policies.base import PolicySpec
from agents.policies.learned import load_weights, make_policy
from agents.training.config import TrainConfig


class TrainingState:
    """A policy, its optimizer, and how far they are.

    Args:
        config: of the run.
        described: what identifies the run.
        spec: of the policy.
        hyperparameters: of the policy.
        device: of the policy.

    Attributes:
        found: the config.json of the run that is resumed; None for a new one.
        policy: that is trained.
        optimizer: of its parameters.
        done: steps so far.
        spent: seconds so far: in all, in steps, and waiting for data.

    Raises:
        AgentsError: if the folder holds another run.
    """

    def __init__(
        self,
        config: TrainConfig,
        described: dict[str, Any],
        spec: PolicySpec,
        hyperparameters: Any,
        device: torch.device,
    ) -> None:
        self._config, self._described = config, described
        self.found = checkpoint.find_run(config.out, config.overwrite, described)
        seed_torch(torch.device("cpu"), config.seed)  # where weights are initialised
        self.policy = make_policy(spec, hyperparameters).to(device)
        self.optimizer = torch.optim.AdamW(
            self.policy.parameters(), weight_decay=config.weight_decay, fused=True
        )
        self.done = 0
        self.spent = {"seconds": 0.0, "stepping": 0.0, "waiting": 0.0}

    def step(self, rate: float) -> None:
        """Update the weights, at a learning rate relative to its peak."""
        (parameters,) = self.optimizer.param_groups
        parameters["lr"] = self._config.learning_rate * rate
        self.optimizer.step()
        self.done += 1

    def load(self, demos: Demonstrations) -> None:
        """Load the last checkpoint, the checkpoint to start from, or statistics of the data."""
        config, last = self._config, self._config.out / checkpoint.LAST
        if self.found is not None and last.exists():
            tensors, state = checkpoint.load_tensors(last)
            load_weights(self.policy, checkpoint.under("model.", tensors), last)
            _load_optimizer(self.optimizer, checkpoint.under("optimizer.", tensors))
            self.done, self.spent = state["step"], state["spent"]
        elif config.start_from is not None:
            start = config.start_from / checkpoint.MODEL
            load_weights(self.policy, checkpoint.load_tensors(start)[0], start)
        else:
            self.policy.fit_statistics(demos)

    def save(self, *, validated: bool) -> None:
        """Write all that is needed to resume, and the weights unless validations choose them."""
        if not validated or not (self._config.out / checkpoint.MODEL).exists():
            self.save_model()
        tensors = {f"model.{k}": v for k, v in self.policy.state_dict().items()}
        for number, kept in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{key}": value for key, value in kept.items()}
        state = {"step": self.done, "spent": self.spent}
        checkpoint.save_tensors(self._config.out / checkpoint.LAST, tensors, state)

    def save_model(self, **validation: float) -> None:
        """Write the weights to keep, and the figures of their validation."""
        info = {"step": self.done, **validation}
        path = self._config.out / checkpoint.MODEL
        checkpoint.save_tensors(path, self.policy.state_dict(), info)

    def best(self) -> dict[str, Any]:
        """The step and the validation of the weights that are kept."""
        return checkpoint.load_info(self._config.out / checkpoint.MODEL)

    def is_out_of_patience(self) -> bool:
        """Whether validation has not improved for too long.

        The best success is read from the weights that are kept, so that they agree whenever the run
        is killed.
        """
        best = self.best() if self.done else {}
        allowed = self._config.patience * self._config.validate_every
        return "improved" in best and self.done - best["improved"] >= allowed

    def save_config(self, *, finished: bool) -> dict[str, Any]:
        """Write what the run is and how far it is; returns how far it is."""
        progress: dict[str, Any] = {"finished": finished}
        if finished:
            stepping = max(self.spent["stepping"], 1e-9)
            progress |= {
                "steps_done": self.done,
                "kept": self.best(),
                "seconds": round(self.spent["seconds"], 1),
                "samples_per_second": round(self.done * self._config.batch_size / stepping, 1),
                "waiting_share": round(self.spent["waiting"] / stepping, 4),
            }
        training = self._described["training"] | progress | {"versions": versions()}
        checkpoint.save_json(
            self._config.out / checkpoint.CONFIG, self._described | {"training": training}
        )
        return progress


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    value = optimizer.state_dict()
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    for number, parameter in enumerate(parameters):
        # Moments need the memory layout of their weights, which a file does not keep: fused AdamW
        # reads both in the order of memory.
        value["state"][number] = {
            key: kept if key == "step" else torch.empty_like(parameter).copy_(kept)
            for key, kept in checkpoint.under(f"{number}.", tensors).items()
        }
    optimizer.load_state_dict(value)


def seed_torch(device: torch.device, *entropy: int) -> None:
    """Seed torch. Without CUDA, its own manual_seed takes a millisecond and leaks memory, since it
    stores each call with its traceback.
    """
    number = int(np.random.SeedSequence([*entropy, 1]).generate_state(1)[0])
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)
