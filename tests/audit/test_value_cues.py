"""Cues of a number: planted ones are found with how much they explain, clean data are not accused."""

import numpy as np
import pytest

from graticule.arrays import FloatArray, StrArray, object_array
from graticule.audit.shortcuts import ADVICE, Cue
from graticule.audit.value_cues import FOLDS, MARGIN, VALUE_ADVICE, _folds, _smoother, find_value_cues, share_between


def numbers_in_groups(n_groups: int, each: int, seed: int, between: float = 0.6) -> tuple[FloatArray, StrArray]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), each)
    y = np.sqrt(between) * rng.normal(size=n_groups)[group] + np.sqrt(1 - between) * rng.normal(size=group.size)
    return y, object_array([f"g{k}" for k in group])


def noise_cues(group: StrArray, seed: int) -> list[Cue]:
    """Cues that hang together within groups and say nothing of the number."""
    rng = np.random.default_rng(seed + 1000)
    code = np.unique(group.astype(str), return_inverse=True)[1]
    style = rng.normal(size=(code.max() + 1, 30))[code] + 0.5 * rng.normal(size=(code.size, 30))
    maker = rng.integers(3, size=code.max() + 1)[code]
    return [
        Cue("brightness", "The brightness", "numeric", style[:, :2], "picture", "picture"),
        Cue("border", "The border", "numeric", style[:, 2:18], "border", "picture"),
        Cue("image size", "The size of the image", "numeric", style[:, 18:20], "size", "picture"),
        Cue("info bar", "The info bar", "numeric", (style[:, 20:21] > 0).astype(float), "bar"),
        Cue("instrument", "The instrument", "categorical", object_array([f"m{k}" for k in maker]), "instrument"),
    ]


def test_a_planted_cue_is_named_with_how_much_it_explains() -> None:
    y, group = numbers_in_groups(40, 6, 0)
    for planted in (y, np.exp(y), np.column_stack([y, np.random.default_rng(1).normal(size=y.size)])):
        cues = [*noise_cues(group, 0), Cue("size", "The size", "numeric", planted, "size", "picture")]
        found = find_value_cues(cues, y, group)
        first = found.associations[0]
        assert first.cue == "size"
        assert first.flagged
        assert first.r2 >= 0.8
        assert first.low <= first.r2 <= first.high
        assert "`--size-features`" in first.advice
        assert not any(row.flagged for row in found.associations[1:])


def test_levels_of_a_categorical_cue_are_told() -> None:
    y, group = numbers_in_groups(40, 6, 1, between=0.0)
    site = object_array(["low" if value < 0 else "high" for value in y])
    found = find_value_cues([Cue("site", "The site", "categorical", site, "session")], y, group)
    # the sign of a normal number explains 2 / pi of its variance
    assert found.associations[0].r2 == pytest.approx(2 / np.pi, abs=0.08)
    assert found.associations[0].flagged


def test_clean_data_are_rarely_accused() -> None:
    accused = 0
    for seed in range(20):
        y, group = numbers_in_groups(30, 5, seed)
        accused += any(
            row.flagged for row in find_value_cues(noise_cues(group, seed), y, group, seed=seed).associations
        )
    assert accused <= 1


def test_a_cue_that_names_the_group_tells_nothing_of_new_groups() -> None:
    y, group = numbers_in_groups(20, 8, 2, between=0.9)
    found = find_value_cues([Cue("specimen", "The specimen", "categorical", group, "session")], y, group)
    assert found.associations[0].r2 < 0.05
    assert not found.associations[0].flagged
    assert found.between_groups is not None
    assert found.between_groups > 0.7


def test_share_between_groups() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(50), 6)
    for share in (0.0, 0.5, 0.9):
        y = np.sqrt(share) * rng.normal(size=50)[units] + np.sqrt(1 - share) * rng.normal(size=300)
        assert share_between(y, units) == pytest.approx(share, abs=0.15)
    assert share_between(np.ones(300), units) == 0.0
    assert share_between(rng.normal(size=5), np.arange(5)) == 0.0


def test_folds_keep_groups_whole_and_are_of_about_one_size() -> None:
    units = np.repeat(np.arange(25), 4)
    fold = _folds(units, np.random.default_rng(0))
    assert len({(int(u), int(f)) for u, f in zip(units, fold, strict=True)}) == 25
    assert np.ptp(np.bincount(fold, minlength=FOLDS)) <= 4


def test_the_smoother_sees_no_row_of_its_own_fold_and_keeps_constants() -> None:
    rng = np.random.default_rng(0)
    fold = np.repeat(np.arange(5), 8)
    matrix = _smoother(rng.normal(size=(40, 3)), fold)
    assert not matrix[fold[:, None] == fold[None]].any()
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)


def test_too_few_groups_and_equal_numbers_are_told() -> None:
    y, group = numbers_in_groups(2, 20, 0)
    for values in (y, np.ones(40)):
        found = find_value_cues(noise_cues(group, 0), values, group)
        assert found.associations == []
        assert "3 groups" in found.notes[0]


def test_few_groups_have_no_interval() -> None:
    y, group = numbers_in_groups(8, 10, 0)
    rows = find_value_cues(noise_cues(group, 0), y, group).associations
    assert all(np.isnan(row.low) and np.isnan(row.high) for row in rows)


def test_every_remedy_has_words_for_numbers() -> None:
    assert set(VALUE_ADVICE) == set(ADVICE)
    assert MARGIN["acquisition"] < MARGIN["picture"]


def test_cues_of_another_length_are_refused() -> None:
    y, group = numbers_in_groups(10, 3, 0)
    with pytest.raises(ValueError, match="30 values"):
        find_value_cues([Cue("day", "The day", "numeric", np.zeros(4), "session")], y, group)
