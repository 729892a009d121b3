"""DICOM files in every transfer syntax, made from the same samples: each with what a right reader finds in it.

Frames are coded here by imagecodecs, run lengths by hand, so that what is written and what reads it share little.
"""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image

UID = "1.2.840.10008.1.2"
PLAIN = {"implicit": "", "explicit": ".1", "big-endian": ".2", "deflated": ".1.99"}
PACKED = {
    "run length": ".5",
    "JPEG lossless": ".4.57",
    "JPEG lossless SV1": ".4.70",
    "JPEG-LS": ".4.80",
    "JPEG-LS near": ".4.81",
    "JPEG 2000": ".4.90",
    "JPEG 2000 any": ".4.91",
    "HTJ2K": ".4.201",
    "HTJ2K RPCL": ".4.202",
    "HTJ2K any": ".4.203",
}
LOSSY = {"JPEG": ".4.50", "JPEG 12 bit": ".4.51", "JPEG-LS near": ".4.81", "JPEG 2000": ".4.91", "HTJ2K": ".4.203"}
ROWS, COLUMNS = 12, 20
GREYS = ("MONOCHROME1", "MONOCHROME2")
HALVED = ("YBR_FULL_422", "YBR_PARTIAL_422")
OF_JPEG_2000 = ("YBR_ICT", "YBR_RCT")


@dataclass(frozen=True)
class Kind:
    """What a data set declares.

    Attributes
    ----------
    photometric : str
    allocated, bits : int
    signed : bool
    planar : int
        0: samples of a pixel side by side; 1: plane by plane.
    frames : int
    entry_bits : int
        Of a palette: 8 or 16.
    """

    photometric: str
    allocated: int = 8
    bits: int = 8
    signed: bool = False
    planar: int = 0
    frames: int = 1
    entry_bits: int = 16

    @property
    def samples(self) -> int:
        """Samples of a pixel."""
        return 1 if self.photometric in (*GREYS, "PALETTE COLOR") else 3

    def __str__(self) -> str:
        sign = " signed" if self.signed else ""
        more = f" planar {self.planar}" if self.samples == 3 else ""
        return f"{self.photometric} {self.bits} of {self.allocated}{sign}{more} x {self.frames}"


def kinds() -> Iterator[Kind]:
    """Every photometric interpretation with every depth that it may have."""
    depths = ((8, 8, False), (16, 10, False), (16, 12, False), (16, 16, False))
    signed = ((8, 8, True), (16, 12, True), (16, 16, True))
    for photometric, (allocated, bits, sign) in itertools.product(GREYS, (*depths, *signed)):
        yield Kind(photometric, allocated, bits, sign)
    for entry_bits, (allocated, bits) in itertools.product((8, 16), ((8, 8), (16, 12), (16, 16))):
        yield Kind("PALETTE COLOR", allocated, bits, entry_bits=entry_bits)
    yield Kind("PALETTE COLOR", 16, 12, signed=True)
    for photometric, (allocated, bits, _), planar in itertools.product(("RGB", "YBR_FULL"), depths, (0, 1)):
        yield Kind(photometric, allocated, bits, planar=planar)
    for photometric in (*HALVED, *OF_JPEG_2000):
        yield Kind(photometric)
    for photometric in ("MONOCHROME1", "PALETTE COLOR", "RGB", "YBR_FULL", *HALVED):
        yield Kind(photometric, frames=3)
    yield Kind("MONOCHROME2", 16, 12, signed=True, frames=3)


def samples_of(kind: Kind, *, smooth: bool = False) -> NDArray[Any]:
    """True values, int64 of shape (frames, rows, columns, samples); smooth ones for lossy coding."""
    shape = (kind.frames, ROWS, COLUMNS, kind.samples)
    low = -(2 ** (kind.bits - 1)) if kind.signed else 0
    rng = np.random.default_rng(kind.bits)
    if smooth:
        slope = np.add.outer(np.linspace(0, 0.6, ROWS), np.linspace(0, 0.3, COLUMNS))[None, :, :, None]
        share = slope + rng.uniform(0, 0.1, (kind.frames, 1, 1, kind.samples))
        values = np.rint(share * (2**kind.bits - 1)).astype(np.int64) + low
    else:
        values = rng.integers(low, low + 2**kind.bits, shape)
        values[:, 0, :2] = low
        values[:, 0, 2:4] = low + 2**kind.bits - 1
    if kind.photometric in HALVED:
        values[:, :, 1::2, 1:] = values[:, :, ::2, 1:]
    return values


def palette_of(kind: Kind) -> tuple[int, NDArray[Any]]:
    """Index of the first colour and the colours, fewer than the indices there are."""
    count = 200 if kind.bits == 8 else 1000
    rng = np.random.default_rng(2)
    return (-50 if kind.signed else 7), rng.integers(0, 2**kind.entry_bits, (count, 3))


def expected(kind: Kind, values: NDArray[Any]) -> NDArray[Any]:
    """What is seen: int64 of shape (frames, rows, columns[, 3]), black is 0, by the formulas of DICOM PS3.3 C.7.6.3."""
    top = 2**kind.bits - 1
    if kind.photometric == "MONOCHROME2":
        return values[..., 0]
    if kind.photometric == "MONOCHROME1":
        return (-1 if kind.signed else top) - values[..., 0]
    if kind.photometric == "PALETTE COLOR":
        first, table = palette_of(kind)
        return np.asarray(table[np.clip(values[..., 0] - first, 0, len(table) - 1)])
    if kind.photometric in ("RGB", *OF_JPEG_2000):
        return values
    y, blue, red = (values[..., i].astype(float) for i in range(3))
    blue, red = blue - 2 ** (kind.bits - 1), red - 2 ** (kind.bits - 1)
    if "PARTIAL" in kind.photometric:
        y, blue, red = (y - 2 ** (kind.bits - 4)) * 255 / 219, blue * 255 / 224, red * 255 / 224
    green = y - 0.114 * 1.772 / 0.587 * blue - 0.299 * 1.402 / 0.587 * red
    colours = np.stack([y + 1.402 * red, green, y + 1.772 * blue], axis=-1)
    return np.clip(np.rint(colours), 0, top).astype(np.int64)


def cells_of(kind: Kind, values: NDArray[Any], *, dirty: bool) -> NDArray[Any]:
    """Bit patterns of the cells, unsigned; dirty ones hold rubbish in the bits that do not count."""
    cells = (values & (2**kind.bits - 1)).astype(f"u{kind.allocated // 8}")
    if dirty and kind.bits < kind.allocated:
        rubbish = np.random.default_rng(9).integers(0, 2 ** (kind.allocated - kind.bits), values.shape)
        cells |= (rubbish << kind.bits).astype(cells.dtype)
    return cells


def plain_bytes(kind: Kind, cells: NDArray[Any], *, big_endian: bool) -> bytes:
    """Uncompressed frames."""
    if kind.photometric in HALVED:  # Y Y Cb Cr
        pairs = cells.reshape(kind.frames, ROWS, COLUMNS // 2, 2, 3)
        cells = np.stack([pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]], axis=-1)
    elif kind.planar:
        cells = np.moveaxis(cells, 3, 1)
    return cells.astype(cells.dtype.newbyteorder(">" if big_endian else "<")).tobytes()


def run_lengths(cells: NDArray[Any]) -> bytes:
    """One frame in DICOM run lengths (PS3.5 annex G): a segment a byte plane, high bytes first, row by row."""
    segments = []
    for sample in range(cells.shape[2]):
        planes = cells[:, :, sample].astype(cells.dtype.newbyteorder(">")).copy().view(np.uint8)
        planes = planes.reshape(*cells.shape[:2], cells.dtype.itemsize)
        for byte in range(cells.dtype.itemsize):
            rows = (bytes(imagecodecs.packbits_encode(row.tobytes())) for row in planes[:, :, byte])
            segment = b"".join(rows)
            segments.append(segment + b"\0" * (len(segment) % 2))
    starts = [64 + sum(map(len, segments[:i])) for i in range(len(segments))]
    header = struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments)))
    return header + b"".join(segments)


def packed(kind: Kind, name: str, cells: NDArray[Any]) -> bytes:
    """One frame (rows, columns, samples), coded without loss in a syntax of `PACKED`."""
    if name == "run length":
        return run_lengths(cells)
    picture = np.ascontiguousarray(cells[:, :, 0] if cells.shape[2] == 1 else cells)
    if name.startswith("JPEG lossless"):
        colour = "RGB" if picture.ndim == 3 else None
        options: dict[str, Any] = {"colorspace": colour, "outcolorspace": colour, "bitspersample": kind.allocated}
        return bytes(imagecodecs.jpeg8_encode(picture, lossless=True, predictor=1, **options))
    if name.startswith("JPEG-LS"):
        return bytes(imagecodecs.jpegls_encode(picture))
    if kind.signed:
        picture = picture.view(f"i{picture.dtype.itemsize}")
    transformed = kind.photometric in OF_JPEG_2000
    if name.startswith("JPEG 2000"):
        options = {"reversible": True, "level": 0, "codecformat": "J2K", "mct": transformed}
        return bytes(imagecodecs.jpeg2k_encode(picture, **options))
    return bytes(imagecodecs.htj2k_encode(picture, reversible=True, rgb=transformed))


def lossy(kind: Kind, name: str, cells: NDArray[Any]) -> bytes:
    """One smooth frame coded with loss in a syntax of `LOSSY`."""
    picture = np.ascontiguousarray(cells[:, :, 0] if cells.shape[2] == 1 else cells)
    if name.startswith("JPEG") and LOSSY[name] in (".4.50", ".4.51"):
        options: dict[str, Any] = {"bitspersample": 12} if kind.allocated == 16 else {}
        if picture.ndim == 3:
            stored = "YCBCR" if kind.photometric.startswith("YBR") else "RGB"
            options |= {"colorspace": stored, "outcolorspace": stored, "subsampling": "444"}
        return bytes(imagecodecs.jpeg8_encode(picture, level=98, **options))
    if name.startswith("JPEG-LS"):
        return bytes(imagecodecs.jpegls_encode(picture, level=2))
    if kind.signed:
        spare = 8 * picture.dtype.itemsize - kind.bits
        picture = (picture << spare).view(f"i{picture.dtype.itemsize}") >> spare
    transformed = kind.photometric in OF_JPEG_2000
    if name == "JPEG 2000":
        options = {"reversible": False, "level": 60, "codecformat": "J2K", "mct": transformed}
        return bytes(imagecodecs.jpeg2k_encode(picture, bitspersample=kind.bits, **options))
    step = 0.0005 * 2.0 ** (kind.bits - kind.allocated)  # of the cell's range
    return bytes(imagecodecs.htj2k_encode(picture, level=step, reversible=False, rgb=transformed))


def file_of(kind: Kind, syntax: str, body: bytes | list[bytes], **elements: Any) -> bytes:
    """A DICOM file of plain bytes or of coded frames."""
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate

    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID + syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, kind.samples
    dataset.PhotometricInterpretation = kind.photometric
    if kind.samples == 3:
        dataset.PlanarConfiguration = kind.planar if isinstance(body, bytes) else 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = kind.allocated, kind.bits, kind.bits - 1
    dataset.PixelRepresentation = int(kind.signed)
    if kind.frames > 1:
        dataset.NumberOfFrames = kind.frames
    if kind.photometric == "PALETTE COLOR":
        first, table = palette_of(kind)
        order = ">" if syntax == PLAIN["big-endian"] else "<"
        for channel, colour in enumerate(("Red", "Green", "Blue")):
            described = [len(table), first, kind.entry_bits]
            dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "SS" if kind.signed else "US", described)
            column = table[:, channel].astype(f"{order}u2" if kind.entry_bits == 16 else "u1").tobytes()
            if order == ">" and kind.entry_bits == 8:  # bytes in words
                column = np.frombuffer(column, "<u2").astype(">u2").tobytes()
            dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", column)
    for name, value in elements.items():
        setattr(dataset, name, value)
    if isinstance(body, bytes):
        dataset.add_new("PixelData", "OW" if kind.allocated > 8 else "OB", body + b"\0" * (len(body) % 2))
    else:
        dataset.add_new("PixelData", "OB", encapsulate([one + b"\0" * (len(one) % 2) for one in body]))
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def twins(kind: Kind) -> dict[str, bytes]:
    """The same samples without loss in every syntax that may hold them, plain ones first."""
    values = samples_of(kind)
    dirty = cells_of(kind, values, dirty=True)
    if kind.photometric in OF_JPEG_2000:  # exists in JPEG 2000 alone: the plain twin is RGB
        made = {"explicit": file_of(replace(kind, photometric="RGB"), ".1", plain_bytes(kind, dirty, big_endian=False))}
        names = [name for name in PACKED if name.startswith(("JPEG 2000", "HTJ2K"))]
    else:
        made = {
            name: file_of(kind, syntax, plain_bytes(kind, dirty, big_endian=name == "big-endian"))
            for name, syntax in PLAIN.items()
        }
        names = list(PACKED)
    for name in names:
        made[name] = file_of(kind, PACKED[name], [packed(kind, name, frame) for frame in dirty])
    return made


def lossy_twins(kind: Kind) -> dict[str, bytes]:
    """Smooth samples with loss in every lossy syntax that may hold them."""
    clean = cells_of(kind, samples_of(kind, smooth=True), dirty=False)
    names = [name for name in LOSSY if LOSSY[name] not in (".4.50", ".4.51")]
    if not kind.signed and kind.photometric not in OF_JPEG_2000:
        names += ["JPEG"] if kind.allocated == 8 else ["JPEG 12 bit"] if kind.bits <= 12 else []
    if kind.photometric in OF_JPEG_2000:
        names = ["JPEG 2000", "HTJ2K"]
    return {name: file_of(kind, LOSSY[name], [lossy(kind, name, frame) for frame in clean]) for name in names}


def read(data: bytes, z: int | str | None = None) -> Image:
    return decode_image(data, "picture.dcm", Selection(z=z))


def in_range(image: Image) -> bool:
    """Whether each value lies in the range that the bits of the image say."""
    low, top = (
        (-(2 ** (image.bits - 1)), 2 ** (image.bits - 1)) if image.pixels.dtype.kind == "i" else (0, 2**image.bits)
    )
    return bool(image.pixels.min() >= low and image.pixels.max() < top)


PHOTO = Kind("RGB")


def jpeg_frame(stored: str, seen: str, **options: Any) -> tuple[bytes, NDArray[Any]]:
    """A smooth colour frame as JPEG whose components are `stored`, of pixels that are `seen`; and the pixels."""
    pixels = samples_of(PHOTO, smooth=True)[0].astype(np.uint8)
    coded = imagecodecs.jpeg8_encode(pixels, level=98, colorspace=seen, outcolorspace=stored, **options)
    return bytes(coded), pixels.astype(int)


def without_marks(coded: bytes) -> bytes:
    """A JPEG stream without JFIF and Adobe segments, whose components are numbered from 1."""
    for mark in (b"\xff\xe0", b"\xff\xee"):
        place = coded.find(mark)
        if place >= 0:
            coded = coded[:place] + coded[place + 2 + int.from_bytes(coded[place + 2 : place + 4], "big") :]
    return coded


def refused(data: bytes, cause: str, z: int | str | None = None) -> str:
    with pytest.raises(ImageError, match=cause) as raised:
        read(data, z)
    return raised.value.cause


def rewritten(dataset: Any) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()
