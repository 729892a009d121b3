"""Which format a file is in, by its first bytes."""

from __future__ import annotations

from graticule.formats.pnm import is_pnm

_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)
# Formats that suffixes promise, for a note when the content disagrees.
SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".mpo": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".gif": "GIF",
    ".webp": "WebP",
    ".tga": "TGA",
    ".pbm": "PNM",
    ".pgm": "PNM",
    ".ppm": "PNM",
    ".pnm": "PNM",
    ".pfm": "PNM",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".lsm": "TIFF",
    ".stk": "TIFF",
    ".dcm": "DICOM",
    ".jp2": "JPEG 2000",
}


def told_by_bytes(data: bytes) -> str | None:
    """The format of a file with a signature, or None: "JPEG", "PNG", "BMP", "GIF", "WebP", "TIFF", "PNM"."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data.startswith(b"BM") and len(data) >= 18 and data[15:18] == b"\0\0\0":  # "BM" alone also starts words
        return "BMP"
    if is_pnm(data):
        return "PNM"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    return None
