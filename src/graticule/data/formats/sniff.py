"""Which format a file is in, by its first bytes."""

from __future__ import annotations

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
_OTHERS = (
    (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"II\xbc", "JPEG XR"),
    (b"\x01\xda", "SGI image"),
    (b"SIMPLE  =", "FITS"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\0\0\1\0", "icon"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"<svg", "SVG drawing"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE", "HTML"),
    (b"<html", "HTML"),
    (b"P5", "PNM"),
    (b"P6", "PNM"),
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
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".lsm": "TIFF",
    ".stk": "TIFF",
    ".dcm": "DICOM",
    ".jp2": "JPEG 2000",
}


def told_by_bytes(data: bytes) -> str | None:
    """The format of a file with a signature, or None: "JPEG", "PNG", "BMP", "GIF", "WebP", "TIFF"."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data.startswith(b"BM") and len(data) >= 18 and data[15:18] == b"\0\0\0":  # "BM" alone also starts words
        return "BMP"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    return None


def other_format(data: bytes) -> str:
    """The cause of refusal for a format that is known but not read; "" for an unknown one."""
    for start, kind in _OTHERS:
        if data.startswith(start):
            return f"{kind} is not supported; allowed: JPEG, PNG, TIFF, BMP, GIF, WebP, TGA, DICOM"
    return ""
