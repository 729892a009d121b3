"""Pixel size and device from DICOM keywords, on plain objects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from graticule.formats.instrument.dicom import dicom_metadata
from graticule.formats.instrument.metadata import Metadata


def region(x: float, y: float, units: int = 3, spatial: int = 1) -> SimpleNamespace:
    return SimpleNamespace(
        PhysicalDeltaX=x,
        PhysicalDeltaY=y,
        PhysicalUnitsXDirection=units,
        PhysicalUnitsYDirection=units,
        RegionSpatialFormat=spatial,
    )


def test_computed_tomography() -> None:
    scan = SimpleNamespace(
        Manufacturer="GE MEDICAL", ManufacturerModelName="LightSpeed", KVP="120", PixelSpacing=["0.66", "0.66"]
    )
    expected = Metadata(pytest.approx(660_000.0), None, 120.0, "", "LightSpeed", "GE MEDICAL", None, ())
    assert dicom_metadata(scan) == expected


def test_spacing_is_rows_then_columns() -> None:
    found = dicom_metadata(SimpleNamespace(PixelSpacing=[0.5, 0.25]))
    assert found.pixel_size_nm == pytest.approx(250_000.0)
    assert "not square" in found.warnings[0]


def test_ultrasound_in_centimetres() -> None:
    scan = SimpleNamespace(
        SequenceOfUltrasoundRegions=[region(0.01, 1.0, units=4, spatial=3), region(0.0125, -0.0125)],
        TransducerType="LINEAR",
    )
    found = dicom_metadata(scan)
    assert found.pixel_size_nm == pytest.approx(125_000.0)
    assert found.detector == "LINEAR"
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        ([region(0.01, 0.01), region(0.02, 0.02)], "different"),
        ([region(0.01, 0.01, units=4)], "no two-dimensional"),
        ([region(0.0, 0.01)], "no two-dimensional"),
        ([SimpleNamespace()], "no two-dimensional"),
        (7, "no two-dimensional"),
    ],
)
def test_ultrasound_without_one_size(regions: Any, said: str) -> None:
    found = dicom_metadata(SimpleNamespace(SequenceOfUltrasoundRegions=regions))
    assert found.pixel_size_nm is None
    assert said in found.warnings[0]


def test_detector_spacing_comes_last_and_with_a_warning() -> None:
    found = dicom_metadata(SimpleNamespace(ImagerPixelSpacing=[0.1, 0.1]))
    assert found.pixel_size_nm == pytest.approx(100_000.0)
    assert "detector" in found.warnings[0]
    both = dicom_metadata(SimpleNamespace(ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.1, 0.1]))
    assert both.pixel_size_nm == pytest.approx(100_000.0)
    assert both.warnings == ()


class Hostile:
    """Raises on every access, as a data set does whose values cannot be converted."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


@pytest.mark.parametrize(
    "dataset",
    [
        object(),
        SimpleNamespace(PixelSpacing=None),
        SimpleNamespace(PixelSpacing=[1]),
        SimpleNamespace(PixelSpacing="12345"),
        SimpleNamespace(PixelSpacing=5),
        SimpleNamespace(SequenceOfUltrasoundRegions=None),
    ],
)
def test_faulty_data_sets_say_nothing(dataset: Any) -> None:
    assert dicom_metadata(dataset) == Metadata()


def test_values_that_cannot_be_converted_say_nothing() -> None:
    assert dicom_metadata(Hostile()) == Metadata()


@pytest.mark.parametrize(
    "spacing", [["nan", "nan"], [float("inf"), 1e400], [-0.1, -0.1], ["x", "y"], [10**5000, 10**5000]]
)
def test_impossible_spacings_are_refused(spacing: list[Any]) -> None:
    found = dicom_metadata(SimpleNamespace(PixelSpacing=spacing))
    assert found.pixel_size_nm is None
    assert found.warnings


def test_enhanced_multi_frame_object() -> None:
    measures = SimpleNamespace(PixelSpacing=[0.5, 0.5])
    groups = SimpleNamespace(PixelMeasuresSequence=[measures])
    found = dicom_metadata(SimpleNamespace(SharedFunctionalGroupsSequence=[groups]))
    assert found.pixel_size_nm == pytest.approx(500_000.0)


def test_agrees_with_pydicom_objects() -> None:
    pydicom = pytest.importorskip("pydicom")
    dataset = pydicom.Dataset()
    dataset.PixelSpacing = ["0.125", "0.125"]
    dataset.KVP = "80"
    dataset.ManufacturerModelName = "Optima"
    found = dicom_metadata(dataset)
    assert (found.pixel_size_nm, found.voltage_kv, found.instrument) == (pytest.approx(125_000.0), 80.0, "Optima")
