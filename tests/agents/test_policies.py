"""Behaviour cloning, and what all trained policies share."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict
from toys import HIGH, LOW, TOKENS, add, images, states

from agents import checkpoint
from agents.__main__ import main
from agents.data.demonstrations import Demonstrations, Sample
from agents.errors import AgentsError
from agents.policies import registry, text_encoders
from agents.policies.base import PolicySpec
from agents.policies.bc_image import BCImage
from agents.policies.bc_state import BCState
from agents.policies.learned import LearnedPolicy, load_weights, make_policy, policy_config
from agents.training.collect import collect
from agents.training.config import TrainConfig
from agents.training.loop import train

TINY = {"width": 8, "hidden": 64, "points": 8, "modes": 2, "dropout": 0.0, "augment": False}

LONGER = {"steps": 250, "batch_size": 4, "learning_rate": 3e-3}


def trained(out: Path, agent: str, demos: Any, settings: dict[str, Any], **more: Any) -> Any:
    plan: dict[str, Any] = {
        "steps": 60, "batch_size": 8, "learning_rate": 5e-3, "warmup": 5, "validate_every": 0,
        "threads": 1, "device": "cpu", "precision": "fp32",
    }  # fmt: skip
    train(TrainConfig(policy=agent, out=out, **plan | more), demos, policy_config(agent, settings))
    weights, _ = checkpoint.load_tensors(out / checkpoint.MODEL)
    spec = PolicySpec.from_json(checkpoint.load_json(out / checkpoint.CONFIG)["spec"])
    policy = make_policy(spec, policy_config(agent, settings))
    load_weights(policy, weights, out)
    return policy.eval()


@pytest.fixture(scope="module")
def by_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that was trained on states."""
    out = tmp_path_factory.mktemp("by_state")
    trained(out, "bc_state", states(100), {"width": 64, "dropout": 0.0}, steps=400, batch_size=32)
    return out


def test_cloning_from_states_generalises(by_state: Path) -> None:
    policy, fresh = LearnedPolicy.from_pretrained(by_state), states(150)
    new = [fresh[k] for k in range(400, 600)]
    errors = np.array([policy.act(s.state, s.instruction) - s.action for s in new])
    turn = (errors[:, 5] - errors[:, 2] + np.pi) % (2 * np.pi) - np.pi
    assert np.median(np.abs(errors[:, [0, 1, 3, 4]])) < 0.02
    assert np.median(np.abs(turn)) < 0.15


def test_states_are_moved_as_their_actions_are(tmp_path: Path) -> None:
    """Seen from the item that is picked, everything stays where it was."""
    envs = ["gensim/AlignBoxCorner-v0", "gensim/PutBlockInBowl-v0"]  # the former's are padded
    demos = collect(envs, 1, tmp_path / "demos", obs_mode="state", workers=1)
    net = trained(tmp_path, "bc_state", demos, {"width": 8}, steps=1)
    items = demos.state_bounds["items"]

    def relative(state: Any, target: Any) -> Any:
        """Pick, place and the goal's place about the item, in its own frame; its z and its size."""
        item, place = state[1:15], state[1 + 14 * items :][:12]
        pick, put = net.table.decode(target[None])[0].reshape(2, 3)[:, :2]
        x, y, z, sine, cosine = item[5:10]
        frame = np.array([[cosine, -sine], [sine, cosine]])
        points = (np.stack([pick, put, place[5:7]]) - [x, y]) @ frame
        heading = complex(place[9], place[8]) / complex(cosine, sine)
        return [*points.ravel(), heading.real, heading.imag, z, *item[10:13], *target[4:]]

    sample = demos[0]
    batch = net.prepare([sample] * 9, [np.zeros(1, int)] * 9, np.random.default_rng(0))
    moved = [batch["state"].numpy(), batch["target"].numpy()]
    assert sample.state is not None
    still = [sample.state[None], net.table.encode(sample.action[None])]
    before = [relative(s, t) for s, t in zip(*still, strict=True)]
    after = [relative(s, t) for s, t in zip(*moved, strict=True)]
    np.testing.assert_allclose(after, before * 9, atol=1e-5)
    assert np.ptp(moved[0][:, 6]) > 0.05
    rows = moved[0][:, 1 : 1 + 14 * items].reshape(9, items, 14)
    assert not rows[rows[..., 0] == 0].any()  # what is not there stays zero


def test_actions_are_within_the_bounds_for_any_observation(by_state: Path) -> None:
    agent = LearnedPolicy.from_pretrained(by_state)
    for scale in (0, 1, 1e3, -1e6):
        action = agent.act(np.full(12, scale, np.float32), "go")
        assert action.dtype == np.float32 and action.shape == (6,)
        assert ((action >= LOW) & (action <= HIGH)).all()


def test_cloning_from_images_learns_words_and_modes(
    tmp_path: Path,
) -> None:
    """Red has two right actions, between which there is none; blue has one, with a turn."""
    one, two = [0.30, -0.40, 0, 0.40, 0.30, 1.0], [0.70, 0.40, 0, 0.60, -0.30, -1.0]
    blue = [0.50, 0.0, 0, 0.33, 0.1, 3.1]
    demos = images([("red", one), ("red", two), ("blue", blue), ("blue", blue)])
    trained(tmp_path, "bc_image", demos, TINY, encoder="words", **LONGER | {"steps": 500})
    agent, seen = (
        LearnedPolicy.from_pretrained(tmp_path),
        {"color": demos[0].color, "height": demos[0].height},
    )
    said = agent.act(seen, "red")
    assert min(np.abs(said - one).max(), np.abs(said - two).max()) < 0.1
    said = agent.act(seen, "blue")
    assert np.abs(said - blue)[[0, 1, 3, 4]].max() < 0.03
    assert abs((said[5] - blue[5] + np.pi) % (2 * np.pi) - np.pi) < 0.1


def test_cloning_from_images_finds_items_at_new_positions(tmp_path: Path) -> None:
    """Of a red and a blue square, each somewhere else than in any demonstration."""
    rng = np.random.default_rng(1)
    demos = Demonstrations("rgbd", LOW, HIGH)
    for number in range(21):
        x, y = rng.uniform((0.3, -0.4), (0.7, 0.4), (2, 2)).T
        color = np.full((160, 320, 3), 90, np.uint8)
        for k, paint in enumerate([(250, 20, 20), (20, 20, 250)]):
            row, column = int((x[k] - 0.25) / 0.003125), int((y[k] + 0.5) / 0.003125)
            color[row - 8 : row + 8, column - 8 : column + 8] = paint
        action = np.float32([x[0], y[0], 0, x[1], y[1], 0])
        height = np.zeros((160, 320), np.float32)
        new = Sample("red", action, color=color, height=height)
        if number < 20:
            add(demos, "a", 100_000 + number, [new])
    demos.tokens["minilm"] = TOKENS
    policy = trained(tmp_path, "bc_image", demos, TINY | {"augment": True}, **LONGER)
    said = policy.select_action({"color": new.color, "height": new.height}, TOKENS["red"], "")
    assert np.abs(said - new.action)[[0, 1, 3, 4]].max() < 0.04


# ------------------------------------------------------------------------------ what all have


class Fake(gym.Env[Any, Any]):
    """An env of which only the spaces matter."""

    def __init__(self, width: int = 12, low: Any = LOW, high: Any = HIGH) -> None:
        self.observation_space = Box(-1, 1, (width,), np.float32)
        self.action_space = Box(low, high, dtype=np.float32)


def test_a_checkpoint_refuses_other_spaces(by_state: Path) -> None:
    agent, rng = LearnedPolicy.from_pretrained(by_state), np.random.default_rng(0)
    agent.reset(Fake(), rng)
    with pytest.raises(AgentsError, match=r"has observations \{'state': \[13\]\}, the checkpoint"):
        agent.reset(Fake(13), rng)
    nested = Fake()
    nested.observation_space = Dict({"achieved": Box(-1, 1, (12,), np.float32)})
    with pytest.raises(AgentsError, match=r"has observations Dict\(.*, the checkpoint"):
        agent.reset(nested, rng)
    with pytest.raises(AgentsError, match="has actions"):
        agent.reset(Fake(low=-np.ones(6, np.float32), high=np.ones(6, np.float32)), rng)


@pytest.mark.parametrize("wrong", ["cannot act", "not finite"])
def test_a_checkpoint_that_gives_no_action_is_refused(
    wrong: str, by_state: Path, tmp_path: Path
) -> None:
    agent = LearnedPolicy.from_pretrained(by_state)
    spec = agent.spec
    if wrong == "cannot act":  # its text has no encoder, and yet a width
        spec = replace(spec, encoder=None, encoder_width=8)
    other = make_policy(spec, agent.config)
    if wrong == "not finite":
        for parameter in other.parameters():
            torch.nn.init.constant_(parameter, math.nan)
    other.save_pretrained(tmp_path)
    loaded = LearnedPolicy.from_pretrained(tmp_path)
    with pytest.raises(AgentsError, match=wrong):
        loaded.act(np.zeros(12, np.float32), "red")


@pytest.mark.parametrize(
    ("observation", "instruction", "message"),
    [
        (np.zeros(11, np.float32), "red", r"state \(11,\); bc_state reads state \(12,\)"),
        ({"color": 0}, "red", r"state \(\); bc_state reads state"),
        (np.zeros(12, np.float32), None, "the instruction is a NoneType; expected a str"),
    ],
)
def test_a_wrong_call_does_not_blame_the_checkpoint(
    observation: Any, instruction: Any, message: str, by_state: Path
) -> None:
    with pytest.raises(AgentsError, match=message):
        LearnedPolicy.from_pretrained(by_state).act(observation, instruction)


def test_a_checkpoint_is_loaded_by_its_class(by_state: Path) -> None:
    assert BCState.from_pretrained(by_state).obs_mode == "state"
    with pytest.raises(AgentsError, match="holds the policy bc_state, not BCImage"):
        BCImage.from_pretrained(by_state)


def test_a_checkpoint_of_another_width_of_tokens_is_refused(tmp_path: Path) -> None:
    demos = images([("red", [0.5, 0, 0, 0.5, 0, 0])])
    policy = trained(tmp_path, "bc_image", demos, TINY, steps=1, batch_size=1)
    with pytest.raises(
        AgentsError, match="tokens of minilm have width 384, the checkpoint expects"
    ):
        policy.load_text_encoder()


def test_a_checkpoint_of_an_encoder_with_other_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its tokens were made in training or came with the dataset."""
    encoder = registry.text_encoder("minilm")
    demos = images([("red", [0.5, 0, 0, 0.5, 0, 0])])
    for name in ("made", "came"):
        sentences = ["red", text_encoders.PROBE]
        tokens = dict(zip(sentences, encoder.encode(sentences), strict=True))
        demos.tokens = {"minilm": tokens} if name == "came" else {}
        plan = {"steps": 1, "batch_size": 1}
        policy = trained(tmp_path / name, "transporter", demos, {"width": 8}, **plan)
        assert len(policy.spec.encoder_fingerprint) == 8
        policy.load_text_encoder()
        with monkeypatch.context() as patch:
            patch.setattr("agents.policies.text_encoders.unit", other_weights)
            with pytest.raises(AgentsError, match="weights of the text encoder minilm differ"):
                make_policy(policy.spec, policy.config).load_text_encoder()
            with pytest.raises(AgentsError, match="encoder_fingerprint is"):
                demos.tokens = {}
                more = {**plan, "start_from": tmp_path / name}
                trained(tmp_path / "new", "transporter", demos, {"width": 8}, **more)


def other_weights(tokens: Any) -> Any:
    return np.roll(tokens.numpy(), 1, axis=-1).astype(np.float16)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"[]", "expected an object, not a list"),
        ("config.json", b"{", "is not valid JSON"),
        ("config.json", b"{}", "describes no policy"),
        ("model.safetensors", b"cut off", "cannot be read"),
        ("model.safetensors", None, "is missing"),
        ("config.json", None, "is not a checkpoint"),
    ],
)
def test_a_damaged_checkpoint_is_an_error(
    by_state: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    for kept in ("config.json", "model.safetensors"):
        (tmp_path / kept).write_bytes((by_state / kept).read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AgentsError, match=message):
        LearnedPolicy.from_pretrained(tmp_path)


def test_a_spec_survives_json(by_state: Path) -> None:
    value = checkpoint.load_json(by_state / "config.json")["spec"]
    assert PolicySpec.from_json(value) == LearnedPolicy.from_pretrained(by_state).spec
    with pytest.raises(AgentsError, match="Train it again"):
        PolicySpec.from_json({"policy": "bc_state"})


@pytest.mark.parametrize(
    "option",
    [
        "transporter.width=-4", "transporter.features=0", "transporter.refine_width=0",
        "transporter.refine_features=0", "transporter.jitter=-1", "transporter.noise=nan",
        "bc_state.width=0", "bc_state.depth=-1", "bc_state.dropout=1", "bc_state.delta=0",
        "ppo.hidden=-1", "ppo.n_steps=0", "ppo.n_epochs=0", "ppo.batch_size=-1", "ppo.gamma=1.5",
        "ppo.learning_rate=inf", "ppo.clip_range=-1", "sac.buffer_size=0", "sac.tau=2",
        "sac.hidden=0", "sac.learning_starts=-1",
    ],
)  # fmt: skip
def test_invalid_hyperparameters_are_refused_before_any_work(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agent, _, rest = option.partition(".")
    name = f"{agent}.{rest.partition('=')[0].replace('_', '-')}"
    run = ["train", "--policy", agent, "--env", "gensim/AlignBoxCorner-v0", f"--{option}"]
    assert main([*run, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"python -m agents: --{name} is ") and said.count("\n") == 1


COMMANDS = [
    ["train", "--policy", policy]
    for policy in ("transporter", "bc_state", "bc_image", "dagger", "ppo", "sac")
] + [["export"], ["evaluate"], ["benchmark"], ["tables"], ["freeze"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_describes_every_option(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--help"]) == 0
    text = capsys.readouterr().out
    options = re.split(r"\n  (?=--?[a-z])", text)[1:]
    assert options
    for option in options:
        assert re.search(r"[a-z]{3,} [a-z]", option.split("(default")[0].split(" ", 1)[1]), option
