"""Regressions say what scikit-learn's say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.svm import SVR
from tests.regress.planted import LAYOUT, planted

from graticule.arrays import FloatArray
from graticule.regress.fitting import RidgeFits, Standard, ValueSettings, fit_value, gamma_of
from graticule.regress.inputs import BlockInputs
from graticule.regress.scoring import head_value

X, Y, _ = planted()
Y = 40 + 7 * Y
TRAIN, TEST = np.arange(0, 150, 2), np.arange(1, 150, 2)


def theirs(settings: ValueSettings) -> FloatArray:
    """The same by scikit-learn on the same input."""
    given = BlockInputs(X, TRAIN, LAYOUT).of(settings.blocks)
    train, test = given.apply(X[TRAIN]), given.apply(X[TEST])
    standard = Standard.of(Y[TRAIN])
    y = (Y[TRAIN] - standard.mean) / standard.scale
    gamma = gamma_of(train, settings.width)
    model = {
        "ridge": lambda: Ridge(settings.strength),
        "kernel": lambda: KernelRidge(alpha=settings.strength + 1e-10, kernel="rbf", gamma=gamma),
        "svr": lambda: SVR(C=settings.strength, gamma=gamma, epsilon=0.1),
    }[settings.kind]()
    return np.asarray(model.fit(train, y).predict(test) * standard.scale + standard.mean)


@pytest.mark.parametrize("blocks", ["network", "orientation", "both"])
@pytest.mark.parametrize(
    ("kind", "strength", "width"),
    [("ridge", 0.01, 0.0), ("ridge", 3.0, 0.0), ("kernel", 0.01, 0.3), ("kernel", 1.0, 1.0), ("svr", 1.0, 0.3)],
)
def test_as_scikit_learn_says(kind: str, strength: float, width: float, blocks: str) -> None:
    settings = ValueSettings(kind, blocks, strength, width)
    given = BlockInputs(X, TRAIN, LAYOUT).of(blocks)
    head = fit_value(settings, given, X[TRAIN], Y[TRAIN])
    found = head_value(head, X[TEST])
    np.testing.assert_allclose(found, theirs(settings), atol=1e-6)
    assert np.corrcoef(found, Y[TEST])[0, 1] > 0.8


def test_ridge_is_the_same_in_either_space() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 30)), rng.normal(size=20)
    wide = RidgeFits(x, y).weights(0.5)
    padded = np.concatenate([x, np.zeros((20, 0))], axis=1)
    direct = np.linalg.solve(
        (padded - padded.mean(0)).T @ (padded - padded.mean(0)) + 0.5 * np.eye(30),
        (padded - padded.mean(0)).T @ (y - y.mean()),
    )
    np.testing.assert_allclose(wide, direct, atol=1e-9)


def test_numbers_inside_the_tube_need_no_support() -> None:
    given = BlockInputs(X, TRAIN, LAYOUT).of("network")
    equal = np.full(len(TRAIN), 3.0)
    head = fit_value(ValueSettings("svr", "network", 1.0, 0.3), given, X[TRAIN], equal)
    np.testing.assert_allclose(head_value(head, X[TEST]), 3.0)
