"""Regressions as tensors: packed, read back, and refused where they do not fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.regress.planted import LAYOUT, planted

from graticule.errors import BundleError
from graticule.regress.fitting import ValueSettings, fit_member
from graticule.regress.inputs import BlockInputs
from graticule.regress.scoring import (
    ValueMember,
    head_value,
    member_values,
    pack_values,
    unpack_values,
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


def test_round_trip_to_the_last_bit() -> None:
    found = unpack_values(pack_values(MEMBERS), 62)
    np.testing.assert_array_equal(member_values(found, X), member_values(MEMBERS, X))


def test_a_fold_answers_with_the_mean_of_its_regressions() -> None:
    both = [head_value(head, X) for head in MEMBERS[1]]
    np.testing.assert_allclose(member_values(MEMBERS, X)[1], np.mean(both, axis=0))


def test_no_number_depends_on_the_images_beside_it() -> None:
    whole = member_values(MEMBERS, X)
    for some in (slice(7, 8), slice(0, 150, 3)):
        np.testing.assert_array_equal(member_values(MEMBERS, X[some]), whole[:, some])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("0.0.slope", None, "lacks the tensor"),
        ("0.0.slope", np.zeros(61), "shape"),
        ("0.0.offset", np.array(np.nan), "no finite numbers"),
        ("1.1.gamma", np.array(0.0), "gamma 0"),
        ("1.1.support", np.zeros((3, 5)), "shape"),
        ("0.0.rooted", np.array(63), "roots 63 of 62"),
        ("3.0.slope", np.zeros(62), "lacks the tensor|unexpected"),
        ("0.0.more", np.zeros(2), "unexpected '0.0.more'"),
        ("weights", np.zeros(2), "another kind"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: Any, said: str) -> None:
    tensors = pack_values(MEMBERS)
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value
    with pytest.raises(BundleError, match=said):
        unpack_values(tensors, 62)


def test_nothing_is_no_model() -> None:
    with pytest.raises(BundleError, match="holds nothing"):
        unpack_values({}, 62)


def test_features_that_no_regression_looks_at_can_go() -> None:
    rows = np.arange(150)
    inputs = BlockInputs(X, rows, LAYOUT)
    settings = [ValueSettings("ridge", "network", 0.1), ValueSettings("kernel", "network", 0.1, 0.3)]
    member = fit_member(settings, [inputs.of("network")] * 2, X, Y)
    trimmed = without_features(member, slice(50, 62))
    assert trimmed is not None
    np.testing.assert_allclose(member_values([trimmed], X[:, :50]), member_values([member], X), atol=1e-12)
    assert without_features(MEMBERS[0], slice(50, 62)) is None
