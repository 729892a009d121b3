"""Rows, cards and the answer of the page of directions."""

import numpy as np
import pytest
from tests.directions.scenes import wires

from graticule.directions.lgo import local_gradient_orientation
from graticule.directions.measure import measure_directions, sigmas_of
from graticule.directions.row import columns_of, numbers_of
from graticule.report.orientation.content import (
    PictureTile,
    answer_on_directions,
    direction_cards,
    headline,
    limited,
    scale_table,
    table_of,
)


@pytest.fixture(scope="module")
def tile() -> PictureTile:
    """One picture, measured by all methods."""
    picture = wires(30, share=0.7)
    found = measure_directions(picture, along=30.0)
    row = numbers_of(found, local_gradient_orientation(picture), local_gradient_orientation(picture, as_shipped=True))
    names = columns_of(sigmas_of(1.5), along=True, shipped=True)
    figures = found.figures
    return PictureTile(
        "a/b.png",
        found.verdict,
        ("Said.",),
        dict(zip(names, row, strict=True)),
        figures.distribution,
        figures.fitted,
        "",
    )


def counted(n: int, unreadable: int = 0, **verdicts: int) -> dict[str, object]:
    names = {"one": "direction", "two": "two directions", "none": "no preferred direction", "empty": "no structure"}
    found = {name: verdicts.get(short, 0) for short, name in names.items()}
    return {"n": n, "n_unreadable": unreadable, "verdicts": found, "n_scales_disagree": 1}


def test_the_answer_is_one_sentence() -> None:
    assert answer_on_directions(counted(1, one=1)) == "The image has a preferred direction."
    assert answer_on_directions(counted(1, none=1)) == "The image has no preferred direction."
    assert answer_on_directions(counted(3, one=2, two=1)) == "All 3 images have a preferred direction."
    assert answer_on_directions(counted(4, 1, one=2, empty=1)).startswith("2 of 3 images have")
    assert answer_on_directions(counted(2, 2)) == "No image could be measured."


def test_cards_and_cells(tile: PictureTile) -> None:
    cards = direction_cards(counted(1, one=1), [tile])
    assert cards[0][1] == "1"
    assert cards[4][1] == f"{tile.figures['share']:.2f}"
    assert direction_cards(counted(1, empty=1), [])[4][1] == "–"
    value, span = limited(tile.figures, "direction", "°")
    assert value.endswith("°")
    assert " to " in span
    assert limited({"x": np.nan, "x_low": np.nan, "x_high": np.nan}, "x") == ("–", "")


@pytest.mark.parametrize(
    ("method", "first"), [("tensor", "Direction"), ("lgo", "LGO direction"), ("lgo-fiji", "Fiji direction")]
)
def test_the_method_asked_for_leads(tile: PictureTile, method: str, first: str) -> None:
    table = table_of([tile], method, along=True)
    assert table.titles[0] == first
    assert "Along" in table.titles
    assert len(table.rows[0][1]) == len(table.titles)
    titles, rows = headline([dict(tile.figures) | {"path": "a", "verdict": "direction"}], method)
    assert titles[0] == first.lower()
    assert len(rows[0]) == len(titles) + 1


def test_scales_stand_beside_mean_coherency(tile: PictureTile) -> None:
    table = scale_table([tile])
    assert table.titles[:4] == [f"S, sigma {sigma}" for sigma in ("1", "1.5", "2.5", "4")]
    assert table.titles[-1] == "Mean coherency"
    assert scale_table([]).rows == []
