"""The plain network: were it wrong, a comparison with it would say nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from agents.data.demonstrations import Sample
from agents.policies.base import PolicySpec
from benchmarks.plain_transporter import (
    CORRELATIONS,
    PlainConfig,
    PlainTransporter,
    hourglass,
    jitter,
)

SHAPE = (160, 320)
PIXEL = 0.003125
SPEC = PolicySpec(
    policy="plain",
    envs=("gensim/BlockInsertion-v0",),
    obs_mode="rgbd",
    observation={"color": [*SHAPE, 3], "height": [*SHAPE]},
    action_low=(0.25, -0.5, -math.pi) * 2,
    action_high=(0.75, 0.5, math.pi) * 2,
    encoder=None,
    encoder_width=0,
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """So much as this is fastest in one, above all where tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", CORRELATIONS)
@pytest.mark.parametrize(("dtype", "off"), [(torch.float64, 1e-10), (torch.float32, 1e-3)])
def test_every_correlation_is_the_sum_over_shifted_products(
    name: str, dtype: torch.dtype, off: float
) -> None:
    random = torch.Generator().manual_seed(0)
    query = torch.randn(1, 3, 40, 56, generator=random, dtype=dtype, requires_grad=True)
    kernels = torch.randn(5, 3, 16, 16, generator=random, dtype=dtype, requires_grad=True)
    weight = torch.randn(1, 5, 25, 41, generator=random, dtype=dtype)
    found = CORRELATIONS[name](query, kernels)
    gradients = torch.autograd.grad((found * weight).sum(), (query, kernels))

    windows = query.unfold(2, 16, 1).unfold(3, 16, 1)
    truth = torch.einsum("bdrcij,kdij->bkrc", windows, kernels)
    true_gradients = torch.autograd.grad((truth * weight).sum(), (query, kernels))
    for mine, theirs in zip((found, *gradients), (truth, *true_gradients), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=off)


def test_the_network_has_the_layers_that_were_published() -> None:
    net = hourglass(4, 3, width=4)
    layers = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    assert len(layers) == 43 + 1  # and the linear map to the outputs
    assert sum(part.stride == (2, 2) and part.kernel_size == (3, 3) for part in layers) == 3
    assert net(torch.zeros(1, 4, 32, 64)).shape == (1, 3, 32, 64)


def reader(channel: int) -> nn.Sequential:
    """Stands for a trained network: reads its answer off a channel of the picture."""
    layer = nn.Conv2d(4, 1, 1, bias=False)
    with torch.no_grad():
        layer.weight.zero_()[0, channel] = 1
    return nn.Sequential(layer)


def ell(x: float, y: float, yaw: float) -> NDArray[np.bool_]:
    """Which pixels a letter L covers that stands at (x, y), metres, turned by yaw."""
    xs = 0.25 + (np.arange(SHAPE[0])[:, None] + 0.5) * PIXEL - x
    ys = -0.5 + (np.arange(SHAPE[1])[None, :] + 0.5) * PIXEL - y
    along, across = (
        math.cos(yaw) * xs + math.sin(yaw) * ys,
        -math.sin(yaw) * xs + math.cos(yaw) * ys,
    )
    stem = (np.abs(along) < 0.06) & (np.abs(across) < 0.012)
    foot = (np.abs(along - 0.05) < 0.012) & (across > 0) & (across < 0.06)
    covered: NDArray[np.bool_] = stem | foot
    return covered


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize("degrees", [0, 70, -110])
def test_what_fits_turned_is_found_turned(correlation: str, degrees: int) -> None:
    pick, place, yaw = (0.45, -0.3), (0.55, 0.2), math.radians(degrees)
    height = np.zeros(SHAPE, np.float32)
    height[ell(*pick, 0.0)] = 0.02
    height[ell(*place, yaw)] = 0.05  # scores more than the thing itself where it stands
    color = np.zeros((*SHAPE, 3), np.uint8)
    color[int((pick[0] - 0.25) / PIXEL), int((pick[1] + 0.5) / PIXEL), 0] = 255
    policy = PlainTransporter(PlainConfig(width=4, correlation=correlation), SPEC)
    policy.attention = reader(0)
    policy.query = policy.key = reader(3)

    action = policy.select_action(
        {"color": color, "height": height}, np.zeros((0, 0), np.float32), ""
    )

    np.testing.assert_allclose(action[[0, 1, 3, 4]], [*pick, *place], atol=PIXEL)
    np.testing.assert_allclose(action[[2, 5]], [0, yaw], atol=1e-6)
    maps = policy.heatmaps()
    assert maps is not None and maps["place"].shape == SHAPE
    assert maps["place"].sum() == pytest.approx(1, abs=1e-3)


def test_labels_move_with_the_pixels() -> None:
    rng = np.random.default_rng(0)
    points = np.array([(70.5, 90.5), (95.5, 240.5)])
    far = 0.0
    for _ in range(20):
        image = torch.zeros(1, 2, *SHAPE)
        for channel, (row, column) in enumerate(points.astype(int)):
            image[0, channel, row - 2 : row + 3, column - 2 : column + 3] = 1
        turned, moved = jitter(image, points, rng)
        for channel, point in enumerate(moved):
            assert (point >= 0).all() and (point < SHAPE).all()
            if (point < 6).any() or (point > np.array(SHAPE) - 6).any():
                continue  # the mark itself hangs over the edge
            spot = turned[0, channel].numpy()
            rows, columns = np.indices(SHAPE) + 0.5
            middle = (rows * spot).sum() / spot.sum(), (columns * spot).sum() / spot.sum()
            np.testing.assert_allclose(middle, point, atol=0.1)
        far = max(far, float(np.abs(np.array(moved) - points).max()))
    assert far > 30


def sample(turn: float = 0.9) -> Sample:
    """A thing to pick and a place for it, in colours of their own."""
    height, color = np.zeros(SHAPE, np.float32), np.full((*SHAPE, 3), 190, np.uint8)
    for (x, y, yaw), paint in (((0.4, -0.2, 0.0), (255, 0, 0)), ((0.6, 0.25, turn), (0, 0, 255))):
        height[ell(x, y, yaw)], color[ell(x, y, yaw)] = 0.02, paint
    action = np.array([0.4, -0.2, 0.0, 0.6, 0.25, turn], np.float32)
    return Sample("", action, color, height)


def test_one_sample_is_learned() -> None:
    torch.manual_seed(0)
    coarse = 4  # every fourth pixel will do, and is quick
    shape = [side // coarse for side in SHAPE]
    about = replace(SPEC, observation={"color": [*shape, 3], "height": shape})
    config = PlainConfig(width=8, crop=16, rotations=8, learning_rate=2e-3, augment=False)
    policy = PlainTransporter(config, about)
    whole = sample(2 * math.pi / 8)
    assert whole.color is not None and whole.height is not None
    color, height = whole.color[::coarse, ::coarse], whole.height[::coarse, ::coarse]
    one = replace(whole, color=color, height=height)
    batch = policy.prepare([one], [], np.random.default_rng(0))
    optimizer = torch.optim.Adam(policy.parameters(), policy.config.learning_rate)
    losses = []
    for _ in range(200):
        loss, _ = policy(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(
        math.log(math.prod(shape)) + math.log(8 * math.prod(shape)), 0.05
    )
    assert losses[-1] < 0.1 * losses[0]
    action = policy.select_action(
        {"color": color, "height": height}, np.zeros((0, 0), np.float32), ""
    )
    np.testing.assert_allclose(action, one.action, atol=coarse * PIXEL)


def test_the_turn_is_the_nearest_of_the_rotations() -> None:
    policy = PlainTransporter(PlainConfig(width=4), SPEC)
    rng = np.random.default_rng(0)
    for degrees, number in ((0, 0), (14, 1), (16, 2), (-10, 35), (-179, 18), (179, 18)):
        batch = policy.prepare([sample(math.radians(degrees))], [], rng)
        assert int(batch["turn"]) == number
    again = [policy.prepare([sample()], [], np.random.default_rng(3)) for _ in range(2)]
    for name in again[0]:
        assert torch.equal(again[0][name], again[1][name])
