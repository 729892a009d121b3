"""Each rule speaks of what it is about, and a clean document gets one entry."""

import pytest
from tests.audit.value_clean import SPREAD, TARGET, cue, value_document

from graticule.audit.rules import NOTHING
from graticule.audit.value_rules import explained, recommend_for_values


def rules(**parts: object) -> list[tuple[str, str]]:
    return [(item.rule, item.harm) for item in recommend_for_values(value_document(**parts))]


def test_nothing_is_found_in_a_clean_document() -> None:
    (only,) = recommend_for_values(value_document())
    assert only.rule == NOTHING
    assert "--target fraction" in only.do


def test_an_acquisition_cue_is_graver_than_the_look_of_the_picture() -> None:
    found = recommend_for_values(value_document(cues=[cue("brightness", "picture", 0.9), cue("info bar")]))
    assert [(item.rule, item.harm) for item in found] == [("cues", "high"), ("cues", "medium")]
    assert "The info bar" in found[0].title
    assert "R² 0.85 [0.75, 0.95]" in found[0].title
    assert "explains 85 %" in found[0].why
    assert found[1].do == "Mind brightness."


def test_a_number_that_is_the_crop_size_is_said_once() -> None:
    assert rules(cues=[cue("image size", "picture", 0.97)]) == [("crop_size", "high")]
    assert rules(cues=[cue("image size", "picture", 0.5)]) == [("cues", "medium")]


@pytest.mark.parametrize(
    ("column", "slope", "high", "r2", "expected"),
    [
        ("diameter_um", 1.1, 300.0, 0.0, [("physical_units", "high")]),
        ("size", 1.0, 300.0, 0.7, [("physical_units", "high")]),
        ("diameter_um", 1.1, 11.0, 0.0, [(NOTHING, "low")]),  # one magnification
        ("diameter_px", 0.0, 300.0, 0.0, [(NOTHING, "low")]),
        ("diameter_um", None, 300.0, 0.0, [(NOTHING, "low")]),
        ("size", 0.1, 300.0, 0.7, [("cues", "high")]),  # told by magnification, but no length
    ],
)
def test_a_length_under_varying_magnification(
    column: str, slope: float | None, high: float, r2: float, expected: list[tuple[str, str]]
) -> None:
    scale = {"low": 10.0, "high": high, "slope": slope}
    target = TARGET | SPREAD | {"column": column}
    assert rules(target=target, scale=scale, cues=[cue("pixel size", "acquisition", r2)]) == expected


def test_two_numbers_leaks_few_groups_and_variance_between_groups_are_told() -> None:
    two = {"n": 2, "images": 4, "exact": 1, "near": 1}
    found = recommend_for_values(value_document(components={**two, "two_labels": two}))
    assert found[0].title.startswith("One picture, two numbers: 4 images in 2 families")
    leak = {"kind": "group", "parts": ["train", "test"], "what": "lot 3", "n": 9}
    assert rules(leaks=[leak])[0] == ("leaks", "high")
    assert rules(groups={"column": "lot", "n": 4, "per_class": {}}) == [("few_groups", "medium")]
    assert rules(target=TARGET | SPREAD | {"between_groups": 0.64}) == [("between_groups", "low")]


def test_limits_stand_only_where_there_are_any() -> None:
    assert explained(cue("day", low=None, high=None)) == "R² 0.85"
