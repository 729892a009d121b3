"""Every image format that is read, a line each: what is told of a file by its first bytes comes from here."""

from graticule.formats import bmp, dicom, gif, jpeg, jpeg2000, png, pnm, tga, tiff, webp
from graticule.formats.format import Format

FORMATS: tuple[Format, ...] = (
    jpeg.FORMAT,
    png.FORMAT,
    tiff.FORMAT,
    bmp.FORMAT,
    gif.FORMAT,
    webp.FORMAT,
    tga.FORMAT,
    pnm.FORMAT,
    jpeg2000.FORMAT,
    dicom.FORMAT,
)
SUFFIXES = {suffix: each.name for each in FORMATS for suffix in each.suffixes}


def told_format(data: bytes, suffix: str) -> Format | None:
    """The format of a file, or None.

    Parameters
    ----------
    data : bytes
        The file, or its first 160 bytes or more.
    suffix : str
        Of its name, lower case, with the dot; it decides only where a format has no sign of its own.
    """
    # from the last: the 128 bytes before a DICOM file's mark may hold the start of a TIFF
    return next((each for each in reversed(FORMATS) if each.holds(data, suffix)), None)


def none_of_them() -> str:
    """The cause of refusal of a file in none of the formats."""
    first, second, third, *others, last = (each.name for each in FORMATS)
    return f"neither {first}, {second} nor {third} (nor {', '.join(others)} or {last}) by its first bytes"
