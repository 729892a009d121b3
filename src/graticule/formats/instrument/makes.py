"""The texts that makers of electron microscopes write about an image, one function per maker.

None of these formats has a published standard; structure and units are those of files in public collections. Every
function takes the decoded text and `shape`, the (rows, columns) of the image file or None when not known, and returns
what it could use. Bad values become warnings, never errors.
"""

import re
from collections.abc import Mapping

from graticule.formats.instrument.metadata import Metadata
from graticule.formats.instrument.text import MetadataDraft, clean, local_name, number_and_unit, parse_xml, sections

Shape = tuple[int, int] | None

_ZEISS_KEY = re.compile(r"(?:AP|DP|SV)_[A-Z0-9_]+$")
_SIZE = re.compile(r"\s*([0-9]{1,9})\s*(?:[xX*×]|\s)\s*([0-9]{1,9})\s*$")
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]+")


def fei(text: str, shape: Shape) -> Metadata:
    """FEI and Thermo Fisher: INI text in SI units, tags 34680 and 34682 of a TIFF file.

    The pixel size is [Scan] PixelWidth, else that of the active beam's scan, else the field width over the columns.
    The magnification is that of the canvas (MagCanvasRealWidth over the field width), as their info bar shows it.
    """
    found = sections(text)
    draft = MetadataDraft(vendor="FEI")
    beam = _value(found, "Beam", "Beam") or "EBeam"
    scans = ("Scan", "IScan" if beam.upper().startswith("I") else "EScan")
    width: object = _first(found, "PixelWidth", scans)
    height = _first(found, "PixelHeight", scans)
    field = _first(found, "HorFieldsize", scans) or _value(found, beam, "HFW")
    columns = _value(found, "Image", "ResolutionX")
    if not width and not height and field and columns:
        width = _ratio(field, columns)
    draft.set_pixel_size(width, height, "m")
    draft.set_voltage(_first(found, "HV", (beam, "Beam")), "V")
    draft.set_magnification(_ratio(_value(found, "Image", "MagCanvasRealWidth"), field))
    draft.set_rows(_value(found, "Image", "ResolutionY"), columns, shape)
    draft.set_names(
        instrument=_first(found, "SystemType", ("System",)) or _value(found, "System", "Type"),
        detector=_value(found, "Detectors", "Name"),
    )
    return draft.finished()


def phenom(text: str, shape: Shape) -> Metadata:
    """Phenom desktop microscopes: XML with root FeiImage, tag 34683 of a TIFF file; units are attributes."""
    draft = MetadataDraft(vendor="Phenom")
    root = parse_xml(text)
    if isinstance(root, str):
        draft.warn(root)
        return draft.finished()
    if local_name(root) != "FeiImage":
        return Metadata()
    values = {local_name(element): element for element in reversed(list(root.iter()))}
    names = ("pixelWidth", "pixelHeight", "highVoltage", "detector", "databarHeight")
    texts = {name: (values[name].text or "").strip() for name in names if name in values}
    unit = values["pixelWidth"].get("unit", "") if "pixelWidth" in values else ""
    draft.set_pixel_size(texts.get("pixelWidth"), texts.get("pixelHeight"), unit)
    draft.set_voltage(
        texts.get("highVoltage"), values["highVoltage"].get("unit", "") if "highVoltage" in values else ""
    )
    _set_bar(draft, texts.get("databarHeight"), shape)
    kind = root.find("instrument/type")
    draft.set_names(instrument=kind.text if kind is not None else "", detector=texts.get("detector", ""))
    return draft.finished()


def zeiss(text: str, shape: Shape) -> Metadata:
    """Zeiss SmartSEM: pairs of lines, a key such as AP_MAG and "Mag = 25.00 K X", tag 34118 of a TIFF file.

    Where neither pixel size is named, the fourth unnamed value in front serves: metres per pixel of a picture 1024
    columns wide.
    """
    found: dict[str, str] = {}
    unnamed: list[str] = []
    key = ""
    for line in text.split("\n"):
        line = line.strip()
        if _ZEISS_KEY.match(line):
            key = line
        elif key:
            found.setdefault(key, line.partition("=" if "=" in line else ":")[2].strip())
            key = ""
        elif line and not found:
            unnamed.append(line)
    draft = MetadataDraft(vendor="Zeiss")
    size = found.get("AP_IMAGE_PIXEL_SIZE") or found.get("AP_PIXEL_SIZE")
    if size is None and len(unnamed) > 3 and shape is not None and shape[1] > 0:
        metres = number_and_unit(unnamed[3])
        draft.set_pixel_size(metres[0] * 1024 / shape[1] if metres and metres[0] else None, None, "m")
    else:
        draft.set_pixel_size(size, None, "")
    draft.set_voltage(found.get("AP_ACTUALKV") or found.get("AP_MANUALKV"), "kV")
    draft.set_magnification(found.get("AP_MAG"))
    draft.set_rows(*_size(found.get("DP_IMAGE_STORE", "")), shape)
    draft.set_names(
        instrument=found.get("SV_SERIAL_NUMBER", ""),
        detector=found.get("DP_DETECTOR_CHANNEL") or found.get("DP_DETECTOR_TYPE"),
    )
    return draft.finished()


def tescan(text: str, shape: Shape) -> Metadata:
    """TESCAN: INI text, [MAIN] and [SEM], lengths in metres and HV in volts; tag 50431 of a TIFF file or a .hdr file.

    ImageStripSize is the height of the info bar.
    """
    found = sections(text)
    draft = MetadataDraft(vendor="TESCAN")
    anywhere = ("MAIN", "SEM", "FIB", *found)
    draft.set_pixel_size(_first(found, "PixelSizeX", anywhere), _first(found, "PixelSizeY", anywhere), "m")
    draft.set_voltage(_first(found, "HV", anywhere) or _first(found, "AcceleratorVoltage", anywhere), "V")
    draft.set_magnification(_first(found, "Magnification", anywhere))
    _set_bar(draft, _first(found, "ImageStripSize", anywhere), shape)
    draft.set_names(
        instrument=_first(found, "Device", anywhere),
        detector=_first(found, "Detector", anywhere) or _first(found, "Detector0", anywhere),
    )
    return draft.finished()


def tescan_tag_text(data: bytes) -> bytes:
    """The text part of TESCAN's tag: it follows a small picture in JPEG or JPEG 2000, which ends with ff d9."""
    return _BINARY.sub(b"\n", data[data.rfind(b"\xff\xd9") + 2 if b"\xff\xd9" in data else 0 :])


def hitachi(text: str, shape: Shape) -> Metadata:
    """Hitachi: one section, [SemImageFile] or [TemImageFile], sizes in nanometres; a .txt file beside the image."""
    found = sections(text)
    values = found.get("SemImageFile") or found.get("TemImageFile") or {}
    draft = MetadataDraft(vendor="Hitachi")
    draft.set_pixel_size(values.get("PixelSize"), None, "nm")
    draft.set_voltage(values.get("AcceleratingVoltage"), "V")
    draft.set_magnification(values.get("Magnification"))
    draft.set_rows(*_size(values.get("DataSize", "")), shape)
    draft.set_names(instrument=values.get("InstructName", ""), detector=values.get("SignalName", ""))
    return draft.finished()


def jeol(text: str, shape: Shape) -> Metadata:
    """JEOL: lines "$CM_MAG 5000" and "$$SM_MICRON_BAR 160"; a .txt file beside the image.

    The pixel size is the label of the scale bar over its length in pixels, thus known to half a pixel of that length,
    or the inverse of $$EM_PIXELSPERMETER_X of transmission microscopes. Voltages are in kilovolts.
    """
    found: dict[str, str] = {}
    for line in text.split("\n"):
        key, _, value = line.strip().partition(" ")
        if key.startswith("$") and value.strip():
            found.setdefault(key.lstrip("$"), value.strip())
    draft = MetadataDraft(vendor="JEOL")
    marker, bar = found.get("SM_MICRON_MARKER"), found.get("SM_MICRON_BAR")
    if "EM_PIXELSPERMETER_X" in found:
        x, y = (_ratio("1", found.get(f"EM_PIXELSPERMETER_{axis}")) for axis in "XY")
        draft.set_pixel_size(x, y, "m")
    elif marker and bar:
        length = draft.length_nm(marker, "", "length of the scale bar")
        pixels = number_and_unit(bar)
        if length is not None and (pixels is None or not 1 <= pixels[0] <= 1e6):
            draft.warn(f"scale bar of {clean(bar)!r} pixels; no pixel size")
        elif length is not None and pixels is not None:
            draft.set_pixel_size(length / pixels[0], None, "nm")
    draft.set_voltage(found.get("CM_ACCEL_VOLT"), "kV")
    draft.set_magnification(found.get("CM_MAG"))
    draft.set_rows(*_size(found.get("CM_FULL_SIZE", "")), shape)
    draft.set_names(instrument=found.get("CM_INSTRUMENT", ""), detector=found.get("CM_SIGNAL", ""))
    return draft.finished()


def _value(found: Mapping[str, Mapping[str, str]], section: str, key: str) -> str:
    return found.get(section, {}).get(key, "")


def _first(found: Mapping[str, Mapping[str, str]], key: str, names: tuple[str, ...]) -> str:
    """The value of `key` in the first of the sections `names` that has one, or ""."""
    return next((value for name in names if (value := _value(found, name, key))), "")


def _ratio(above: str, below: str | None) -> float | None:
    """The quotient of two numbers given as text, or None where there is none above 0."""
    numbers = [number_and_unit(text) if text else None for text in (above, below)]
    if numbers[0] is None or numbers[1] is None or numbers[0][0] <= 0 or numbers[1][0] <= 0:
        return None
    return numbers[0][0] / numbers[1][0]


def _size(text: str) -> tuple[int | None, int | None]:
    """ "1280x960", "1280 * 960" or "1280 960" (columns, rows) to (rows, columns)."""
    match = _SIZE.match(text[:64])
    return (int(match[2]), int(match[1])) if match else (None, None)


def _set_bar(draft: MetadataDraft, height: str | None, shape: Shape) -> None:
    """Set the rows of the picture from the height of the info bar below it."""
    bar = number_and_unit(height) if height else None
    if bar is None or bar[0] == 0 or shape is None:
        return
    if 0 < bar[0] < shape[0] / 2 and bar[0] == int(bar[0]):
        draft.image_rows = shape[0] - int(bar[0])
    else:
        draft.warn(f"info bar of {clean(height)!r} rows in an image of {shape[0]}; ignored")
