"""What an instrument wrote about an image: pixel size, magnification, voltage, detector, make.

The readers stand beside this module: `instrument_tiff` (tags of a TIFF file), `instrument_sidecar` (a text file beside
the image), `instrument_dicom`. `instrument_report` sums up a whole data set.
"""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

SCHEMA_VERSION = 1
MIN_PIXEL_NM = 1e-3
MAX_PIXEL_NM = 1e9
SAME_SIZE = 0.01  # two statements of one pixel size that differ by more contradict each other

_NUMBERS = ("pixel_size_nm", "magnification", "voltage_kv")
_TEXTS = ("detector", "instrument", "vendor")


@dataclass(frozen=True)
class Metadata:
    """What an instrument said of an image; None or "" where it said nothing.

    Attributes
    ----------
    pixel_size_nm : float or None
        Side of a pixel on the specimen, nanometres, `MIN_PIXEL_NM` to `MAX_PIXEL_NM`; the horizontal one where pixels
        are not square.
    magnification : float or None
        As the instrument gives it (its reference width differs between makes).
    voltage_kv : float or None
        Accelerating voltage, kilovolts.
    detector, instrument, vendor : str
        Such as "ETD", "Quanta 200", "FEI".
    image_rows : int or None
        Rows of the picture proper where the metadata say that an info bar follows below them.
    warnings : tuple of str
        What is odd: pixels that are not square, a size without unit, contradictions.
    """

    pixel_size_nm: float | None = None
    magnification: float | None = None
    voltage_kv: float | None = None
    detector: str = ""
    instrument: str = ""
    vendor: str = ""
    image_rows: int | None = None
    warnings: tuple[str, ...] = ()


def differ(a: float, b: float, tolerance: float = SAME_SIZE) -> bool:
    """True when two sizes > 0 differ by more than `tolerance` of the smaller one."""
    return abs(a - b) > tolerance * min(a, b)


def merged(first: Metadata, second: Metadata) -> Metadata:
    """Two statements about one image as one: field by field the first wins where it says something.

    Pixel sizes more than `SAME_SIZE` (1 %) apart add a warning, so do two different numbers of rows. The warnings of
    both are kept, each once, those of `first` before those of `second`.
    """
    known: dict[str, Any] = {}
    for field in fields(Metadata):
        value = getattr(first, field.name)
        known[field.name] = getattr(second, field.name) if value in (None, "") else value
    warnings = [*first.warnings, *second.warnings]
    if first.pixel_size_nm is not None and second.pixel_size_nm is not None:
        a, b = first.pixel_size_nm, second.pixel_size_nm
        if differ(a, b):
            warnings.append(
                f"two pixel sizes: {a:.6g} nm ({_source(first)}) is used, {b:.6g} nm ({_source(second)}) not"
            )
    if None not in (first.image_rows, second.image_rows) and first.image_rows != second.image_rows:
        warnings.append(f"two heights of the picture: {first.image_rows} rows is used, {second.image_rows} not")
    known["warnings"] = tuple(dict.fromkeys(warnings))
    return Metadata(**known)


def _source(metadata: Metadata) -> str:
    return metadata.vendor or "maker unknown"


def to_json(metadata: Metadata) -> dict[str, Any]:
    """A dictionary that JSON can hold; `from_json` gives an equal `Metadata` back."""
    return {"schema_version": SCHEMA_VERSION, **asdict(metadata), "warnings": list(metadata.warnings)}


def from_json(data: Mapping[str, Any]) -> Metadata:
    """The inverse of `to_json`.

    Raises
    ------
    ValueError
        When the version is another one, a field is unknown or a value has the wrong type or range.
    """
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ValueError(f"instrument metadata of version {version!r}; this program reads {SCHEMA_VERSION}")
    names = {field.name for field in fields(Metadata)}
    unknown = sorted(set(data) - names - {"schema_version"})
    if unknown:
        raise ValueError(f"instrument metadata with unknown fields: {', '.join(unknown)}")
    values = {name: data[name] for name in names if data.get(name) is not None}
    values["warnings"] = tuple(_checked(list, "warnings", values.get("warnings", [])))
    for name in _NUMBERS:
        value = values.get(name, 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
            raise ValueError(f"instrument metadata: {name} is {value!r}; allowed: a number above 0, or null")
        if name in values:
            values[name] = float(value)
    rows = values.get("image_rows", 1)
    if isinstance(rows, bool) or not isinstance(rows, int) or rows <= 0:
        raise ValueError(f"instrument metadata: image_rows is {rows!r}; allowed: a whole number above 0, or null")
    for text in (*(values.get(name, "") for name in _TEXTS), *values["warnings"]):
        _checked(str, "a text", text)
    return Metadata(**values)


def _checked(kind: type, name: str, value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"instrument metadata: {name} is {value!r}; allowed: {kind.__name__}")
    return value
