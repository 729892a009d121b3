"""Texts of instruments: numbers with units, ranges, sections, encodings, XML that is refused before it is parsed."""

from __future__ import annotations

import math
import time

import pytest

from graticule.formats.instrument.text import (
    MAX_TEXT,
    MetadataDraft,
    clean,
    decode_metadata,
    number_and_unit,
    parse_xml,
    sections,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.00 kV", (10.0, "kV")),
        ("3,045 nm", (3.045, "nm")),
        ("12.5 µm", (12.5, "µm")),
        ("12.5 μm", (12.5, "µm")),  # Greek mu
        ("12.5um", (12.5, "um")),
        ("2.5e-009", (2.5e-9, "")),
        ("-1.5E+3 V", (-1500.0, "V")),
        (".5 mm", (0.5, "mm")),
        ('"7 nm"', (7.0, "nm")),
        (4, (4.0, "")),
        (10**400, (math.inf, "")),
        ("1e999", (math.inf, "")),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("nm 5", None),
        ("1.2.3", None),
        ("1,234,567", None),
        ("٣", None),  # a digit, but none that an instrument writes
    ],
)
def test_number_and_unit(text: object, expected: tuple[float, str] | None) -> None:
    assert number_and_unit(text) == expected


@pytest.mark.parametrize(
    ("value", "unit", "nanometres"),
    [
        ("3.045 nm", "", 3.045),
        ("558.2 pm", "", 0.5582),
        ("2,5 Å", "", 0.25),
        ("2.5 Å", "", 0.25),  # the Angstrom sign
        ("12.5 µm", "nm", 12_500.0),
        ("12.5 um", "nm", 12_500.0),
        ("0.1", "mm", 1e5),
        (2.5e-9, "m", 2.5),
    ],
)
def test_lengths(value: object, unit: str, nanometres: float) -> None:
    draft = MetadataDraft()
    draft.set_pixel_size(value, None, unit)
    assert draft.pixel_size_nm == pytest.approx(nanometres, rel=1e-12)
    assert draft.warnings == []


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("-3 nm", "", "outside"),
        ("0", "nm", "outside"),
        ("1e-4 nm", "", "outside"),
        ("1.1 m", "", "outside"),
        ("1e999", "nm", "outside"),
        (math.inf, "nm", "outside"),
        (math.nan, "nm", "outside"),
        pytest.param(10**5000, "nm", "outside", id="huge"),
        ("nan", "nm", "not a number"),
        ("\x00\x07\ufffd", "nm", "not a number"),
        ("9" * 5000, "nm", "outside"),
        ("3 pixel", "", "not a length"),
        ("3", "", "no unit"),
    ],
)
def test_impossible_pixel_sizes_are_refused_with_a_warning(value: object, unit: str, said: str) -> None:
    draft = MetadataDraft(vendor="FEI")
    draft.set_pixel_size(value, None, unit)
    assert draft.pixel_size_nm is None
    assert len(draft.warnings) == 1
    assert said in draft.warnings[0]
    assert draft.warnings[0].startswith("FEI: ")
    assert len(draft.warnings[0]) < 200


def test_pixels_that_are_not_square() -> None:
    draft = MetadataDraft()
    draft.set_pixel_size("10 nm", "10.05 nm", "")
    assert draft.warnings == []
    draft.set_pixel_size("10 nm", "10.2 nm", "")
    assert draft.pixel_size_nm == 10.0
    assert "not square" in draft.warnings[0]


@pytest.mark.parametrize(
    ("value", "unit", "kilovolts"),
    [("15.00 kV", "V", 15.0), ("15000 Volt", "V", 15.0), ("2e4", "V", 20.0), (5, "kV", 5.0), ("0", "V", None)],
)
def test_voltages(value: object, unit: str, kilovolts: float | None) -> None:
    draft = MetadataDraft()
    draft.set_voltage(value, unit)
    assert draft.voltage_kv == (None if kilovolts is None else pytest.approx(kilovolts))
    assert draft.warnings == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("500 X", 500.0),
        ("25.00 K X", 25_000.0),
        ("x1.2k", 1200.0),
        ("12,500", 12_500.0),
        ("1,250,000 X", 1_250_000.0),
        ("1,5 K X", 1500.0),
        (63, 63.0),
        ("0", None),
        ("?", None),
    ],
)
def test_magnifications(value: object, expected: float | None) -> None:
    draft = MetadataDraft()
    draft.set_magnification(value)
    assert draft.magnification == expected
    assert draft.warnings == []


def test_out_of_range_voltage_and_magnification_are_refused() -> None:
    draft = MetadataDraft()
    draft.set_voltage("1e30 V", "V")
    draft.set_voltage("7 bananas", "")
    draft.set_magnification("-5")
    draft.set_magnification("1e300")
    draft.set_voltage(10**5000, "V")
    draft.set_magnification(10**5000)
    assert (draft.voltage_kv, draft.magnification) == (None, None)
    assert len(draft.warnings) == 6


@pytest.mark.parametrize(
    ("shape", "rows", "n_warnings"),
    [((943, 1024), 884, 0), ((884, 1024), None, 0), ((442, 512), None, 1), (None, 884, 0)],
)
def test_rows_of_the_picture(shape: tuple[int, int] | None, rows: int | None, n_warnings: int) -> None:
    draft = MetadataDraft()
    draft.set_rows("884", 1024, shape)
    assert draft.image_rows == rows
    assert len(draft.warnings) == n_warnings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_text_in_every_usual_encoding(encoding: str) -> None:
    text = "[SemImageFile]\nPixelSize=12.5\nUnit=µm\n"
    assert decode_metadata(text.replace("\n", "\r\n").encode(encoding)) == text


def test_sections_keep_the_first_value_that_is_not_empty() -> None:
    found = sections("a=0\n[Scan]\nPixelWidth=\nPixelWidth=1\nPixelWidth=2\nnoise\n[Image]\nx = y=z\n[Scan]\nmore=3")
    assert found == {"": {"a": "0"}, "Scan": {"PixelWidth": "1", "more": "3"}, "Image": {"x": "y=z"}}


def test_names_are_fit_for_a_table() -> None:
    assert clean("Quanta\x00\x1b[31m\t 200 ") == "Quanta [31m 200"
    assert len(clean("x" * 10_000)) == 80
    assert clean("a\udcffb") == "a b"


def test_entities_are_refused_before_parsing() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><OME>&b;</OME>'
    assert parse_xml(bomb) == "XML with a document type or entities is refused"
    for broken in ("<OME>&b;</OME>", "<OME", "", "\x01", "<OME>\ud800</OME>"):
        assert str(parse_xml(broken)).startswith("XML cannot be parsed")
    assert getattr(parse_xml("<OME/>"), "tag", None) == "OME"


def test_huge_texts_take_no_time() -> None:
    start = time.perf_counter()
    deep = "<a>" * 200_000 + "</a>" * 200_000
    assert not isinstance(parse_xml(deep), str)
    assert isinstance(parse_xml("<a>" + " " * MAX_TEXT + "</a>"), str)
    assert len(sections("k=v\n" * 500_000)[""]) == 1
    assert number_and_unit("1" * 10_000_000) is not None
    assert len(decode_metadata(b"\xff" * 10_000_000)) == MAX_TEXT
    assert time.perf_counter() - start < 20.0
