"""What the tags of a TIFF file say about the instrument: FEI, Phenom, Zeiss, TESCAN, TVIPS, Hitachi, OME, ImageJ.

Resolution tags alone are never believed: they hold the resolution for printing (72, 96, 300 dots per inch), which says
nothing about the specimen.
"""

import struct
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import tifffile

from graticule.errors import DAMAGED
from graticule.formats.instrument import makes as makes
from graticule.formats.instrument.metadata import Metadata, merged
from graticule.formats.instrument.text import (
    MAX_TEXT,
    MetadataDraft,
    clean,
    decode_metadata,
    local_name,
    number_and_unit,
    parse_xml,
)

# What tifffile raises on damaged tags.
_TAG_ERRORS = (*DAMAGED, OSError, RuntimeError, struct.error)
_TEXT_TAGS: tuple[tuple[int, Callable[[str, makes.Shape], Metadata]], ...] = (
    (34680, makes.fei),
    (34682, makes.fei),
    (34683, makes.phenom),
    (34118, makes.zeiss),
    (50431, makes.tescan),
)
_DIFFRACTION = 3  # TVIPS' number of the mode in which a pixel is an angle
_PRINT_UNITS = ("inch", "inches", "in", "cm", "centimeter", "centimetre")


def tiff_metadata(tiff: tifffile.TiffFile) -> Metadata:
    """Everything the first page of an open TIFF file says about its instrument, empty where it says nothing.

    Tags of makers win over OME-XML, that over ImageJ's description, that over the names in Make and Model; pixel sizes
    that contradict each other add a warning. ImageJ's resolution counts where its unit is a length other than inch or
    centimetre (in those it repeats the print resolution). Never raises on what stands in the tags.
    """
    try:
        page: Any = tiff.pages.first
        shape = (int(page.imagelength), int(page.imagewidth))
    except _TAG_ERRORS as error:
        return Metadata(warnings=(f"tags cannot be read ({type(error).__name__})",))
    if min(shape) <= 0:
        return Metadata(warnings=("tags cannot be read: the page has no pixels",))
    found = reduce(merged, _statements(tiff, page, shape), Metadata())
    if found.image_rows is not None and _tag(page, 274) not in (None, 1):
        return merged(Metadata(), _without_rows(found))
    return found


def _without_rows(metadata: Metadata) -> Metadata:
    """A rotated picture has its info bar elsewhere once it is upright."""
    values = {**vars(metadata), "image_rows": None}
    return Metadata(**values)


def _statements(tiff: tifffile.TiffFile, page: Any, shape: tuple[int, int]) -> Iterator[Metadata]:
    for code, read in _TEXT_TAGS:
        data = _raw_tag(tiff, page, code)
        if data:
            said = read(decode_metadata(makes.tescan_tag_text(data) if code == 50431 else data), shape)
            nothing = said == Metadata(vendor=said.vendor)
            yield Metadata(warnings=(f"tag {code} holds nothing that can be used",)) if nothing else said
    if 37706 in page.tags:
        yield _tvips(_tag(page, 37706))
    description = _description(page)
    if "[SemImageFile]" in description or "[TemImageFile]" in description:
        yield makes.hitachi(description, shape)
    if "<OME" in description[:4096] or "<ome" in description[:4096]:
        yield ome(description)
    if description.startswith(("ImageJ=", "SCIFIO=")):
        yield _imagej(description, page)
    yield Metadata(vendor=_name(page, 271), instrument=_name(page, 272))


def _tag(page: Any, code: int) -> Any:
    """The value of a tag as tifffile decodes it, None where it is missing or damaged."""
    try:
        return page.tags.valueof(code)
    except _TAG_ERRORS:
        return None


def _name(page: Any, code: int) -> str:
    value = _tag(page, code)
    return clean(value) if isinstance(value, str) else ""


def _raw_tag(tiff: tifffile.TiffFile, page: Any, code: int) -> bytes:
    """The bytes of a tag, at most `MAX_TEXT`: tifffile's own reading drops units and decimal commas."""
    try:
        tag = page.tags.get(code)
        if tag is None:
            return b""
        with tiff.filehandle.lock:
            tiff.filehandle.seek(tag.valueoffset)
            return bytes(tiff.filehandle.read(min(tag.valuebytecount, MAX_TEXT)))
    except _TAG_ERRORS:
        return b""


def _description(page: Any) -> str:
    value = _tag(page, 270)
    if isinstance(value, bytes):
        return decode_metadata(value)
    return "\n".join(value.splitlines()) if isinstance(value, str) else ""


def _tvips(header: Any) -> Metadata:
    """TVIPS EM-MENU: a binary header that tifffile decodes; pixel size in nanometres, high tension in volts."""
    draft = MetadataDraft(vendor="TVIPS")
    if not isinstance(header, dict) or "PixelSizeX" not in header:
        draft.warn("no header of version 2; no pixel size")
        return draft.finished()
    if header.get("TemMode") == _DIFFRACTION:
        draft.warn("a diffraction pattern: its pixel size is an angle; ignored")
    else:
        draft.set_pixel_size(header["PixelSizeX"], header.get("PixelSizeY"), "nm")
        draft.set_magnification(header.get("TemMagnification"))
    draft.set_voltage(header.get("TemHighTension"), "V")
    draft.set_names(instrument=header.get("TemType", ""), detector=header.get("CameraType", ""))
    return draft.finished()


def ome(text: str) -> Metadata:
    """OME-XML, https://docs.openmicroscopy.org/ome-model: the first image, its instrument, objective and detector.

    A physical size without unit is in micrometres, as the model defines; "pixel" and "reference frame" are no lengths.
    """
    draft = MetadataDraft(vendor="OME")
    root = parse_xml(text)
    if isinstance(root, str):
        draft.warn(root)
        return draft.finished()
    if local_name(root) != "OME":
        return Metadata()
    elements = list(root.iter())
    pixels = next((e for e in elements if local_name(e) == "Pixels"), None)
    if pixels is not None:
        x, y = pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeY")
        draft.set_pixel_size(_with_unit(x, pixels, "X"), _with_unit(y, pixels, "Y"), "µm")
    microscope = next((e for e in elements if local_name(e) == "Microscope"), None)
    objective = _chosen(elements, "Objective", "ObjectiveSettings")
    detector = _chosen(elements, "Detector", "DetectorSettings")
    if objective is not None:
        draft.set_magnification(objective.get("CalibratedMagnification") or objective.get("NominalMagnification"))
    draft.set_names(
        instrument=microscope.get("Model", "") if microscope is not None else "",
        detector=(detector.get("Model") or detector.get("Type") or "") if detector is not None else "",
    )
    draft.vendor = clean(microscope.get("Manufacturer", "")) if microscope is not None else ""
    return draft.finished()


def _with_unit(size: str | None, pixels: Any, axis: str) -> str | None:
    unit = pixels.get(f"PhysicalSize{axis}Unit")
    return size if size is None or unit is None else f"{size} {unit}"


def _chosen(elements: list[Any], kind: str, settings: str) -> Any:
    """The first element of a kind, or the one that the image's settings name; none where several stand unchosen."""
    there = [e for e in elements if local_name(e) == kind]
    wanted = next((e.get("ID") for e in elements if local_name(e) == settings), None)
    named = [e for e in there if wanted is not None and e.get("ID") == wanted]
    if named:
        return named[0]
    return there[0] if len(there) == 1 else None


def _imagej(description: str, page: Any) -> Metadata:
    """ImageJ: unit in the description, pixels per unit in the resolution tags."""
    draft = MetadataDraft(vendor="ImageJ")
    values = dict(line.split("=", 1) for line in description.split("\n") if "=" in line)
    unit = number_and_unit("1 " + values.get("unit", ""))
    name = unit[1] if unit else ""
    x, y = (_inverse(_tag(page, code)) for code in (282, 283))
    if name.lower() in _PRINT_UNITS:
        draft.warn(f"resolution per {clean(name)} is for printing; ignored")
    elif name.lower() not in ("", "pixel", "pixels"):
        draft.set_pixel_size(x, y, name)
    elif x not in (None, 1.0) and _tag(page, 296) == 1:
        draft.warn(f"resolution of {1 / x:.6g} pixels without a unit of length; ignored")
    draft.vendor = ""
    return draft.finished()


def _inverse(rational: Any) -> float | None:
    """Units per pixel from a resolution tag, (numerator, denominator) in pixels per unit."""
    try:
        pixels, units = (float(value) for value in rational)
    except (TypeError, ValueError, OverflowError):
        return None
    return units / pixels if pixels > 0 and units > 0 else None
