"""One function per maker: what it takes from its text, what it falls back on, and nothing out of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.formats.instrument.makes import fei, hitachi, jeol, phenom, tescan, tescan_tag_text, zeiss
from graticule.formats.instrument.metadata import Metadata

MAKES = {"FEI": fei, "Phenom": phenom, "Zeiss": zeiss, "TESCAN": tescan, "Hitachi": hitachi, "JEOL": jeol}


@pytest.mark.parametrize("vendor", MAKES)
def test_an_empty_text_and_noise_give_no_numbers(vendor: str) -> None:
    rng = np.random.default_rng(0)
    for text in ("", "\n\n", "[Scan]\nPixelWidth\n", *(rng.bytes(200).decode("latin-1") for _ in range(50))):
        found = MAKES[vendor](text, (48, 64))
        assert found.vendor in (vendor, "")
        assert (found.pixel_size_nm, found.magnification, found.voltage_kv, found.image_rows) == (None,) * 4


def test_fei_takes_the_scan_of_the_active_beam_and_else_the_field_width() -> None:
    beams = "[Beam]\nBeam={}\n[EBeam]\nHFW=6.4e-6\nHV=5000\n[IBeam]\nHFW=1.28e-5\nHV=30000\n"
    scans = "[EScan]\nPixelWidth=2e-9\n[IScan]\nPixelWidth=3e-9\n"
    image = "[Image]\nResolutionX=64\nMagCanvasRealWidth=0.128\n"
    found = [fei(beams.format(beam) + scans + image, None) for beam in ("EBeam", "IBeam")]
    assert [one.pixel_size_nm for one in found] == pytest.approx([2.0, 3.0])
    assert [one.voltage_kv for one in found] == [5.0, 30.0]
    assert [one.magnification for one in found] == pytest.approx([20_000.0, 10_000.0])
    assert fei(beams.format("EBeam") + image, None).pixel_size_nm == pytest.approx(100.0)
    assert fei("[Scan]\nPixelWidth=1e-9\n" + scans, None).pixel_size_nm == pytest.approx(1.0)


def test_phenom_leaves_out_the_rows_of_its_bar() -> None:
    text = '<FeiImage><databarHeight>{}</databarHeight><pixelWidth unit="um">0.5</pixelWidth></FeiImage>'
    assert phenom(text.format(8), (48, 64)).image_rows == 40
    assert phenom(text.format(8), None).image_rows is None
    for height in (24, 7.5, -1):
        refused = phenom(text.format(height), (48, 64))
        assert (refused.image_rows, len(refused.warnings)) == (None, 1)
    assert phenom(text.format(0), (48, 64)).warnings == ()
    assert phenom("<Other/>", None) == Metadata()
    assert "entities" in phenom('<!DOCTYPE a [<!ENTITY b "c">]><FeiImage/>', None).warnings[0]


def test_zeiss_named_pixel_size_goes_before_the_unnamed_one() -> None:
    unnamed = "0\n0\n0\n1e-9\n"
    assert zeiss(unnamed, (48, 512)).pixel_size_nm == pytest.approx(2.0)  # said of 1024 columns
    assert zeiss(unnamed, None).pixel_size_nm is None
    for key in ("AP_IMAGE_PIXEL_SIZE", "AP_PIXEL_SIZE"):
        assert zeiss(f"{unnamed}{key}\nPixel Size = 4.5 nm\n", (48, 512)).pixel_size_nm == pytest.approx(4.5)
    text = "AP_MAG\nMag = 25.00 K X\nAP_MANUALKV\nEHT : 3.00 kV\nDP_IMAGE_STORE\nStore resolution = 64 * 40\n"
    found = zeiss(text, (48, 64))
    assert (found.magnification, found.voltage_kv, found.image_rows) == (25_000.0, 3.0, 40)


def test_tescan_text_lies_behind_its_picture() -> None:
    text = "[MAIN]\nPixelSizeX=5e-9\nImageStripSize=6\nDevice=MIRA3\n[SEM]\nHV=10000\nDetector0=SE\n"
    tag = b"\xff\xd8picture\xff\xd9 more \xff\xd9\0\1\2" + text.encode()
    assert tescan_tag_text(tag).decode() == "\n" + text
    assert tescan_tag_text(text.encode()) == text.encode()
    found = tescan(text, (54, 64))
    assert (found.pixel_size_nm, found.voltage_kv, found.image_rows) == (pytest.approx(5.0), 10.0, 48)
    assert (found.instrument, found.detector) == ("MIRA3", "SE")


@pytest.mark.parametrize("section", ["SemImageFile", "TemImageFile"])
def test_hitachi_sizes_are_nanometres(section: str) -> None:
    text = f"[{section}]\nPixelSize=12.5\nAcceleratingVoltage=15000 Volt\nMagnification=500\nDataSize=64x48\n"
    found = hitachi(text, (54, 64))
    assert (found.pixel_size_nm, found.voltage_kv, found.magnification, found.image_rows) == (12.5, 15.0, 500.0, 48)
    assert hitachi(text.replace(section, "Other"), None).pixel_size_nm is None


def test_jeol_pixel_size_is_that_of_the_scale_bar_or_of_pixels_per_metre() -> None:
    bar = "$$SM_MICRON_MARKER 5um\n$$SM_MICRON_BAR 160\n$CM_ACCEL_VOLT 15\n$CM_FULL_SIZE 64 48\n"
    found = jeol(bar, (54, 64))
    assert (found.pixel_size_nm, found.voltage_kv, found.image_rows) == (31.25, 15.0, 48)
    assert jeol(bar + "$$EM_PIXELSPERMETER_X 1e9\n", None).pixel_size_nm == pytest.approx(1.0)
    for length in ("0", "many", "1e7"):
        odd = jeol(f"$$SM_MICRON_MARKER 5um\n$$SM_MICRON_BAR {length}\n", None)
        assert odd.pixel_size_nm is None
        assert "no pixel size" in odd.warnings[0]
