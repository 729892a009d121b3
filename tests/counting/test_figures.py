"""All estimates of a count as arrays: planted counts come back, and what cannot be told has no row."""

from __future__ import annotations

import numpy as np
import pytest
from tests.counting.answered import answered
from tests.counting.test_prior_shift import calibration, scores

from graticule.answers import Scored
from graticule.counting.figures import (
    BINS_UM,
    EVERY_SIZE,
    Figures,
    add_control,
    add_plain,
    add_prior_shift,
    add_sizes,
    bin_name,
    scope_counts,
    total_per_ml,
)
from graticule.counting.prior_shift import reference
from graticule.counting.tables import ControlSample, Details

CALLED = [0, 0, 1, 2, 2, -1]
SPECIMEN = np.array([0, 1, 1, 0, -1, 0])


def control_of(figures: Figures, scored: Scored, details: Details, row: np.ndarray, truth: np.ndarray) -> None:
    """Adds what a control sample of these rows corrects."""
    add_control(figures, scored, details, ControlSample(row, truth[row], None), np.random.default_rng(0))


def test_scopes_are_all_images_then_each_specimen() -> None:
    scored, details = answered(CALLED), Details(SPECIMEN, ("a", "b"))
    assert scope_counts(scored, details).tolist() == [[2, 1, 2], [1, 0, 1], [1, 1, 0]]
    inside = np.array([True, False, True, False, True, True])
    assert scope_counts(scored, details, inside).tolist() == [[1, 1, 1], [1, 0, 0], [0, 1, 0]]
    assert scope_counts(answered([]), Details(np.zeros(0, int), ())).tolist() == [[0, 0, 0]]


def test_shares_are_told_of_all_sizes_only() -> None:
    figures = Figures()
    add_plain(figures, np.array([[3.0, 1.0, 0.0]]))
    add_plain(figures, np.array([[1.0, 0.0, 0.0]]), bin_name(5))
    assert list(figures.estimates) == [
        (EVERY_SIZE, "count", "plain"), (EVERY_SIZE, "share", "plain"), (">= 5 um", "count", "plain")
    ]  # fmt: skip
    assert figures.estimates[EVERY_SIZE, "share", "plain"].value.tolist() == [[0.75, 0.25, 0.0]]


def test_a_diameter_on_the_limit_is_inside_and_none_is_in_no_bin() -> None:
    diameter = np.array([2.0, 4.999, 5.0, 30.0, np.nan, np.nan])
    details, figures = Details(SPECIMEN, ("a", "b"), diameter), Figures()
    totals = add_sizes(figures, answered(CALLED), details, np.array([2.0, 1.0, 1.0]))
    assert totals.tolist() == [[4, 2, 2], [2, 1, 1], [1, 1, 0], [1, 1, 0]]
    assert figures.notes == ["1 readable images have no diameter: they are in no size bin"]
    assert figures.estimates[">= 2 um", "per_ml", "plain"].value[0].tolist() == [1.0, 0.5, 0.5]
    every = total_per_ml(totals, np.array([2.0, 1.0, 1.0]))
    assert every.value[:, 0].tolist() == [2.0, 1.0, 0.5, 0.5]
    without = Figures()
    assert add_sizes(without, answered(CALLED), Details(SPECIMEN, ("a", "b")), None).shape == (len(BINS_UM), 3)
    assert {quantity for _, quantity, _ in without.estimates} == {"count"}


def test_particles_per_ml_have_the_poisson_limits_of_the_tables() -> None:
    found = total_per_ml(np.array([[10.0], [0.0]]), np.array([2.0]))
    # Garwood (1936): 10 events, 4.795389 to 18.390356; none, up to 3.688879
    np.testing.assert_allclose(np.ravel([found.value, found.low, found.high]),
                               [5, 0, 2.3976945, 0, 9.195178, 1.8444395], rtol=1e-6)  # fmt: skip


def test_a_full_control_sample_gives_the_truth_of_each_specimen() -> None:
    rng = np.random.default_rng(1)
    truth, specimen = rng.integers(0, 3, 300), np.repeat([0, 1], 150)
    called = np.where(rng.uniform(size=300) < 0.8, truth, (truth + 1) % 3)
    figures, details = Figures(), Details(specimen, ("a", "b"))
    control_of(figures, answered(called), details, np.arange(300), truth)
    expected = [np.bincount(truth[rows], minlength=3) for rows in (slice(None), slice(150), slice(150, None))]
    np.testing.assert_allclose(figures.estimates[EVERY_SIZE, "count", "control"].value, expected)
    assert list(figures.estimates) == [(EVERY_SIZE, "count", "control"), (EVERY_SIZE, "share", "control")]
    assert figures.control["n"] == 300
    assert figures.control["drawn_at_random_p"] == 1.0
    assert figures.notes == []


@pytest.mark.parametrize(("wrong_in_a", "lent"), [(0.2, True), (0.9, False)])
def test_a_specimen_without_control_images_is_lent_the_precision_of_all_where_specimens_agree(
    wrong_in_a: float, lent: bool
) -> None:
    rng = np.random.default_rng(2)
    specimen, called = np.repeat([0, 1, 2], 200), rng.integers(0, 3, 600)
    wrong = rng.uniform(size=600) < np.array([wrong_in_a, 0.2, 0.2])[specimen]
    truth = np.where(wrong, (called + 1) % 3, called)
    figures, details = Figures(), Details(specimen, ("a", "b", "c"))
    control_of(figures, answered(called), details, np.arange(400), truth)
    exact = figures.estimates[EVERY_SIZE, "count", "control"].value
    assert np.isnan(exact).all(axis=1).tolist() == [False, False, False, True]
    assert ((EVERY_SIZE, "count", "control_pooled") in figures.estimates) is lent
    if lent:
        pooled = figures.estimates[EVERY_SIZE, "count", "control_pooled"].value
        assert np.isnan(pooled).all(axis=1).tolist() == [True, True, True, False]
        assert pooled[3].sum() == pytest.approx(200)
    assert ("takes the precision of all specimens" if lent else "precision differs") in figures.notes[-1]


def test_what_a_control_sample_leaves_open_is_noted() -> None:
    scored = answered([0, 0, 0, 1, 1, 2])
    figures, truth = Figures(), np.array([0, 1, 0, 1, 1, 2])
    control_of(figures, scored, Details(np.zeros(6, int), ("a",)), np.arange(5), truth)
    assert "no control image is called protein" in figures.notes[0]
    assert "cannot be tested, so they get no corrected count" in figures.notes[1]
    assert np.isnan(figures.estimates[EVERY_SIZE, "count", "control"].value).all()
    assert figures.control["per_class"] == {"fibre": 3, "glass": 2, "protein": 0}


def test_control_images_picked_by_their_scores_are_found_out_unless_the_sampling_is_told() -> None:
    rng = np.random.default_rng(3)
    called, best = np.zeros(400, int), np.sort(rng.uniform(0.5, 1, 400))
    scored = answered(called, np.column_stack([best, (1 - best) / 2, (1 - best) / 2]))
    details, row = Details(np.full(400, -1), ()), np.arange(60)
    picked, told = Figures(), Figures()
    control_of(picked, scored, details, row, called)
    assert "hardly drawn at random" in picked.notes[0]
    add_control(told, scored, details, ControlSample(row, called[row], np.full(60, 0.5)), rng)
    assert (told.notes, told.control["drawn_at_random_p"]) == ([], None)


def test_a_planted_mix_is_found_and_a_small_specimen_is_refused() -> None:
    rng = np.random.default_rng(7)
    known, y = calibration(rng, 900), rng.choice(3, 1000, p=[0.1, 0.2, 0.7])
    proba = scores(y, rng)
    details = Details(np.where(np.arange(1000) < 40, 1, 0), ("large", "small"))
    figures = Figures()
    add_prior_shift(figures, answered(proba.argmax(axis=1), proba), details, known, rng)
    assert [test.passed for test in figures.tests] == [True, True, False]
    for method in ("em", "adjusted"):
        found = figures.estimates[EVERY_SIZE, "count", method]
        truth = np.bincount(y, minlength=3)
        assert ((found.low[0] <= truth) & (truth <= found.high[0])).all()
        assert np.isnan(found.value[2]).all()
        assert figures.estimates[EVERY_SIZE, "share", method].value[0].sum() == pytest.approx(1)


def test_where_all_images_fail_no_specimen_is_tested() -> None:
    rng = np.random.default_rng(5)
    proba = scores(rng.integers(0, 3, 600), rng, move=np.array([0.0, 1.5]))
    scored, details = answered(proba.argmax(axis=1), proba), Details(np.zeros(600, int), ("a",))
    figures = Figures()
    add_prior_shift(figures, scored, details, calibration(rng, 900), rng)
    assert figures.tests[1].reasons == ("refused for all images together",)
    assert figures.estimates == {}
    few, y = Figures(), np.arange(30) % 3
    add_prior_shift(few, scored, details, reference(scores(y, rng), y), rng)
    assert all("fewer than 30 calibration images of fibre 10" in test.reasons[0] for test in few.tests)
