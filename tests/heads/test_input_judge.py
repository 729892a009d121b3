"""Classes judge an input by the loss of one fixed head, and count alike."""

from __future__ import annotations

import numpy as np
from tests.made_samples import samples_of

from graticule.heads.input_judge import ClassInputJudge

N = 120
Y = np.where(np.arange(N) % 4 == 0, 0, 1)


def test_classes_count_alike_and_are_drawn_alike() -> None:
    judge = ClassInputJudge.of(samples_of([str(k) for k in Y]).manifest)
    assert judge.n_classes == 2
    rows = np.arange(N)
    weights = judge.weights(rows)
    assert weights[judge.y == 0].sum() == weights[judge.y == 1].sum() == 0.5
    drawn = judge.drawn(rows, 40, 0)
    assert np.bincount(judge.y[drawn]).tolist() == [20, 20]


def test_an_input_that_tells_the_class_loses_less() -> None:
    judge = ClassInputJudge(Y, 2)
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(N)[:90])
    folds, units = judge.inner_folds(rows, None, rows, 0)
    assert units is rows
    noise = rng.normal(size=(90, 2))
    told = judge.losses(noise + 3 * np.eye(2)[Y[rows]], rows, folds)
    assert told.shape == (90,)
    assert told.mean() < 0.5 * judge.losses(noise, rows, folds).mean()
