"""Gradients and maps in closed form against automatic differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graticule.explain.layout import Around, CentredLayer, Tap
from graticule.explain.pooled import add_layers, grad_cam, grad_cam_plus_plus, hirescam
from graticule.explain.second_order import covariance_root
from graticule.explain.targets import score_gradients
from graticule.heads.scoring import Head, LinearHead, LogitHead, RbfHead

torch = pytest.importorskip("torch", reason="the independent gradients are torch's")

C, SIDE, K = 5, 7, 4
D = 2 * C


def heads_of(kind: str, generator: np.random.Generator, rooted: int | None = None) -> list[Head]:
    def normal(*shape: int) -> Any:
        return generator.normal(size=shape).astype(np.float32)

    if kind == "linear":
        return [LinearHead(normal(K, D), normal(K), t, rooted) for t in (0.7, 1.3)]
    if kind == "logit":
        return [LogitHead(normal(K, D), normal(K), 1.0)]
    shapes = [(D,), (D, D), (12, D), (12, K), (K,)]
    arrays = [0.3 * normal(*shape) if shape == (D, D) else normal(*shape) for shape in shapes]
    return [RbfHead(*arrays, 0.2, temperature, rooted) for temperature in (0.5, 2.0)]


def test_gradients_stay_finite_at_zero() -> None:
    generator = np.random.default_rng(5)
    for kind in ("linear", "rbf"):
        x = np.zeros((2, D))
        x[1, 0] = 2.0
        assert np.isfinite(score_gradients(heads_of(kind, generator)[0], x)).all()
    flat = np.zeros((1, C, 3, 3))
    gradients = np.ones((1, 1, D))
    assert np.array_equal(hirescam(Tap("a", 0, C, C), flat, gradients), np.zeros((1, 1, 3, 3)))


def test_cells_add_up_to_gradient_times_pooled_features() -> None:
    generator = np.random.default_rng(6)
    a = generator.normal(0.3, 1, size=(2, C, SIDE, SIDE))
    gradients = generator.normal(size=(2, 3, D))
    features = np.concatenate([a.mean(axis=(2, 3)), a.std(axis=(2, 3))], axis=1)
    found = hirescam(Tap("a", 0, C, C), a, gradients)
    assert np.allclose(found.sum(axis=(2, 3)), np.einsum("ntd,nd->nt", gradients, features))


def test_cells_add_up_with_all_that_is_pooled_around_the_centre() -> None:
    generator = np.random.default_rng(11)
    a, basis = generator.normal(0.3, 1, size=(2, C, SIDE, SIDE)), generator.normal(size=(3, C)).astype(np.float32)
    bell = generator.uniform(size=(SIDE * SIDE, 1))
    bell /= bell.sum()
    flat = a.reshape(2, C, -1)
    mean = flat @ bell
    deviation = np.sqrt((flat - mean) ** 2 @ bell)[:, :, 0]
    root = covariance_root(basis @ flat, bell[:, 0])
    features = np.concatenate([a.mean(axis=(2, 3)), a.std(axis=(2, 3)), mean[:, :, 0], deviation, root], axis=1)
    gradients = generator.normal(size=(2, 3, features.shape[1]))
    tap = Tap("a", 0, C, C, Around(CentredLayer("bell", basis), 2 * C, 3 * C, 4 * C))
    found = hirescam(tap, a, gradients, bell)
    assert np.allclose(found.sum(axis=(2, 3)), np.einsum("ntd,nd->nt", gradients, features), rtol=1e-10)


def test_centre_moments_equal_autograd() -> None:
    generator = np.random.default_rng(12)
    a = torch.tensor(generator.normal(0.3, 1, size=(1, C, SIDE, SIDE)), requires_grad=True)
    bell = generator.uniform(size=(SIDE * SIDE, 1))
    bell /= bell.sum()
    flat = a.flatten(2)
    mean = flat @ torch.tensor(bell)
    deviation = torch.sqrt((flat - mean) ** 2 @ torch.tensor(bell))
    gradients = generator.normal(size=(1, 1, D))
    (slope,) = torch.autograd.grad((torch.cat([mean, deviation], 1)[0, :, 0] @ torch.tensor(gradients[0, 0])), a)
    expected = (slope * a).sum(1).detach().numpy()
    tap = Tap("a", None, None, C, Around(CentredLayer("bell", np.eye(C, dtype=np.float32)), 0, C, None))
    # the level, drawn by the weights as a hill, is spread evenly
    expected += expected.sum() * (1 / SIDE**2 - bell.reshape(SIDE, SIDE))
    found = hirescam(tap, a.detach().numpy(), gradients, bell)[:, 0]
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


def test_a_picture_that_is_the_same_everywhere_has_an_even_map() -> None:
    bell = np.linspace(1, 2, SIDE * SIDE)[:, None]
    tap = Tap("a", None, None, C, Around(CentredLayer("bell", np.eye(C, dtype=np.float32)), 0, None, None))
    found = hirescam(tap, np.ones((1, C, SIDE, SIDE)), np.ones((1, 1, C)), bell / bell.sum())
    assert np.allclose(found, C / SIDE**2)


def test_grad_cam_of_a_mean_is_cam_and_hirescam() -> None:
    generator = np.random.default_rng(7)
    a = np.maximum(generator.normal(size=(2, C, SIDE, SIDE)), 0)
    weights = generator.normal(size=(K, C))
    tap = Tap("a", 0, None, C)
    gradients = np.repeat(weights[None], 2, axis=0)
    cam = np.einsum("kc,nchw->nkhw", weights, a) / SIDE**2
    assert np.allclose(grad_cam(tap, a, gradients), cam)


def test_grad_cam_plus_plus_equals_its_definition() -> None:
    generator = np.random.default_rng(8)
    a = torch.tensor(np.maximum(generator.normal(size=(1, C, SIDE, SIDE)), 0), requires_grad=True)
    weights = torch.tensor(generator.normal(size=(K, C)))
    k = 1
    (g,) = torch.autograd.grad((a.mean(dim=(2, 3)) @ weights.T)[0, k], a)
    # equation 19 of the paper, for exp(score): its positive factor cancels
    alpha = g**2 / (2 * g**2 + (a * g**3).sum(dim=(2, 3), keepdim=True))
    expected = torch.relu((((alpha * torch.relu(g)).sum(dim=(2, 3), keepdim=True)) * a).sum(1))[0].detach().numpy()
    found = grad_cam_plus_plus(Tap("a", 0, None, C), a.detach().numpy(), weights.numpy()[None, k : k + 1])[0, 0]
    assert np.abs(found - expected).max() <= 1e-9 * expected.max()


def test_grad_cam_refuses_deviations() -> None:
    with pytest.raises(ValueError, match="hirescam"):
        grad_cam(Tap("a", 0, C, C), np.ones((1, C, 2, 2)), np.ones((1, 1, D)))
    around = Around(CentredLayer("bell", np.eye(C, dtype=np.float32)), C, None, None)
    with pytest.raises(ValueError, match="hirescam"):
        grad_cam(Tap("a", 0, None, C, around), np.ones((1, C, 2, 2)), np.ones((1, 1, D)))


def test_interpolation_equals_that_of_torch_and_totals_are_kept() -> None:
    generator = np.random.default_rng(9)
    small, large = generator.normal(size=(2, 3, 4, 4)), generator.normal(size=(2, 3, 12, 12))
    expected = torch.nn.functional.interpolate(torch.tensor(small), size=(12, 12), mode="bilinear", align_corners=False)
    found = add_layers([small, large])
    assert np.allclose(found, expected.numpy() * 16 / 144 + large)
    # clamped at the edges, so totals are kept to the part that lies there
    assert np.allclose(add_layers([np.ones((1, 4, 4)), np.zeros((1, 12, 12))]).sum(), 16)
