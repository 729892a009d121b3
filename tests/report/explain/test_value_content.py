"""What the page of a number explained says: which part told how much, and no more trust than the checks give."""

from __future__ import annotations

from typing import Any

import pytest
from tests.report.explain.test_content import figure

from graticule.report.explain.value_content import (
    Added,
    border_words,
    explained_value_verdict,
    family_rows,
    statistic_rows,
    tile_words,
    told_words,
    value_check_rows,
    value_plots,
)

CURVES = {
    "deletion": [0.9, 0.5, 0.2], "insertion": [0.2, 0.7, 0.9],
    "random_deletion": [0.9, 0.8, 0.2], "random_insertion": [0.2, 0.3, 0.9],
}  # fmt: skip


def checks(deletion: float = 0.2, signed: float = 0.0) -> dict[str, Any]:
    gain = {"deletion": figure(deletion), "insertion": figure(0.2)}
    weights = [{"destroyed": "head", "signed": figure(signed), "absolute": figure(0.3)}]
    return {"fidelity": {"n": 12, "gain": gain, "curves": CURVES}, "randomised_weights": weights}


def document(**more: Any) -> dict[str, Any]:
    statistics = {
        "by_family": {"share in the peak": 0.1, "order and higher moments": -0.3},
        "single": [
            {"name": "x", "words": "order S", "value": 0.5, "average": 0.7, "deviation": 0.1, "amount": -0.2},
        ],
    }
    row = {
        "path": "a<b>.png", "predicted": 0.4, "overlay": "maps/00000.png", "border_share": 0.2,
        "told": {"network": 0.1, "orientation": -0.2}, "statistics": statistics,
    }  # fmt: skip
    return {
        "graticule_version": "0.1.0", "created_utc": "2026-01-02T03:04:05Z", "run": "run", "target": "fraction",
        "unit": "", "scale": "linear", "per_pixel_size": False, "method": "hirescam", "baseline": "training",
        "average": 0.5, "n": 3, "n_explained": 2, "parts": ["network", "orientation"],
        "border": {"share": 0.2, "area": 0.23}, "rows": [row, row | {"predicted": 0.9}],
        "told": {"network": 0.1, "orientation": 0.3}, "told_by_family": {"peak": 0.1, "order": 0.3},
        "checks": {"network": checks(), "orientation": checks()},
    } | more  # fmt: skip


def test_the_part_that_told_most_stands_first() -> None:
    assert "75 % the orientation statistics, 25 % the network" in told_words(document())
    assert told_words(document(told={"network": 0.2})) == ""
    assert told_words(document(told=None)) == ""


def test_each_part_is_trusted_by_its_own_checks() -> None:
    answer, bad = explained_value_verdict(document())
    assert not bad
    assert "The maps of the network mark places" in answer
    assert "The maps of the orientation statistics mark places" in answer
    answer, bad = explained_value_verdict(
        document(checks={"network": checks(signed=0.6), "orientation": checks(deletion=-0.2)})
    )
    assert bad
    assert "Do not trust the maps of the network: they are much the same without what was learnt" in answer
    assert "orientation statistics: leaving out what they mark counts less than leaving out random places" in answer
    answer, bad = explained_value_verdict(document(checks={"orientation": checks(deletion=0.01)}))
    assert not bad
    assert "do not all confirm the maps:" in answer
    said = value_check_rows(document())
    assert {part for part, *_ in said} == {"network", "orientation statistics"}
    assert any("leaving out what the map marks counts more" in meaning for *_, meaning in said)


def test_amounts_are_differences_or_factors() -> None:
    about = document()
    added = Added.of(about)
    assert tile_words(about["rows"][0], about, added) == [
        ("average picture", "0.500"), ("network", "+0.100"), ("orientation statistics", "−0.200"),
    ]  # fmt: skip
    factor = Added.of(document(scale="log", unit="nm"))
    assert factor(0.0953) == "× 1.10"
    assert factor.number(0.0).startswith("1.000")
    assert tile_words(about["rows"][0] | {"told": None}, about, added) == []


def test_statistics_of_a_picture() -> None:
    row = document()["rows"][0]
    added = Added.of(document())
    assert statistic_rows(row, added) == [{"words": "order S", "value": "0.5", "from": "−2.0", "amount": "−0.20000"}]
    assert [name for name, _ in family_rows(row, added)] == ["order and higher moments", "share in the peak"]
    assert statistic_rows(row | {"statistics": None}, added) == []


def test_curves_of_each_part() -> None:
    about = document()
    plots = value_plots(about, Added.of(about))
    assert [(part, which) for part, which, _ in plots] == [
        ("network", "deletion"), ("network", "insertion"),
        ("orientation statistics", "deletion"), ("orientation statistics", "insertion"),
    ]  # fmt: skip
    assert "Mean number during deletion" in plots[0][2]


@pytest.mark.parametrize(
    ("share", "words"), [(0.2, "does not draw the eye"), (0.6, "cut or framed"), (None, "maps are empty")]
)
def test_words_on_the_border(share: float | None, words: str) -> None:
    assert words in border_words(document(border={"share": share, "area": 0.23}))
