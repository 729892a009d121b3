"""DICOM as a matrix: photometric interpretation x transfer syntax x depth; a compressed file equals its plain twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.formats import dicoms
from tests.formats.dicoms import in_range, read, refused

from graticule.formats import dicom as reader

pytest.importorskip("pydicom", reason="DICOM files are written and read with pydicom (the extra dicom)")
KINDS = list(dicoms.kinds())
SMALL_LOSS = 0.03  # of the range, a little more than the coders lose at these settings


def type_of(kind: dicoms.Kind) -> str:
    if kind.photometric == "PALETTE COLOR":
        return f"uint{kind.entry_bits}"
    return f"{'int' if kind.signed else 'uint'}{kind.allocated}"


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_syntax_gives_the_true_values(kind: dicoms.Kind) -> None:
    truth = dicoms.expected(kind, dicoms.samples_of(kind))
    made = dicoms.twins(kind)
    assert len(made) >= 6
    for name, data in made.items():
        frames = [read(data, z) for z in range(kind.frames)]
        for image, right in zip(frames, truth, strict=True):
            assert image.pixels.dtype == type_of(kind), name
            np.testing.assert_array_equal(image.pixels, right, err_msg=name)
            assert in_range(image), name
            assert image.bits == (kind.entry_bits if kind.photometric == "PALETTE COLOR" else kind.bits), name
        np.testing.assert_array_equal(read(data, "max").pixels, truth.max(axis=0), err_msg=name)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.photometric != "PALETTE COLOR"], ids=str)
def test_lossy_syntaxes_stay_near_the_plain_twin(kind: dicoms.Kind) -> None:
    truth = dicoms.expected(kind, dicoms.samples_of(kind, smooth=True))
    for name, data in dicoms.lossy_twins(kind).items():
        for z, right in enumerate(truth):
            image = read(data, z)
            assert image.pixels.dtype == type_of(kind), name
            assert in_range(image), name
            assert np.abs(image.pixels - right).max() <= SMALL_LOSS * 2**kind.bits, name


def test_brightest_means_brightest_as_seen() -> None:
    kind = dicoms.Kind("MONOCHROME2", 16, 12, frames=3)
    values = dicoms.samples_of(kind)
    body = dicoms.plain_bytes(kind, dicoms.cells_of(kind, values, dirty=True), big_endian=False)
    image = read(dicoms.file_of(kind, ".1", body, RescaleSlope=-2, RescaleIntercept=10), "max")
    np.testing.assert_array_equal(image.pixels, (10 - 2 * values[..., 0]).max(axis=0))


def test_frames_of_enhanced_objects_have_rescales_of_their_own() -> None:
    import pydicom

    kind = dicoms.Kind("MONOCHROME2", 16, 12, frames=3)
    values = dicoms.samples_of(kind)[..., 0]
    body = dicoms.plain_bytes(kind, dicoms.cells_of(kind, values[..., None], dirty=True), big_endian=False)

    def rule(slope: float, intercept: float) -> Any:
        inner, outer = pydicom.Dataset(), pydicom.Dataset()
        inner.RescaleSlope, inner.RescaleIntercept, inner.RescaleType = slope, intercept, "US"
        outer.PixelValueTransformationSequence = [inner]
        return outer

    shared = dicoms.file_of(kind, ".1", body, SharedFunctionalGroupsSequence=[rule(2, -100)])
    np.testing.assert_array_equal(read(shared, 1).pixels, 2 * values[1] - 100)
    np.testing.assert_array_equal(read(shared, "max").pixels, 2 * values.max(axis=0) - 100)
    rules = [rule(1, 10 * k) for k in range(3)]
    own = dicoms.file_of(kind, ".1", body, PerFrameFunctionalGroupsSequence=rules)
    for k in range(3):
        np.testing.assert_array_equal(read(own, k).pixels, values[k] + 10 * k)
    assert refused(own, "rules of its own: --z max", "max")


def test_a_deflated_data_set_is_measured_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = dicoms.Kind("MONOCHROME2", frames=300)
    body = bytes(300 * dicoms.ROWS * dicoms.COLUMNS)
    data = dicoms.file_of(kind, dicoms.PLAIN["deflated"], body)
    assert len(data) < 2000
    assert not read(data, 299).pixels.any()
    monkeypatch.setattr(reader, "MAX_BYTES", 50_000)
    monkeypatch.setattr(reader, "_STEP", 1000)
    assert refused(data, "deflated data set takes more", 0)
