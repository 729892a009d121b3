"""Formats that are not read are named, each with what to do, whatever the file is called."""

from __future__ import annotations

import pytest

from graticule.errors import ImageError
from graticule.images.image import decode_image


def ftyp(*brands: bytes) -> bytes:
    """The first box of the ISO base media format."""
    body = brands[0] + bytes(4) + b"".join(brands[1:])
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BY_BYTES: dict[str, list[bytes]] = {
    "HEIC": [ftyp(b"heic"), ftyp(b"heic", b"mif1", b"heic"), ftyp(b"mif1", b"mif1", b"heic"), ftyp(b"hevc")],
    "HEIF": [ftyp(b"mif1", b"mif1", b"miaf")],
    "AVIF": [ftyp(b"avif"), ftyp(b"avis"), ftyp(b"mif1", b"miaf", b"avif")],
    "MP4 or QuickTime video": [ftyp(b"isom"), ftyp(b"qt  ")],
    "CZI (Zeiss)": [b"ZISRAWFILE"],
    "LIF (Leica)": [b"p\0\0\0\x30\0\0\0*"],
    "ND2 (Nikon)": [b"\xda\xce\xbe\x0a"],
    "OIR (Olympus)": [b"OLYMPUSRAWFORMAT"],
    "DM3 (Gatan)": [b"\0\0\0\3\0\x10\0\0\0\0\0\1", b"\0\0\0\3\0\x10\0\0\0\0\0\0"],
    "DM4 (Gatan)": [b"\0\0\0\4\0\0\0\0\0\x10\0\0\0\0\0\1"],
    "a compound file": [OLE],
    "SVG drawing": [
        b'<svg xmlns="http://www.w3.org/2000/svg">',
        b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg>',
        b'\xef\xbb\xbf  <?xml version="1.0"?><svg:svg>',
        '<?xml version="1.0"?><svg>'.encode("utf-16"),
        b"<!DOCTYPE svg PUBLIC>",
    ],
    "camera raw (CR2)": [b"II*\0\x10\0\0\0CR\2\0"],
    "camera raw (CR3)": [ftyp(b"crx ", b"crx ", b"isom")],
    "camera raw (RAF)": [b"FUJIFILMCCD-RAW 0201"],
    "camera raw (RW2)": [b"IIU\0\x18"],
    "camera raw (ORF)": [b"IIRO\x08", b"IIRS\x08", b"MMOR\0"],
    "camera raw (X3F)": [b"FOVb"],
    "JPEG XL": [b"\xff\x0a\xfa", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "EMF drawing": [b"\1\0\0\0" + bytes(36) + b" EMF"],
    "WMF drawing": [b"\xd7\xcd\xc6\x9a\0\0"],
    "PDF": [b"%PDF-1.7"],
    "Photoshop (PSD)": [b"8BPS\0\1"],
    "HDF5": [b"\x89HDF\r\n\x1a\n"],
    "MRC": [bytes(208) + b"MAP "],
    "FITS": [b"SIMPLE  =                    T"],
    "NIfTI": [bytes(344) + b"n+1\0"],
    "SER (FEI)": [b"II\x97\1\x20\2"],
    "OpenEXR": [b"\x76\x2f\x31\1"],
    "ZIP archive": [b"PK\3\4"],
    "XML": [b'<?xml version="1.0"?><data/>'],
    "HTML": [b"<!DOCTYPE html><script>alert(1)</script>"],
}


def cause(data: bytes, name: str) -> str:
    with pytest.raises(ImageError) as raised:
        decode_image(data, f"folder/{name}")
    assert "\n" not in raised.value.cause
    return raised.value.cause


@pytest.mark.parametrize("name", BY_BYTES)
def test_named_by_the_first_bytes_and_with_what_to_do(name: str) -> None:
    for start in BY_BYTES[name]:
        for file in ("photo.jpg", "x.tif", "x", "x.png"):
            told = cause(start + bytes(200), file)
            assert told.startswith(f"{name} "), told
            assert " is not supported: " in told
            assert len(told.partition(" is not supported: ")[2]) > 10
        # a file may be no longer than what tells its format
        assert cause(start + bytes(1), "x").startswith(f"{name} ")


BY_NAME = {
    "x.oib": (OLE, "OIB (Olympus)"),
    "x.ZVI": (OLE, "ZVI (Zeiss)"),
    "x.ims": (b"\x89HDF\r\n\x1a\n", "IMS (Imaris)"),
    "x.nd2": (b"\0\0\0\x0cjP  \r\n\x87\n", "ND2 (Nikon)"),
    "x.spe": (b"\1\2", "SPE (Princeton Instruments)"),
    "x.dm3": (b"\1\2", "DM file (Gatan)"),
    "x.lif": (b"\1\2", "LIF (Leica)"),
    "x.oif": ("[ProfileSaveInfo]\nOIFSave=1".encode("utf-16"), "OIF (Olympus)"),
    "x.NEF": (b"\1\2", "camera raw (NEF)"),
    "x.arw": (b"\1\2", "camera raw (ARW)"),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_named_by_the_name_where_bytes_say_less(name: str) -> None:
    start, told = BY_NAME[name]
    assert cause(start + bytes(100), name).startswith(told)


def test_a_preview_is_never_taken_for_the_slide() -> None:
    import io

    import PIL.Image

    for kind, name in (("JPEG", "slide.mrxs"), ("TIFF", "slide.vsi"), ("TIFF", "Slide.VSI")):
        stream = io.BytesIO()
        PIL.Image.new("RGB", (16, 16), "red").save(stream, kind)
        assert "holds a preview alone" in cause(stream.getvalue(), name)


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    for data in (b"\1\2\3", b"hello world", b"P", b"ftyp", bytes(500)):
        told = cause(data, "picture.png")
        assert (
            told == "neither JPEG, PNG nor TIFF (nor BMP, GIF, WebP, TGA, PNM, JPEG 2000 or DICOM) by its first bytes"
        )
