"""What is explained: log-odds, and gradients equal to those of autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.explain.test_pooled import SIDE, C, D, heads_of, torch

from graticule.explain.layout import Tap
from graticule.explain.pooled import hirescam
from graticule.explain.targets import TARGETS, even_shares, head_scores, margins, score_gradients, target_gradients
from graticule.heads.scoring import Head, LinearHead, LogitHead, scores


def torch_scores(head: Head, x: Any) -> Any:
    def t(values: Any) -> Any:
        return torch.tensor(np.asarray(values, np.float64))

    if isinstance(head, LogitHead):
        return x @ t(head.logit_weights).T + t(head.bias)
    lead, rest = x[:, : head.rooted], x[:, x.shape[1] if head.rooted is None else head.rooted :]
    z = torch.cat([torch.sign(lead) * torch.sqrt(torch.abs(lead)), rest], dim=1)
    if isinstance(head, LinearHead):
        return z @ t(head.weights).T + t(head.bias)
    u = (z - t(head.centre)) @ t(head.projection)
    kernel = torch.exp(-head.gamma * ((u[:, None] - t(head.support)[None]) ** 2).sum(-1))
    return kernel @ t(head.coefficients) + t(head.bias)


def torch_target(heads: list[Head], x: Any, target: str) -> Any:
    if target == "score":
        return torch.stack([torch_scores(h, x) for h in heads]).mean(0)
    logs = torch.stack([torch.log_softmax(h.temperature * torch_scores(h, x), dim=1) for h in heads])
    if target == "margin":
        return (logs - logs.mean(dim=2, keepdim=True)).mean(0)
    p = logs.exp().mean(0)
    return torch.log(p) - torch.log1p(-p)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("kind", "rooted"), [("linear", None), ("linear", C), ("linear", 0), ("logit", None), ("rbf", None), ("rbf", C + 1)]
)
def test_gradients_and_maps_equal_those_of_autograd(kind: str, rooted: int | None, target: str) -> None:
    generator = np.random.default_rng(3)
    heads = heads_of(kind, generator, rooted)
    a = torch.tensor(generator.normal(0.4, 1.0, size=(3, C, SIDE, SIDE)), requires_grad=True)
    mu = a.mean(dim=(2, 3))
    s = a.std(dim=(2, 3), correction=0)
    y = torch_target(heads, torch.cat([mu, s], dim=1), target)
    classes = np.array([[0, 2], [1, 3], [3, 0]])
    features = torch.cat([mu, s], dim=1).detach().numpy()
    found = hirescam(Tap("a", 0, C, C), a.detach().numpy(), target_gradients(heads, features, classes, target))
    for i in range(3):
        for t in range(2):
            (gradient,) = torch.autograd.grad(y[i, classes[i, t]], a, retain_graph=True)
            expected = (gradient[i] * a[i]).sum(0).detach().numpy()
            assert np.abs(found[i, t] - expected).max() <= 1e-6 * np.abs(expected).max()


def test_shares_are_half_of_what_each_feature_adds() -> None:
    generator = np.random.default_rng(6)
    x = generator.uniform(0.5, 2, size=(1, D))
    head = heads_of("linear", generator, C)[0]
    assert isinstance(head, LinearHead)
    gradients = even_shares([head], score_gradients(head, x))
    entered = np.concatenate([np.sqrt(x[:, :C]), x[:, C:]], axis=1)
    assert np.allclose(gradients * x[:, None], 0.5 * head.weights * entered[:, None])
    plain = np.ones((1, 1, D))
    assert np.array_equal(even_shares(heads_of("linear", generator), plain), plain)


def test_scores_are_those_of_prediction() -> None:
    generator = np.random.default_rng(5)
    x = generator.normal(size=(4, D)).astype(np.float32)
    for kind in ("linear", "rbf"):
        for rooted in (None, 0, C, D):
            head = heads_of(kind, generator, rooted)[0]
            assert np.allclose(head_scores(head, x), scores(head, x), rtol=1e-4, atol=1e-4)


def test_margins_are_centred() -> None:
    generator = np.random.default_rng(4)
    heads = heads_of("linear", generator)
    x = generator.normal(size=(6, D))
    assert np.allclose(margins(heads, x).sum(axis=1), 0, atol=1e-9)


def test_log_odds_do_not_saturate() -> None:
    head = LogitHead(np.array([[60.0, 0.0], [0.0, 60.0]], np.float32), np.zeros(2, np.float32), 1.0)
    gradient = target_gradients([head], np.array([[1.0, 0.0]]), np.array([[0]]), "log-odds")
    # p is 1 to 26 digits, and the gradient still that of the score against its rival
    assert np.allclose(gradient[0, 0], [60.0, -60.0])
