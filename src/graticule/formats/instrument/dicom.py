"""What a DICOM data set says about pixel size and device; any object with DICOM keywords as attributes will do."""

from typing import Any

from graticule.formats.instrument.metadata import Metadata, differ
from graticule.formats.instrument.text import MetadataDraft, clean

_CENTIMETRES = 3  # code of PhysicalUnitsXDirection, DICOM PS3.3 C.8.5.5.1.15
_TWO_DIMENSIONAL = 1  # code of RegionSpatialFormat, C.8.5.5.1.1
# What pydicom raises while it converts a faulty value on access; for a value representation that it does not know it is
# a kind of RuntimeError.
_VALUE_ERRORS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError)


def dicom_metadata(dataset: Any) -> Metadata:
    """Pixel size, tube voltage and device of a DICOM data set (a `pydicom.Dataset`, or anything with its attributes).

    The pixel size is PixelSpacing (between columns, millimetres), in enhanced objects that shared by all frames; else,
    in ultrasound, PhysicalDeltaX of the
    two-dimensional regions in centimetres, where they agree; else ImagerPixelSpacing, with the warning that it is
    measured at the detector, where a projection is larger than the body (DICOM PS3.3 sections 10.7 and C.8.5.5).
    """
    draft = MetadataDraft(vendor=clean(_get(dataset, "Manufacturer", "")))
    spacing = _pair(_get(dataset, "PixelSpacing")) or _pair(_get(_shared_measures(dataset), "PixelSpacing"))
    regions = _get(dataset, "SequenceOfUltrasoundRegions")
    imager = _pair(_get(dataset, "ImagerPixelSpacing"))
    if spacing is not None:
        draft.set_pixel_size(spacing[1], spacing[0], "mm")
    elif regions is not None:
        _set_from_regions(draft, regions)
    elif imager is not None:
        draft.set_pixel_size(imager[1], imager[0], "mm")
        if draft.pixel_size_nm is not None:
            draft.warn("the pixel size is that at the detector, not in the body")
    draft.set_voltage(_get(dataset, "KVP"), "kV")
    draft.set_names(
        instrument=_get(dataset, "ManufacturerModelName", ""),
        detector=_get(dataset, "TransducerType") or _get(dataset, "DetectorDescription") or "",
    )
    return draft.finished()


def _get(dataset: Any, keyword: str, default: Any = None) -> Any:
    try:
        value = getattr(dataset, keyword, default)
    except _VALUE_ERRORS:
        return default
    return default if value is None else value


def _shared_measures(dataset: Any) -> Any:
    """The pixel measures common to all frames of an enhanced multi-frame object (C.7.6.16.2.1), None without them."""
    try:
        return dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    except _VALUE_ERRORS:
        return None


def _pair(value: Any) -> tuple[Any, Any] | None:
    """Two values of a multi-valued element, None where there are not two."""
    try:
        first, second = value
    except _VALUE_ERRORS:
        return None
    return _plain(first), _plain(second)


def _plain(value: Any) -> Any:
    """Decimals and pydicom's own numbers as float, the rest as text."""
    try:
        return float(value)
    except _VALUE_ERRORS:
        return value if isinstance(value, int | str) else ""


def _set_from_regions(draft: MetadataDraft, regions: Any) -> None:
    """Ultrasound: the two-dimensional regions measured in centimetres, where they agree within 1 %."""
    sizes: list[tuple[float, float]] = []
    try:
        entries = list(regions)
    except _VALUE_ERRORS:
        entries = []
    for region in entries[:64]:
        units = (_get(region, "PhysicalUnitsXDirection"), _get(region, "PhysicalUnitsYDirection"))
        flat = _get(region, "RegionSpatialFormat", _TWO_DIMENSIONAL) == _TWO_DIMENSIONAL
        if not flat or units[0] != _CENTIMETRES or units[1] not in (_CENTIMETRES, None):
            continue
        deltas = [_plain(_get(region, f"PhysicalDelta{axis}")) for axis in "XY"]
        if all(isinstance(delta, float) and delta != 0 for delta in deltas):
            sizes.append((abs(deltas[0]), abs(deltas[1])))  # the sign is the direction
    if not sizes:
        draft.warn("no two-dimensional ultrasound region in centimetres; no pixel size")
    elif any(differ(sizes[0][0], size[0]) for size in sizes[1:]):
        draft.warn("ultrasound regions of different pixel sizes; none is used")
    else:
        draft.set_pixel_size(*sizes[0], "cm")
