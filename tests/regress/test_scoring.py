"""Fitted regressions at work: means of folds, row by row, and without features that none looks at."""

from __future__ import annotations

import numpy as np
from tests.regress.planted import LAYOUT, planted

from graticule.regress.fitting import ValueSettings, fit_member
from graticule.regress.inputs import BlockInputs
from graticule.regress.scoring import (
    ValueMember,
    head_value,
    member_values,
    with_features_given,
    without_features,
)

X, Y, _ = planted()


def members() -> list[ValueMember]:
    """Two folds: a ridge, and the mean of a ridge and a kernel."""
    made = []
    for start, chosen in ((0, ["ridge"]), (1, ["ridge", "kernel"])):
        rows = np.arange(start, 150, 2)
        inputs = BlockInputs(X, rows, LAYOUT)
        settings = [ValueSettings(kind, "both", 0.1, 0.3) for kind in chosen]
        made.append(fit_member(settings, [inputs.of("both")] * len(chosen), X[rows], Y[rows]))
    return made


MEMBERS = members()


def test_a_fold_answers_with_the_mean_of_its_regressions() -> None:
    both = [head_value(head, X) for head in MEMBERS[1]]
    np.testing.assert_allclose(member_values(MEMBERS, X)[1], np.mean(both, axis=0))


def test_no_number_depends_on_the_images_beside_it() -> None:
    whole = member_values(MEMBERS, X)
    for some in (slice(7, 8), slice(0, 150, 3)):
        np.testing.assert_array_equal(member_values(MEMBERS, X[some]), whole[:, some])


def test_features_that_no_regression_looks_at_can_go() -> None:
    rows = np.arange(150)
    inputs = BlockInputs(X, rows, LAYOUT)
    settings = [ValueSettings("ridge", "network", 0.1), ValueSettings("kernel", "network", 0.1, 0.3)]
    member = fit_member(settings, [inputs.of("network")] * 2, X, Y)
    trimmed = without_features(member, slice(50, 62))
    assert trimmed is not None
    np.testing.assert_allclose(member_values([trimmed], X[:, :50]), member_values([member], X), atol=1e-12)
    assert without_features(MEMBERS[0], slice(50, 62)) is None


def test_features_that_are_held_leave_the_same_numbers_of_the_others() -> None:
    held = slice(50, 58)
    for row in X[:5]:
        some = [with_features_given(member, held, row[held]) for member in MEMBERS]
        found = member_values(some, np.delete(row, held)[None])
        np.testing.assert_allclose(found, member_values(MEMBERS, row[None]), rtol=1e-6)
