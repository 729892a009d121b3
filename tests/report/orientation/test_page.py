"""The page of directions is whole, says what coherency is not, and shows odd names as they are."""

from typing import Any

import numpy as np

from graticule.directions.verdict import VERDICTS
from graticule.report.orientation.content import PictureTile
from graticule.report.orientation.page import render_directions


def summary(**more: Any) -> dict[str, Any]:
    return {
        "graticule_version": "0",
        "created_utc": "2026-12-01T00:00:00Z",
        "images": "folder",
        "options": {"method": "tensor", "sigma": 1.5, "direction": None},
        "command": "graticule orientation folder --out out",
        "packages": {"numpy": "2"},
        "n": 1,
        "n_unreadable": 0,
        "verdicts": dict.fromkeys(VERDICTS, 0) | {"no structure": 1},
        "n_info_bars_cut": 0,
        "n_scales_disagree": 0,
        "warnings": [],
        "wall_time_s": 1.0,
    } | more


def test_a_page_of_nothing_is_a_page() -> None:
    page = render_directions(summary(n_unreadable=1), [])
    assert "No image could be measured." in page
    assert "could not be measured; failures.csv says why" in page
    assert page.count("does not measure alignment") == 2


def test_names_from_outside_are_text() -> None:
    figures = dict.fromkeys(
        [
            *(
                f"{name}{end}"
                for name in ("direction", "share", "spread", "order", "fourth", "deviation", "goodness", "used")
                for end in ("", "_low", "_high")
            ),
            *(f"lgo_{name}" for name in ("direction", "dispersion", "amount", "corrected")),
            *("order_sigma1.5", "share_sigma1.5", "order_by_energy", "share_by_energy", "coherency"),
        ],
        np.nan,
    )
    tile = PictureTile(
        "<b>/x.png", "no structure", ("Nothing <here>.",), figures, np.zeros(180), np.zeros(180), "data:,"
    )
    page = render_directions(summary(), [tile])
    assert "<b>/x" not in page
    assert "&lt;b&gt;" in page
    assert "Nothing &lt;here&gt;." in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
