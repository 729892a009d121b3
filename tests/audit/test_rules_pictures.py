"""Rules on pictures: each by itself, with the words that must stand in it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.audit.clean import advised, changed, check_advice, marks, pixel_sizes, shortcut

# rule, harm, changed parts, words that must stand in it
FINDINGS: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("shortcuts", "high", {"shortcuts": [shortcut()]}, ("“the file format”", "“plate”", "93 %", "chance 50 %")),
    ("shortcuts", "medium", {"shortcuts": [shortcut("brightness", "picture")]}, ("“brightness”", "93 %")),
    ("pixel_sizes", "medium", {"instrument": pixel_sizes(fibre=100.0, plate=1500.0)}, ("100 nm to 1.5 µm", "“fibre”")),
    (
        "pixel_sizes",
        "low",
        {"instrument": {"per_class": {"fibre": {"n": 9, "min": 10.0, "median": 12.0, "max": 15.0, "instruments": {}}}}},
        ("10 nm to 15 nm", "--scale physical"),
    ),
    (
        "shapes",
        "low",
        {"sizes": [{"width": 64, "height": 64, "mode": "", "n": 1}, {"width": 96, "height": 64, "mode": "", "n": 1}]},
        ("1.00 to 1.50", "--size-features"),
    ),
    (
        "deep_images",
        "medium",
        {
            "formats": [
                {"format": "TIFF", "compression": "", "bits": 16, "n": 20},
                {"format": "PNG", "compression": "", "bits": 8, "n": 280},
            ]
        },
        ("20 images deeper than 8 bits, mixed", "full range of the pixel type", "--intensity"),
    ),
    (
        "deep_images",
        "low",
        {"formats": [{"format": "TIFF", "compression": "", "bits": 12, "n": 300}]},
        ("300 images deeper",),
    ),
    ("pages", "low", {"notes": [{"note": "first of 3 pages", "n": 4, "examples": []}]}, ("4 files", "`--page`")),
    ("info_bars", "low", {"info_bars": {"n": 50, "per_class": {"fibre": 50}}}, ("50 % of “fibre”", "--info-bar crop")),
    (
        "burnt_in_marks",
        "medium",
        {"marks": marks(fibre=(40, 36), plate=(40, 4))},
        ("in 40 of 80 ultrasound frames", "90 % of “fibre”, 10 % of “plate”", "--marks mask", "graticule compare"),
    ),
    ("burnt_in_marks", "low", {"marks": marks(fibre=(40, 40), plate=(40, 38))}, ("in 78 of 80 ultrasound frames",)),
]


@pytest.mark.parametrize(("rule", "harm", "parts", "words"), FINDINGS)
def test_each_finding_gives_its_advice_and_no_other(
    rule: str, harm: str, parts: dict[str, Any], words: tuple[str, ...]
) -> None:
    check_advice(rule, harm, parts, words)


def test_a_cue_is_advised_once_with_the_advice_of_its_strongest_class() -> None:
    rows = [
        shortcut("format", strength=0.5, **{"class": "fibre", "advice": "Weaker."}),
        shortcut("size", strength=0.6, advice="Cut them alike."),
        shortcut("format", strength=0.9, advice="Export all as PNG."),
        shortcut("brightness", "picture"),
        shortcut("border", "picture"),
    ]
    found = advised(changed(shortcuts=rows))
    assert [item["harm"] for item in found] == ["high", "high", "medium"]
    assert found[0]["title"] == "“the file format” gives the class away: “fibre”, “plate”"
    assert [item["do"] for item in found[:2]] == ["Export all as PNG.", "Cut them alike."]
    assert "“brightness”, “border”" in found[2]["title"]


def test_cues_that_tell_the_same_class_are_one_advice() -> None:
    rows = [
        shortcut("format", strength=0.9, advice="The format tells plate apart. Export alike."),
        shortcut("compression", strength=0.8, advice="The compression tells plate apart. Export alike."),
        shortcut("day", strength=0.7, advice="The day tells plate apart. Mix the days."),
    ]
    (advice,) = advised(changed(shortcuts=rows))
    assert advice["title"] == "“the file format”, “compression”, “day” give the class away: “plate”"
    assert advice["do"] == "The format tells plate apart. Export alike. The day tells plate apart. Mix the days."
