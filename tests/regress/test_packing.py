"""Regressions as tensors: packed small, read back to the last bit, and refused where they do not fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.regress.planted import LAYOUT, planted
from tests.regress.test_scoring import MEMBERS

from graticule.errors import BundleError
from graticule.regress.fitting import ValueSettings, fit_member
from graticule.regress.inputs import BlockInputs, ValueInput
from graticule.regress.packing import kept, pack_values, unpack_values
from graticule.regress.scoring import KernelValue, member_values

X, Y, _ = planted()


def test_round_trip_to_the_last_bit() -> None:
    found = unpack_values(pack_values(MEMBERS), 62)
    np.testing.assert_array_equal(member_values(found, X), member_values(MEMBERS, X))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("0.0.slope", None, "lacks the tensor"),
        ("0.0.slope", np.zeros(61), "shape"),
        ("0.0.offset", np.array(np.nan), "no finite numbers"),
        ("1.1.gamma", np.array(0.0), "gamma 0"),
        ("1.1.support", np.zeros((3, 5), np.float32), "shape"),
        ("1.1.projection", np.zeros(9, np.float16), "blocks do not fit"),
        ("1.1.block_of_row", np.full(62, 10**6, np.int32), "blocks do not fit"),
        ("1.1.block_of_row", np.full(62, -2, np.int32), "blocks do not fit"),
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


def test_each_feature_may_be_an_axis_of_its_own() -> None:
    """As of a few hundred orientation statistics, which are standardised and no more; some tell nothing."""
    rng = np.random.default_rng(0)
    projection = kept(np.diag(np.where(np.arange(300) % 50 == 7, 0.0, rng.uniform(0.5, 2, 300))))
    support, coefficients = rng.normal(size=(5, 300)).astype(np.float32).astype(np.float64), rng.normal(size=5)
    head = KernelValue(rng.normal(size=300), projection, support, coefficients, 0.2, 0.01, 0)
    (((read,),)) = unpack_values(pack_values([(head,)]), 300)
    assert isinstance(read, KernelValue)
    np.testing.assert_array_equal(read.projection, projection)
    rows = rng.normal(size=(4, 300))
    np.testing.assert_array_equal(member_values([(read,)], rows), member_values([(head,)], rows))


def test_nothing_is_no_model() -> None:
    with pytest.raises(BundleError, match="holds nothing"):
        unpack_values({}, 62)


def test_a_packed_model_is_small_and_holds_no_zeros_between_blocks() -> None:
    (head,) = (one for one in MEMBERS[1] if isinstance(one, KernelValue))
    tensors = pack_values(MEMBERS)
    zeros = head.projection == 0
    assert zeros[:50, -1].all()  # an axis of the orientation block
    assert tensors["1.1.projection"].dtype == np.float16
    assert len(tensors["1.1.projection"]) == (~zeros).sum() + 1
    assert tensors["1.1.support"].dtype == np.float32


@pytest.mark.parametrize("kind", ["kernel", "svr"])
def test_half_precision_changes_no_prediction_noticeably(kind: str) -> None:
    """Against the same regression on the same input in double precision, in standard deviations of the target."""
    rows = np.arange(150)
    rounded = BlockInputs(X, rows, LAYOUT).of("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graticule.regress.inputs.kept", lambda exact: exact)
        exact = BlockInputs(X, rows, LAYOUT).of("both")
    assert not np.array_equal(exact.projection, rounded.projection)
    settings = [ValueSettings(kind, "both", 0.1, 0.3)]

    def said(given: ValueInput) -> np.ndarray:
        return member_values([fit_member(settings, [given], X[::2], Y[::2])], X)[0]

    assert np.abs(said(rounded) - said(exact)).max() < 1e-3 * Y.std()


def test_rows_of_any_size_keep_eleven_bits() -> None:
    rng = np.random.default_rng(0)
    projection = rng.normal(size=(6, 40)) * 10.0 ** np.array([-12, -6, 0, 3, 8, 0])[:, None]
    projection[5] = 0
    found = kept(projection)
    assert (np.abs(found - projection) <= 2.0**-11 * np.abs(projection).max(axis=1, keepdims=True)).all()
    np.testing.assert_array_equal(kept(found), found)
