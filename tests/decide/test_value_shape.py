"""A local width has to earn its place; the words say why it did or did not."""

from __future__ import annotations

import numpy as np

from graticule.decide.value_shape import STRENGTH, choose_shape
from graticule.decide.value_width import fit_width
from graticule.statistics.conformal_quantiles import conformal_quantile, share_of_unit

FREE = (None, None)


def simulated(kind: str, n_groups: int = 40, size: int = 8, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_groups), size)
    value, hard = rng.uniform(size=len(unit)), rng.normal(size=len(unit))
    error = 0.1 * rng.normal(size=len(unit)) * (np.exp(hard) if kind == "told" else 1.0)
    return value + error, value, unit, hard[:, None]


def test_a_width_that_tells_hard_images_is_taken() -> None:
    target, value, unit, hard = simulated("told")
    shape = choose_shape(target, value, unit, hard, FREE)
    assert shape.width is not None
    assert shape.why.startswith("local: the narrowest third of local widths covers")
    assert "better" in shape.why
    assert shape.scale[hard[:, 0] > 1].mean() > 3 * shape.scale[hard[:, 0] < -1].mean()


def test_a_width_learnt_of_noise_is_left_or_nearly_constant() -> None:
    target, value, unit, _ = simulated("even", seed=1)
    noise = np.random.default_rng(5).normal(size=(len(value), 60))
    shape = choose_shape(target, value, unit, noise, FREE)
    assert shape.width is None or shape.scale.max() / shape.scale.min() < 1.5


def test_widths_that_miss_too_many_of_the_narrowest_are_refused() -> None:
    """Easy images with a tiny error mostly, and a quarter of them with a large one: the logarithm sees the many."""
    rng = np.random.default_rng(0)
    unit, hard = np.repeat(np.arange(40), 10), rng.normal(size=400)
    easy = np.where(rng.uniform(size=400) < 0.25, 1.0, 0.001) * rng.choice([-1, 1], 400)
    error = np.where(hard < -0.4, easy, 0.4 * rng.normal(size=400))
    shape = choose_shape(error, np.zeros(400), unit, hard[:, None], FREE)
    assert shape.width is None
    assert "less than 85%" in shape.why


def test_few_groups_have_one_width() -> None:
    target, value, unit, hard = simulated("told", n_groups=19)
    shape = choose_shape(target, value, unit, hard, FREE)
    assert shape.width is None
    assert "19 groups or images, 20 are needed" in shape.why


def test_bias_in_a_third_of_the_predictions_gives_two_sides() -> None:
    target, value, unit, hard = simulated("even")
    assert not choose_shape(target, value, unit, hard, FREE).asymmetric
    shape = choose_shape(np.where(value > 0.6, target + 0.15, target), value, unit, hard, FREE)
    assert shape.asymmetric
    assert "each side has a reach of its own" in shape.why


def test_no_error_at_all() -> None:
    value = np.linspace(0, 1, 60)
    shape = choose_shape(value, value, np.arange(60), np.zeros((60, 0)), FREE)
    assert (shape.width, shape.asymmetric) == (None, False)


def test_widths_told_from_few_groups_hold_in_their_narrowest_third() -> None:
    """Of new groups, over sets of 25 groups whose errors share half their variance; the full width falls short."""
    held: dict[float, list[float]] = {1.0: [], 0.5: []}
    for seed in range(60):
        target, value, unit, hard = _shared(25, np.random.default_rng(seed))
        new_target, new_value, _, new_hard = _shared(60, np.random.default_rng(1000 + seed))
        error, weight = target - value, share_of_unit(unit)
        for power, found in held.items():
            width = fit_width(error, value, hard, weight, unit).tempered(power)
            scale = width.scale(new_value, new_hard)
            reach = conformal_quantile(np.abs(error) / width.scale(value, hard), weight, 0.9)
            narrow = scale <= np.quantile(scale, 1 / 3)
            found.append(float((np.abs(new_target - new_value) <= reach * scale)[narrow].mean()))
    assert STRENGTH == 0.5
    assert np.mean(held[0.5]) > np.mean(held[1.0]) + 0.01
    assert np.mean(held[0.5]) > 0.85


def _shared(n_groups: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    unit = np.repeat(np.arange(n_groups), 6)
    value, hard = rng.uniform(size=len(unit)), rng.normal(size=(len(unit), 3))
    error = (rng.normal(size=n_groups)[unit] + rng.normal(size=len(unit))) * np.exp(0.3 * hard[:, 0])
    return value + 0.05 * error, value, unit, hard
