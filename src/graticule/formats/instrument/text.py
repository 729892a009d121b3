"""Text that instruments write, to checked values: decoding, numbers with units, sections of keys, XML.

Nothing here raises on bad text: what cannot be used is left out, and a warning says so.
"""

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import Any

from graticule.formats.instrument.metadata import MAX_PIXEL_NM, MIN_PIXEL_NM, Metadata, differ

MAX_TEXT = 4 * 1024 * 1024  # characters or bytes of metadata looked at
_MAX_VALUE = 80  # characters kept of a name
_HUGE = 10**300

LENGTHS_NM = {
    "pm": 1e-3,
    "å": 0.1,
    "angstrom": 0.1,
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometre": 1.0,
    "µm": 1e3,
    "um": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometre": 1e3,
    "mm": 1e6,
    "millimeter": 1e6,
    "millimetre": 1e6,
    "cm": 1e7,
    "m": 1e9,
    "meter": 1e9,
    "metre": 1e9,
}
_VOLTAGES_KV = {"v": 1e-3, "volt": 1e-3, "volts": 1e-3, "kv": 1.0, "ev": 1e-3, "kev": 1.0, "mv": 1e3}
_MAX_KV = 5000.0
_MAX_MAGNIFICATION = 1e9

_NUMBER = re.compile(
    r"([+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,6})?)(?![0-9.,])\s*(.*)", re.DOTALL
)
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9,.])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]+")
_LINE_ENDS = re.compile(r"[\r\n\x00]+")
_ENTITY = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def decode_metadata(data: bytes) -> str:
    """Bytes to text: UTF-8 or UTF-16 where they are that, else Windows' Latin-1 (bytes it lacks are replaced).

    Line ends become "\\n"; NULs, which makers use as padding, end a line.
    """
    data = data[:MAX_TEXT]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    elif len(data) > 8 and data[1:64:2].count(0) > 0.9 * len(data[1:64:2]):
        text = data.decode("utf-16-le", "replace")  # Latin text without a byte order mark
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return _LINE_ENDS.sub("\n", text)


def clean(value: object) -> str:
    """A name fit for a table: no control characters, single spaces, at most 80 characters."""
    if isinstance(value, int) and abs(value) >= _HUGE:
        value = "a huge number"  # Python refuses to write more than 4300 digits
    return " ".join(_CONTROL.sub(" ", str(value)[: 4 * _MAX_VALUE]).split())[:_MAX_VALUE].strip()


def number_and_unit(value: object) -> tuple[float, str] | None:
    """ "3,045 nm" to (3.045, "nm"); numbers as they are with unit ""; None where no number stands first.

    A decimal comma counts as a point. The number may be infinite ("1e999"): the caller checks ranges.
    """
    if isinstance(value, int | float):
        try:
            return float(value), ""
        except OverflowError:
            return math.inf, ""
    text = str(value)[:256].strip().strip('"')
    match = _NUMBER.match(text)
    if match is None:
        return None
    return float(match[1].replace(",", ".")), _unit(match[2])


def _unit(text: str) -> str:
    # micro sign for Greek mu and for the escapes that Java programs write
    text = text.replace("\\u00B5", "µ").replace("\\u00b5", "µ").replace("μ", "µ")
    return text.strip().strip('"').strip()


def sections(text: str) -> dict[str, dict[str, str]]:
    """Text of "[section]" and "key=value" lines; keys before the first section stand under "".

    A key that comes twice in a section keeps its first value that is not empty; lines that are neither are skipped.
    """
    result: dict[str, dict[str, str]] = {"": {}}
    current = result[""]
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("[") and "]" in line:
            current = result.setdefault(line[1 : line.index("]")].strip(), {})
            continue
        key, equals, value = line.partition("=")
        if equals and value.strip() and not current.get(key.strip()):
            current[key.strip()] = value.strip()
    return result


@dataclass
class MetadataDraft:
    """A `Metadata` being put together from raw values: each setter checks its range and notes what is odd.

    A value that is None or empty counts as not said; a bad one is left out with a warning that starts with `vendor`.
    """

    vendor: str = ""
    instrument: str = ""
    detector: str = ""
    pixel_size_nm: float | None = None
    magnification: float | None = None
    voltage_kv: float | None = None
    image_rows: int | None = None
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Note something odd, named after the vendor."""
        text = f"{self.vendor}: {text}" if self.vendor else text
        if text not in self.warnings:
            self.warnings.append(text)

    def length_nm(self, value: object, unit: str, name: str) -> float | None:
        """A length in nanometres, from a value with its own unit or else in `unit` ("" when unknown)."""
        if not _said(value):
            return None
        parsed = number_and_unit(value)
        if parsed is None:
            self.warn(f"{name} {clean(value)!r} is not a number; ignored")
            return None
        number, own = parsed
        factor = LENGTHS_NM.get((own or unit).lower())
        if factor is None:
            said = f"has the unit {clean(own or unit)!r}, which is not a length" if own or unit else "has no unit"
            self.warn(f"{name} {number:.6g} {said}; ignored")
            return None
        length = number * factor
        if not MIN_PIXEL_NM <= length <= MAX_PIXEL_NM:
            self.warn(f"{name} {length:.6g} nm is outside {MIN_PIXEL_NM:g} to {MAX_PIXEL_NM:g} nm; ignored")
            return None
        return length

    def set_pixel_size(self, x: object, y: object, unit: str) -> None:
        """Set the pixel size from its horizontal and vertical sides; a side that is missing is taken as the other."""
        width = self.length_nm(x, unit, "pixel width")
        height = self.length_nm(y, unit, "pixel height")
        self.pixel_size_nm = width if width is not None else height
        if width is not None and height is not None and differ(width, height):
            self.warn(f"pixels are not square: {width:.6g} nm wide, {height:.6g} nm high; the width is used")

    def set_voltage(self, value: object, unit: str) -> None:
        """Set the accelerating voltage; 0 (beam off) counts as not said."""
        parsed = number_and_unit(value) if _said(value) else None
        if parsed is None or parsed[0] == 0:
            return
        number, own = parsed
        kilovolts = abs(number) * _VOLTAGES_KV.get((own or unit).split(" ")[0].lower(), math.nan)
        if 0 < kilovolts <= _MAX_KV:
            self.voltage_kv = kilovolts
        else:
            self.warn(f"voltage {clean(value)!r} is not between 0 and {_MAX_KV:g} kV; ignored")

    def set_magnification(self, value: object) -> None:
        """Set the magnification from a number or a text such as "500 X", "x1.2k" or "25.00 K X"; 0 is not said."""
        if isinstance(value, str):
            text = value[:256].strip().lstrip("xX×").strip()
            value = text.replace(",", "") if _THOUSANDS.match(text) else text
        parsed = number_and_unit(value) if _said(value) else None
        if parsed is None or parsed[0] == 0:
            return
        number = parsed[0] * {"k": 1e3, "m": 1e6}.get(parsed[1][:1].lower(), 1.0)
        if 0 < number <= _MAX_MAGNIFICATION:
            self.magnification = number
        else:
            self.warn(f"magnification {clean(value)!r} is out of range; ignored")

    def set_rows(self, rows: object, columns: object, shape: tuple[int, int] | None) -> None:
        """Compare the size of the picture as recorded with that of the file, `shape` = (rows, columns) or None.

        The same width and more rows in the file: an info bar follows below the picture. Another width: the file was
        cut or resized after it was recorded, so the pixel size is in doubt. Without `shape` the rows are kept as they
        are said, and the caller must compare them with the height of the image.
        """
        said = [_whole(rows), _whole(columns)]
        if said[0] is None:
            return
        if shape is None:
            self.image_rows = said[0]
        elif said[1] is not None and said[1] != shape[1]:
            self.warn(
                f"recorded {said[1]} pixels wide, the file is {shape[1]}: if it was resized, its pixel size is wrong"
            )
        elif said[0] < shape[0]:
            self.image_rows = said[0]

    def set_names(self, *, instrument: object = "", detector: object = "") -> None:
        """Set the names, cleaned of control characters and cut at 80 characters."""
        self.instrument = clean(instrument if instrument is not None else "")
        self.detector = clean(detector if detector is not None else "")

    def finished(self) -> Metadata:
        """The metadata as they stand. A draft that says nothing but its vendor stays: the vendor is known."""
        return Metadata(
            pixel_size_nm=self.pixel_size_nm,
            magnification=self.magnification,
            voltage_kv=self.voltage_kv,
            detector=self.detector,
            instrument=self.instrument,
            vendor=self.vendor,
            image_rows=self.image_rows,
            warnings=tuple(self.warnings),
        )


def _said(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _whole(value: object) -> int | None:
    parsed = number_and_unit(value) if value is not None else None
    if parsed is None or not 0 < parsed[0] <= 2**31 or parsed[0] != int(parsed[0]):
        return None
    return int(parsed[0])


def parse_xml(text: str) -> ElementTree.Element | str:
    """The root element of an XML text, or a str saying why there is none.

    A document type or an entity is refused before parsing: expanding entities is how a few hundred bytes become
    gigabytes ("billion laughs"), and no instrument needs them.
    """
    if len(text) > MAX_TEXT:
        return f"XML of more than {MAX_TEXT:,} characters is not read"
    if _ENTITY.search(text):
        return "XML with a document type or entities is refused"
    try:
        return ElementTree.fromstring(text.strip("\x00 \r\n\t\ufeff"))
    except (ElementTree.ParseError, ValueError, UnicodeError) as error:
        return f"XML cannot be parsed: {clean(error)}"


def local_name(element: Any) -> str:
    """Name of an XML element without its namespace."""
    return str(element.tag).rpartition("}")[2]
