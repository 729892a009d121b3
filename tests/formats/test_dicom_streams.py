"""Compressed frames of DICOM: samples as they are stored, complete and of the declared shape, or a reason."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
from tests.formats import dicoms
from tests.formats.dicoms import PHOTO, refused

from graticule.formats import jpeg2000
from graticule.formats.dicom_streams import decode_stream, is_jpeg_2000, is_jpeg_family
from graticule.formats.raster import Refused

pydicom = pytest.importorskip("pydicom", reason="DICOM files are written and read with pydicom (the extra dicom)")


@pytest.mark.parametrize("name", [name for name in dicoms.PACKED if name != "run length"])
def test_a_stream_that_is_cut_or_of_another_size_is_refused(name: str) -> None:
    kind = dicoms.Kind("MONOCHROME2", 16, 16)
    coded = dicoms.packed(kind, name, dicoms.cells_of(kind, dicoms.samples_of(kind), dirty=False)[0])
    syntax = dicoms.PACKED[name]
    for share in (0.2, 0.5, 0.9, 0.98):
        assert refused(dicoms.file_of(kind, syntax, [coded[: int(len(coded) * share)]]), "cut off|damaged|header")
    assert refused(dicoms.file_of(kind, syntax, [coded], Rows=6), "declared is")
    assert refused(dicoms.file_of(kind, syntax, [coded], Columns=21), "declared is")
    assert refused(dicoms.file_of(dicoms.Kind("RGB", 16, 16), syntax, [coded]), "declared is")
    assert refused(dicoms.file_of(dicoms.Kind("MONOCHROME2"), syntax, [coded]), "of 16 bits, declared are 8")


def test_syntaxes_that_are_not_read_are_named() -> None:
    video = dicoms.file_of(PHOTO, ".4.102", [b"12"])
    server = dicoms.file_of(PHOTO, ".4.94", [b"12"])
    newer = video.replace(b".2.4.102", b".2.4.110")  # pydicom does not know it yet
    for data, name in ((video, "an MPEG video"), (server, "kept on a server"), (newer, "JPEG XL")):
        assert refused(data, "is not supported: it is .*" + name)
    assert refused(video.replace(b".2.4.102", b".2.8.102"), "is not supported")


@pytest.mark.parametrize("name", ["JPEG 2000", "HTJ2K"])
def test_tiles_that_are_no_grid_are_refused_before_a_decoder_divides_by_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = dicoms.Kind("MONOCHROME2")
    coded = dicoms.packed(kind, name, dicoms.cells_of(kind, dicoms.samples_of(kind), dirty=False)[0])
    width, height = struct.pack(">I", dicoms.COLUMNS), struct.pack(">I", dicoms.ROWS)
    place = coded.index(width + height + bytes(8)) + 16  # of the size of a tile
    for at, value in ((0, 0), (4, 0), (8, 1), (12, 2**31)):
        broken = bytearray(coded)
        struct.pack_into(">I", broken, place + at, value)
        assert refused(dicoms.file_of(kind, dicoms.PACKED[name], [bytes(broken)]), "are no grid")
    tiny = bytearray(coded)
    struct.pack_into(">2I", tiny, place, 1, 1)
    monkeypatch.setattr(jpeg2000, "_MOST_TILES", 200)
    assert refused(dicoms.file_of(kind, dicoms.PACKED[name], [bytes(tiny)]), "240 tiles of a JPEG 2000 stream; allowed")


def test_the_families_of_syntaxes() -> None:
    jpeg_2000 = [syntax for name, syntax in dicoms.PACKED.items() if name.startswith(("JPEG 2000", "HTJ2K"))]
    others = [syntax for syntax in (*dicoms.PLAIN.values(), *dicoms.PACKED.values()) if syntax not in jpeg_2000]
    assert all(is_jpeg_2000(dicoms.UID + syntax) for syntax in jpeg_2000)
    assert not any(is_jpeg_2000(dicoms.UID + syntax) for syntax in others)
    assert [is_jpeg_family(dicoms.UID + syntax) for syntax in (".4.50", ".4.203", ".5", ".1", "")] == [True] * 2 + [
        False
    ] * 3


@pytest.mark.parametrize("near", [0, 2])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_stream_of_jpeg_ls_says_whether_bits_were_lost(near: int, bits: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 2**bits, (9, 14)).astype(f"u{bits // 8}")
    coded = bytes(imagecodecs.jpegls_encode(pixels, level=near))
    stored = decode_stream(coded, dicoms.UID + ".4.81", 9, 14, 1)
    assert (stored.precision, stored.exact) == (bits, near == 0)
    assert np.abs(stored.samples.astype(int) - pixels).max() <= near
    with pytest.raises(Refused, match="no end marker"):
        decode_stream(coded[:-2], dicoms.UID + ".4.81", 9, 14, 1)
    with pytest.raises(Refused, match=r"has shape \(9, 14, 1\), declared is \(9, 14, 3\)"):
        decode_stream(coded, dicoms.UID + ".4.81", 9, 14, 3)
