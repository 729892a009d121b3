"""The root of covariances and its evidence, against the iteration in the graph's order, differences and autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graticule.explain.second_order import covariance_evidence, covariance_root
from graticule.networks.pooling import ROOT_STEPS, TRACE_FLOOR

N, K, CELLS, TARGETS = 2, 5, 12, 3
NUMBERS = K * (K + 1) // 2


def drawn(seed: int) -> tuple[Any, Any, Any]:
    generator = np.random.default_rng(seed)
    weights = generator.uniform(0.1, 1, CELLS)
    maps = generator.normal(0.5, 1, (N, K, CELLS)) * np.array([3, 1, 0.3, 0.1, 0.01])[:, None]
    return maps, weights / weights.sum(), generator.normal(size=(N, TARGETS, NUMBERS))


def by_iteration(maps: Any, weights: Any, eye: Any) -> Any:
    """As the graph computes it, in operations that NumPy and torch share; (N, K, K)."""
    apart = maps - (maps * weights).sum(2)[:, :, None]
    matrix = (apart * weights) @ apart.swapaxes(1, 2)
    trace = (matrix * eye).sum((1, 2))[:, None, None] + TRACE_FLOOR
    y, z = matrix / trace, eye
    for _ in range(ROOT_STEPS):
        t = 1.5 * eye - 0.5 * z @ y
        y, z = y @ t, t @ z
    return y * trace**0.5


def test_the_root_is_that_of_the_iteration() -> None:
    maps, weights, _ = drawn(0)
    rows, columns = np.triu_indices(K)
    expected = by_iteration(maps, weights, np.eye(K))[:, rows, columns]
    assert np.abs(covariance_root(maps, weights) - expected).max() <= 1e-12 * np.abs(expected).max()


def test_cells_add_up_to_gradient_times_root() -> None:
    maps, weights, gradients = drawn(1)
    found = covariance_evidence(maps, weights, gradients).sum(axis=2)
    expected = np.einsum("ntd,nd->nt", gradients, covariance_root(maps, weights))
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


def test_evidence_is_activation_times_slope_by_differences() -> None:
    maps, weights, gradients = drawn(2)
    step = 1e-5
    slopes = np.empty((TARGETS, *maps[0].shape))
    for k, x in np.ndindex(K, CELLS):
        ends = np.repeat(maps[:1], 2, axis=0)
        ends[:, k, x] += step, -step
        up, down = covariance_root(ends, weights)
        slopes[:, k, x] = gradients[0] @ (up - down) / (2 * step)
    expected = (slopes * maps[0]).sum(axis=1)
    assert np.abs(covariance_evidence(maps, weights, gradients)[0] - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("case", ["full rank", "fewer cells than maps", "one map twice"])
def test_evidence_equals_autograd_in_double_precision(case: str) -> None:
    torch = pytest.importorskip("torch", reason="the independent gradients are torch's")
    maps, weights, gradients = drawn(3)
    if case == "fewer cells than maps":
        maps, weights = maps[:, :, :3], weights[:3] / weights[:3].sum()
    if case == "one map twice":
        maps[:, 1] = maps[:, 0]
    a = torch.tensor(maps, requires_grad=True)
    root = by_iteration(a, torch.tensor(weights), torch.eye(K, dtype=torch.float64))
    rows, columns = np.triu_indices(K)
    found = covariance_evidence(maps, weights, gradients)
    for t in range(TARGETS):
        y = (root[:, rows, columns] * torch.tensor(gradients[:, t])).sum()
        (slope,) = torch.autograd.grad(y, a, retain_graph=True)
        expected = (slope * a).sum(1).detach().numpy()
        assert np.abs(found[:, t] - expected).max() <= 1e-10 * np.abs(expected).max()


def test_maps_that_do_not_vary_have_no_evidence() -> None:
    _, weights, gradients = drawn(4)
    found = covariance_evidence(np.zeros((N, K, CELLS)), weights, gradients)
    assert np.array_equal(found, np.zeros((N, TARGETS, CELLS)))
