"""A model against simpler ones: the ratio of errors is paired, so what both find hard cancels out."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.evaluate.values.baselines import against_baseline, paired_errors
from graticule.evaluate.values.estimates import Sampling
from graticule.evaluate.values.figures import score_values


def two_models(n_groups: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """True values, two models that share what is hard of a group, the second with twice the error; groups."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_groups), 5)
    y = rng.uniform(0, 1, len(unit))
    hard = np.exp(rng.normal(size=n_groups))[unit] * rng.normal(size=len(unit))
    return y, y + hard, y + 2 * hard * rng.choice([0.9, 1.1], len(unit)), unit


def test_ratio_and_difference_are_paired() -> None:
    y, good, bad, unit = two_models()
    sampling = Sampling(np.full(30, 5.0), True, 0, 400)
    first, second = (score_values(y, p, unit, 0.5) for p in (good, bad))
    found = paired_errors(first, second, sampling)
    mae = [float(np.abs(p - y).mean()) for p in (good, bad)]
    assert found["ratio"]["value"] == pytest.approx(mae[0] / mae[1])
    assert found["difference"]["value"] == pytest.approx(mae[0] - mae[1])
    # unpaired limits would be wider than the error of either model
    assert found["ratio"]["high"] - found["ratio"]["low"] < 0.1
    assert found["ratio"]["low"] < found["ratio"]["value"] < found["ratio"]["high"]
    assert found["difference"]["high"] < 0


def test_a_model_against_itself_and_against_a_perfect_one() -> None:
    y, good, _, unit = two_models()
    sampling = Sampling(np.full(30, 5.0), True, 0, 200)
    model, perfect = (score_values(y, p, unit, 0.5) for p in (good, y))
    same = paired_errors(model, model, sampling)
    assert (same["ratio"]["low"], same["ratio"]["value"], same["ratio"]["high"]) == (1.0, 1.0, 1.0)
    assert paired_errors(model, perfect, sampling)["ratio"]["value"] is None
    assert paired_errors(perfect, model, sampling)["ratio"]["value"] == 0.0


def test_a_constant_has_figures_of_its_own() -> None:
    y, good, _, unit = two_models()
    sampling = Sampling(np.full(30, 5.0), True, 0, 200)
    found = against_baseline(*(score_values(y, p, unit, 0.5) for p in (good, np.full(len(y), 0.5))), sampling)
    assert found["r2"]["value"] == pytest.approx(0.0)
    assert found["spearman"]["value"] is None
    assert found["mae"]["low"] < found["mae"]["value"] < found["mae"]["high"]


def test_few_groups_give_values_alone() -> None:
    y, good, bad, unit = two_models(5)
    found = paired_errors(*(score_values(y, p, unit, 0.5) for p in (good, bad)), Sampling(np.full(5, 5.0), True))
    assert found["ratio"]["low"] is None
    assert found["ratio"]["method"] == "too_few_groups"
