"""How images are to be read: ranges, and what plane, channels and page become."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.errors import OptionError
from graticule.formats.selection import Selection
from graticule.images.options import ReadingOptions, parse_window


@pytest.mark.parametrize("text", ["", "5", "9:1", "1:1", "a:b", "nan:1", "0:inf", "bright"])
def test_requests_that_mean_nothing(text: str) -> None:
    told = f"--intensity {text}: allowed are auto, full, percentile, image, or LOW:HIGH such as 0:4095"
    with pytest.raises(OptionError) as caught:
        parse_window(text)
    assert [str(caught.value)] == ReadingOptions(intensity=text).faults() == [told]


@pytest.mark.parametrize("text", ["auto", "full", "percentile", "image", "0:4095", "-0.5:1e3"])
def test_requests_that_mean_something(text: str) -> None:
    assert ReadingOptions(intensity=text).faults() == []


def test_a_window_is_two_numbers() -> None:
    assert parse_window("-0.5:1e3") == (-0.5, 1000.0)


@pytest.mark.parametrize(
    ("given", "selection"),
    [
        ({}, Selection()),
        ({"z": "max", "page": 0}, Selection(z="max", page=0)),
        ({"z": "12"}, Selection(z=12)),
        ({"channel": "3"}, Selection(channel=(3,))),
        ({"channel": "2, 1,0"}, Selection(channel=(2, 1, 0))),
    ],
)
def test_plane_channels_and_page(given: dict[str, Any], selection: Selection) -> None:
    assert ReadingOptions(**given).selection() == selection


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"z": "-1"}, "--z -1: allowed are whole numbers from 0, or max"),
        ({"z": "last"}, "--z last: allowed are whole numbers from 0, or max"),
        ({"channel": "1,2"}, "--channel 1,2: allowed are one or three numbers from 0, such as 0 or 2,1,0"),
        ({"channel": "a"}, "--channel a: allowed are one or three numbers from 0, such as 0 or 2,1,0"),
        ({"page": -1}, "--page -1: allowed are whole numbers from 0"),
        ({"info_bar": "cut"}, "--info-bar cut: allowed are crop, keep"),
        ({"marks": "crop"}, "--marks crop: allowed are keep, mask"),
        ({"scale": "px"}, "--scale px: allowed are squeeze, physical"),
    ],
)
def test_faults(given: dict[str, Any], told: str) -> None:
    assert ReadingOptions(**given).faults() == [told]
    with pytest.raises(OptionError, match=f"^{told}$"):
        ReadingOptions(**given).selection()
