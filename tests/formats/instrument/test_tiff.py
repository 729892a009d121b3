"""Tags of microscope makers in TIFF files, written as the makers write them and read back."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile

from graticule.formats.instrument.metadata import Metadata
from graticule.formats.instrument.tiff import tiff_metadata

RNG = np.random.default_rng(5)

FEI = """[User]\r\nUserText=\r\nDate=03/14/2022\r\n[System]\r\nType=SEM\r\nSystemType=Helios NanoLab\r\n
[Beam]\r\nHV=5000\r\nSpot=\r\nBeam=EBeam\r\nScan=EScan\r\n[EBeam]\r\nSource=FEG\r\nHFW=2.56e-006\r\nHV=5000\r\n
[Scan]\r\nInternalScan=true\r\nPixelWidth=2.5e-009\r\nPixelHeight=2.5e-009\r\nHorFieldsize=2.56e-006\r\n
[EScan]\r\nPixelWidth=2.5e-009\r\n[Image]\r\nResolutionX=64\r\nResolutionY=48\r\nMagCanvasRealWidth=0.12800\r\n
[Detectors]\r\nNumber=1\r\nName=TLD\r\nMode=SE\r\n[PrivateFei]\r\nDatabarHeight=6\r\n"""

ZEISS = (
    "\r\n0\r\n0\r\n0\r\n4.687e-009\r\n0\r\n1\r\nDP_DETECTOR_CHANNEL\r\nSignal A = InLens\r\nDP_DETECTOR_TYPE\r\n"
    "Detector = SE2\r\nAP_MAG\r\nMag = 25.00 K X\r\nAP_ACTUALKV\r\nEHT = 3.00 kV\r\nAP_WD\r\nWD =  5.6 mm\r\n"
    "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 4.466 nm\r\nDP_IMAGE_STORE\r\nStore resolution = 64 * 54\r\n"
    "AP_DATE\r\nDate :24 Mar 2017\r\nSV_SERIAL_NUMBER\r\nSerial No. = Sigma 300-8211\r\n"
)

TESCAN = (
    "[MAIN]\r\nAccFrames=1\r\nCompany=TESCAN\r\nDevice=MIRA3 LMH\r\nImageStripSize=6\r\nMagnification=50000\r\n"
    "PixelSizeX=5.4e-009\r\nPixelSizeY=5.4e-009\r\n[SEM]\r\nDetector=InBeam\r\nDetector0=SE\r\nHV=10000.0\r\n"
)

PHENOM = (
    '<?xml version="1.0"?><FeiImage><instrument><type>Phenom XL</type></instrument><acquisition><scan>'
    '<detector>BSD Full</detector><highVoltage unit="kV">-10</highVoltage></scan></acquisition>'
    '<databarHeight>6</databarHeight><pixelWidth unit="um">0.0125</pixelWidth>'
    '<pixelHeight unit="um">0.0125</pixelHeight></FeiImage>'
)

OME = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Instrument ID="Instrument:0"><Microscope Manufacturer="Nikon" Model="Ti2"/><Detector ID="Detector:0" '
    'Model="Prime BSI"/><Objective ID="Objective:0" NominalMagnification="10"/><Objective ID="Objective:1" '
    'NominalMagnification="60"/></Instrument><Image ID="Image:0"><ObjectiveSettings ID="Objective:1"/>'
    '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="64" SizeY="54" SizeZ="1" SizeC="1" SizeT="1" '
    'PhysicalSizeX="{x}" PhysicalSizeY="{y}"{unit}><TiffData/></Pixels></Image></OME>'
)


def tiff_bytes(*, tags: dict[int, bytes] | None = None, shape: tuple[int, int] = (54, 64), **options: Any) -> bytes:
    """A TIFF file with private tags of raw bytes (type 7, UNDEFINED)."""
    stream = io.BytesIO()
    extra = [(code, 7, len(value), value, True) for code, value in (tags or {}).items()]
    options.setdefault("metadata", None)
    tifffile.imwrite(stream, RNG.integers(0, 256, shape, dtype=np.uint8), extratags=extra, **options)
    return stream.getvalue()


def read(data: bytes) -> Metadata:
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        return tiff_metadata(tiff)


def ome(x: object = 0.108, y: object = 0.108, unit: str = "") -> str:
    return OME.format(x=x, y=y, unit=unit)


@pytest.mark.parametrize("code", [34680, 34682])
def test_fei(code: int) -> None:
    found = read(tiff_bytes(tags={code: FEI.encode()}))
    assert found == Metadata(
        pytest.approx(2.5), pytest.approx(50_000), 5.0, "TLD", "Helios NanoLab", "FEI", 48, ()
    )  # 0.128 m / 2.56 µm = 50,000 x; 54 rows in the file, 48 of picture


def test_fei_agrees_with_tifffile() -> None:
    data = tiff_bytes(tags={34682: FEI.encode()})
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        independent = tiff.fei_metadata
        assert independent is not None
        assert tiff_metadata(tiff).pixel_size_nm == pytest.approx(independent["Scan"]["PixelWidth"] * 1e9)


def test_fei_without_info_bar_resized_and_by_field_width() -> None:
    assert read(tiff_bytes(tags={34682: FEI.encode()}, shape=(48, 64))).image_rows is None
    resized = read(tiff_bytes(tags={34682: FEI.encode()}, shape=(27, 32)))
    assert resized.image_rows is None
    assert "resized" in resized.warnings[0]
    by_field = FEI.replace("PixelWidth=2.5e-009", "").replace("PixelHeight=2.5e-009", "")
    assert read(tiff_bytes(tags={34682: by_field.encode()})).pixel_size_nm == pytest.approx(2560 / 64)


def test_fei_ion_beam_and_rectangular_pixels() -> None:
    text = "[Beam]\nBeam=IBeam\n[IBeam]\nHV=30000\n[EBeam]\nHV=5000\n[IScan]\nPixelWidth=1e-8\nPixelHeight=1.3e-8\n"
    found = read(tiff_bytes(tags={34682: text.encode()}))
    assert found.voltage_kv == 30.0
    assert found.pixel_size_nm == pytest.approx(10.0)
    assert "not square" in found.warnings[0]


def test_phenom() -> None:
    found = read(tiff_bytes(tags={34683: PHENOM.encode()}))
    assert found == Metadata(pytest.approx(12.5), None, 10.0, "BSD Full", "Phenom XL", "Phenom", 48, ())


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
@pytest.mark.parametrize(("size", "expected"), [("4.466 nm", 4.466), ("4,466 nm", 4.466), ("1.5 µm", 1500.0)])
def test_zeiss(size: str, expected: float, encoding: str) -> None:
    text = ZEISS.replace("4.466 nm", size)
    found = read(tiff_bytes(tags={34118: text.encode(encoding)}))
    assert found == Metadata(pytest.approx(expected), 25_000.0, 3.0, "InLens", "Sigma 300-8211", "Zeiss", None, ())


def test_zeiss_unnamed_pixel_size_is_that_of_1024_columns() -> None:
    text = ZEISS.replace("AP_IMAGE_PIXEL_SIZE", "AP_OTHER")
    assert read(tiff_bytes(tags={34118: text.encode()})).pixel_size_nm == pytest.approx(4.687 * 1024 / 64)


def test_zeiss_picture_with_rows_below() -> None:
    assert read(tiff_bytes(tags={34118: ZEISS.encode()}, shape=(60, 64))).image_rows == 54


def test_tescan_text_follows_a_thumbnail() -> None:
    thumbnail = b"\xff\xd8\xff\xe0" + RNG.bytes(300).replace(b"\xff", b"\x00") + b"\xff\xd9"
    for prefix in (b"", thumbnail, thumbnail + b"\x00\x01\x00"):
        found = read(tiff_bytes(tags={50431: prefix + TESCAN.encode()}))
        assert found == Metadata(pytest.approx(5.4), 50_000.0, 10.0, "InBeam", "MIRA3 LMH", "TESCAN", 48, ())


def test_hitachi_text_in_the_description() -> None:
    text = "[SemImageFile]\nInstructName=SU8000\nPixelSize=4.96\nAcceleratingVoltage=2000 Volt\nDataSize=64x50\n"
    found = read(tiff_bytes(description=text))
    assert found == Metadata(pytest.approx(4.96), None, 2.0, "", "SU8000", "Hitachi", 50, ())


def tvips_header(**values: float) -> bytes:
    """EM-MENU's header of version 2, from the record that tifffile documents."""
    dtype = np.dtype(
        tifffile.TIFF.TVIPS_HEADER_V1
        + [
            (name if name not in ("PostMagnification",) else name + "2", kind)
            for name, kind in tifffile.TIFF.TVIPS_HEADER_V2
        ]
    )
    record = np.zeros((), dtype=dtype.newbyteorder("<"))
    record["Version"], record["Magic"] = 2, 0xAAAAAAAA
    record["CameraType"] = np.void("TemCam-F416".encode("utf-16-le").ljust(160, b"\0"))
    record["TemType"] = np.void("Tecnai G2".encode("utf-16-le").ljust(160, b"\0"))
    for name, value in values.items():
        record[name] = value
    return record.tobytes()


def test_tvips() -> None:
    header = tvips_header(PixelSizeX=0.75, PixelSizeY=0.75, TemHighTension=200_000, TemMagnification=25_000)
    found = read(tiff_bytes(tags={37706: header}))
    assert found == Metadata(0.75, 25_000.0, 200.0, "TemCam-F416", "Tecnai G2", "TVIPS", None, ())


def test_tvips_diffraction_pattern_has_no_pixel_size() -> None:
    found = read(tiff_bytes(tags={37706: tvips_header(PixelSizeX=0.01, TemHighTension=120_000, TemMode=3)}))
    assert found.pixel_size_nm is None
    assert found.voltage_kv == 120.0
    assert "diffraction" in found.warnings[0]


@pytest.mark.parametrize(
    ("unit", "nanometres"),
    [
        ("", 108.0),
        (' PhysicalSizeXUnit="µm" PhysicalSizeYUnit="µm"', 108.0),
        (' PhysicalSizeXUnit="nm" PhysicalSizeYUnit="nm"', 0.108),
        (' PhysicalSizeXUnit="mm" PhysicalSizeYUnit="mm"', 108_000.0),
    ],
)
def test_ome(unit: str, nanometres: float) -> None:
    found = read(tiff_bytes(description=ome(unit=unit).encode()))
    assert found == Metadata(pytest.approx(nanometres), 60.0, None, "Prime BSI", "Ti2", "Nikon", None, ())


def test_ome_as_tifffile_writes_it() -> None:
    stream = io.BytesIO()
    about = {"axes": "YX", "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.65}
    tifffile.imwrite(stream, np.zeros((8, 9), np.uint8), ome=True, metadata=about)
    assert read(stream.getvalue()).pixel_size_nm == pytest.approx(650.0)


def test_ome_units_that_are_no_length_and_entities() -> None:
    found = read(tiff_bytes(description=ome(unit=' PhysicalSizeXUnit="pixel" PhysicalSizeYUnit="pixel"')))
    assert found.pixel_size_nm is None
    assert any("not a length" in warning for warning in found.warnings)
    bomb = "<!DOCTYPE l [<!ENTITY a 'ha'>]>" + ome().partition("?>")[2]
    refused = read(tiff_bytes(description=bomb.encode()))
    assert refused.pixel_size_nm is None
    assert refused.warnings == ("OME: XML with a document type or entities is refused",)


@pytest.mark.parametrize(
    ("unit", "nanometres"), [("um", 125.0), ("micron", 125.0), ("\\u00B5m", 125.0), ("nm", 0.125), ("mm", 125_000.0)]
)
def test_imagej(unit: str, nanometres: float) -> None:
    data = tiff_bytes(imagej=True, metadata={"unit": unit}, resolution=(8.0, 8.0), resolutionunit="NONE")
    found = read(data)
    assert found.pixel_size_nm == pytest.approx(nanometres)
    assert found.warnings == ()


def test_print_resolution_is_no_pixel_size() -> None:
    assert read(tiff_bytes(resolution=(300, 300), resolutionunit="INCH")) == Metadata()
    assert read(tiff_bytes(resolution=(118, 118), resolutionunit="CENTIMETER")) == Metadata()
    for unit in ("inch", "cm"):
        found = read(tiff_bytes(imagej=True, metadata={"unit": unit}, resolution=(72.0, 72.0)))
        assert found.pixel_size_nm is None
        assert "printing" in found.warnings[0]


def test_imagej_without_unit() -> None:
    found = read(tiff_bytes(imagej=True, metadata={}, resolution=(8.0, 8.0), resolutionunit="NONE"))
    assert found.pixel_size_nm is None
    assert "without a unit" in found.warnings[0]
    assert read(tiff_bytes(imagej=True, metadata={}, resolution=(1.0, 1.0), resolutionunit="NONE")) == Metadata()


def test_contradiction_between_maker_and_imagej() -> None:
    data = tiff_bytes(
        tags={34118: ZEISS.encode()}, imagej=True, metadata={"unit": "nm"}, resolution=(0.1, 0.1), resolutionunit="NONE"
    )
    found = read(data)
    assert found.pixel_size_nm == pytest.approx(4.466)
    assert "two pixel sizes" in found.warnings[0]


def test_make_and_model_tags_serve_last() -> None:
    extra = [(271, 2, 0, "JEOL Ltd.", True), (272, 2, 0, "JSM-7100F", True)]
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((8, 9), np.uint8), extratags=extra, metadata=None)
    assert read(stream.getvalue()) == Metadata(vendor="JEOL Ltd.", instrument="JSM-7100F")


def test_rotated_picture_says_no_rows() -> None:
    stream = io.BytesIO()
    extra = [(34682, 7, len(FEI), FEI.encode(), True), (274, 3, 1, 6, True)]
    tifffile.imwrite(stream, np.zeros((54, 64), np.uint8), extratags=extra, metadata=None)
    found = read(stream.getvalue())
    assert found.image_rows is None
    assert found.pixel_size_nm == pytest.approx(2.5)


@pytest.mark.parametrize("code", [34680, 34682, 34683, 34118, 50431, 37706])
def test_binary_garbage_gives_warnings_and_no_numbers(code: int) -> None:
    for seed in range(20):
        garbage = np.random.default_rng(seed).bytes(500)
        found = read(tiff_bytes(tags={code: garbage}))
        assert found.pixel_size_nm is None
        assert len(found.warnings) == 1
        assert all(len(warning) < 200 and warning.isprintable() for warning in found.warnings)


def samples() -> list[bytes]:
    header = tvips_header(PixelSizeX=0.75, PixelSizeY=0.75, TemHighTension=200_000)
    return [
        tiff_bytes(tags={34682: FEI.encode()}, shape=(6, 8)),
        tiff_bytes(tags={34118: ZEISS.encode("cp1252")}, shape=(6, 8)),
        tiff_bytes(tags={50431: b"\xff\xd8\xff\xd9" + TESCAN.encode()}, shape=(6, 8)),
        tiff_bytes(tags={34683: PHENOM.encode()}, shape=(6, 8)),
        tiff_bytes(tags={37706: header}, shape=(6, 8)),
        tiff_bytes(description=ome().encode(), shape=(6, 8)),
        tiff_bytes(imagej=True, metadata={"unit": "um"}, resolution=(8.0, 8.0), shape=(6, 8)),
    ]


def test_two_thousand_mutated_files_never_raise() -> None:
    rng = np.random.default_rng(2)
    files = samples()
    opened = 0
    for i in range(2000):
        data = bytearray(files[i % len(files)])
        for _ in range(int(rng.integers(1, 12))):
            data[int(rng.integers(8, len(data)))] = int(rng.integers(0, 256))
        try:
            tiff = tifffile.TiffFile(io.BytesIO(bytes(data)))
        except (tifffile.TiffFileError, ValueError, struct.error, TypeError, LookupError, MemoryError, OverflowError):
            continue  # not even tifffile opens it
        with tiff:
            found = tiff_metadata(tiff)
        opened += 1
        assert found.pixel_size_nm is None or 1e-3 <= found.pixel_size_nm <= 1e9
        assert found.image_rows is None or 0 < found.image_rows < 2**32
    assert opened > 1000
