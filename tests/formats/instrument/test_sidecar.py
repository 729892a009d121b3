"""Text files beside an image: JEOL, Hitachi and TESCAN; other text stays out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from graticule.formats.instrument.metadata import Metadata
from graticule.formats.instrument.sidecar import MAX_BYTES, sidecar_file, sidecar_metadata, text_metadata

JEOL = (
    "$CM_FORMAT JEOL-SEM\r\n$CM_VERSION 0.1\r\n$CM_COMMENT \r\n$CM_DATE 3/2/2021\r\n$CM_INSTRUMENT JSM-7100F\r\n"
    "$CM_FULL_SIZE 1280 960\r\n$CM_ACCEL_VOLT 15.00\r\n$CM_MAG 5000\r\n$CM_SIGNAL SEI\r\n"
    "$$SM_MICRON_BAR 160\r\n$$SM_MICRON_MARKER 5um\r\n$$SM_FONT_SIZE 1 1\r\n"
)
HITACHI = (
    "[SemImageFile]\r\nInstructName=TM3000\r\nSerialNumber=123\r\nDataNumber=\r\nImageName=a.tif\r\n"
    "DataSize=1280x960\r\nPixelSize=99.21875\r\nSignalName=BSE\r\nAcceleratingVoltage=15000 Volt\r\n"
    "Magnification=1000\r\nWorkingDistance=8100 um\r\n"
)
TESCAN = (
    "[MAIN]\r\nDevice=VEGA3\r\nImageStripSize=64\r\nMagnification=2000\r\nPixelSizeX=1.0593e-007\r\n"
    "PixelSizeY=1.0593e-007\r\n[SEM]\r\nDetector=SE\r\nHV=20000\r\n"
)
JEOL_READ = Metadata(31.25, 5000.0, 15.0, "SEI", "JSM-7100F", "JEOL", 960, ())


def beside(folder: Path, name: str, text: str | bytes, image: str = "a.tif") -> Path:
    file = folder / image
    file.write_bytes(b"II*\0")
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_jeol(tmp_path: Path) -> None:
    file = beside(tmp_path, "a.txt", JEOL)
    assert sidecar_metadata(file, (1024, 1280)) == JEOL_READ  # 5 µm over 160 pixels
    same_height = sidecar_metadata(file, (960, 1280))
    assert same_height is not None
    assert same_height.image_rows is None


def test_jeol_without_shape_keeps_the_rows_as_recorded(tmp_path: Path) -> None:
    assert sidecar_metadata(beside(tmp_path, "a.txt", JEOL)) == JEOL_READ


def test_jeol_transmission_microscope(tmp_path: Path) -> None:
    text = "$CM_FORMAT \n$CM_ACCEL_VOLT 200\n$$EM_PIXELSPERMETER_X 2.0e9\n$$EM_PIXELSPERMETER_Y 2.0e9\n"
    found = sidecar_metadata(beside(tmp_path, "a.txt", text))
    assert found is not None
    assert found.pixel_size_nm == pytest.approx(0.5)
    assert found.voltage_kv == 200.0


def test_resized_image_is_named(tmp_path: Path) -> None:
    found = sidecar_metadata(beside(tmp_path, "a.txt", JEOL), (512, 640))
    assert found is not None
    assert found.image_rows is None
    assert "1280 pixels wide, the file is 640" in found.warnings[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_hitachi(tmp_path: Path, encoding: str) -> None:
    found = sidecar_metadata(beside(tmp_path, "a.txt", HITACHI.encode(encoding)), (1040, 1280))
    assert found == Metadata(99.21875, 1000.0, 15.0, "BSE", "TM3000", "Hitachi", 960, ())


def test_tescan(tmp_path: Path) -> None:
    found = sidecar_metadata(beside(tmp_path, "a-tif.hdr", TESCAN), (832, 768))
    assert found == Metadata(pytest.approx(105.93), 2000.0, 20.0, "SE", "VEGA3", "TESCAN", 768, ())


@pytest.mark.parametrize(
    "name", ["a.txt", "a.TXT", "a.Txt", "a.tif.txt", "a.tif.TXT", "a.hdr", "a.HDR", "a.tif.hdr", "a-tif.hdr"]
)
def test_names(tmp_path: Path, name: str) -> None:
    file = beside(tmp_path, name, JEOL)
    found = sidecar_file(file)
    assert found is not None
    assert found.samefile(tmp_path / name)


@pytest.mark.parametrize("name", ["b.txt", "a.text", "a", "atxt"])
def test_other_names_stay_out(tmp_path: Path, name: str) -> None:
    assert sidecar_file(beside(tmp_path, name, JEOL)) is None


@pytest.mark.parametrize("text", ["0 0.5 0.5 0.1 0.1\n", "", "taken on Monday, PixelSize unknown", b"\x00" * 100])
def test_other_text_stays_out(tmp_path: Path, text: str | bytes) -> None:
    file = beside(tmp_path, "a.txt", text)
    assert sidecar_file(file) is None
    assert sidecar_metadata(file) is None


def test_notes_do_not_hide_the_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a note")
    assert sidecar_file(beside(tmp_path, "a-tif.hdr", TESCAN)) == tmp_path / "a-tif.hdr"


def test_only_small_regular_files(tmp_path: Path) -> None:
    assert sidecar_file(beside(tmp_path, "a.txt", JEOL + " " * MAX_BYTES)) is None
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").mkdir()
    assert sidecar_file(tmp_path / "a.tif") is None
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "b.txt")  # opening it would wait for ever
        assert sidecar_file(tmp_path / "b.tif") is None
    assert sidecar_file(tmp_path / "nowhere" / "c.tif") is None


def test_unreadable_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = beside(tmp_path, "a.txt", JEOL)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(os, "open", refuse)
    assert sidecar_metadata(file) == Metadata(warnings=("a.txt cannot be read",))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("5um", "-5um", "outside"),
        ("5um", "5 furlongs", "not a length"),
        ("5um", "5", "no unit"),
        ("BAR 160", "BAR 0", "no pixel size"),
        ("BAR 160", "BAR nan", "no pixel size"),
        ("BAR 160", "BAR 1e300", "no pixel size"),
    ],
)
def test_damaged_scale_bar_is_a_warning(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = sidecar_metadata(beside(tmp_path, "a.txt", JEOL.replace(old, new)))
    assert found is not None
    assert found.pixel_size_nm is None
    assert found.voltage_kv == 15.0
    assert said in found.warnings[0]


def test_two_thousand_mutated_files_never_raise() -> None:
    rng = np.random.default_rng(8)
    texts = [JEOL.encode(), HITACHI.encode(), TESCAN.encode(), HITACHI.encode("utf-16")]
    read = 0
    for i in range(2000):
        data = bytearray(texts[i % len(texts)])
        for _ in range(int(rng.integers(1, 20))):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        found = text_metadata(bytes(data), (1024, 1280))
        if found is not None:
            read += 1
            assert found.pixel_size_nm is None or 1e-3 <= found.pixel_size_nm <= 1e9
    assert read > 1000


def test_one_listing_serves_a_settled_folder_and_changes_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[object] = []
    original = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: (listed.append(folder), original(folder))[1])
    beside(tmp_path, "a.txt", JEOL)
    os.utime(tmp_path, ns=(10**18, 10**18))
    found = [sidecar_file(tmp_path / f"{name}.tif") for name in "abcdef"]
    assert found == [tmp_path / "a.txt"] + [None] * 5
    assert len(listed) == 1
    (tmp_path / "b.txt").write_text(JEOL)
    assert sidecar_file(tmp_path / "b.tif") == tmp_path / "b.txt"
    (tmp_path / "b.txt").unlink()
    assert sidecar_file(tmp_path / "b.tif") is None
