"""What the page of explanations says of its checks: the headline never approves what a row condemns."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.report.explain.content import check_rows, explain_tiles, explain_verdict


def figure(value: float, half: float | None = 0.05) -> dict[str, Any]:
    """A mean with its interval; None: of too few images."""
    low, high = (None, None) if half is None else (value - half, value + half)
    return {"value": value, "low": low, "high": high, "n": 12 if half is not None else 5}


def exchanged(*, drawn: bool = False, enough: bool = True) -> list[dict[str, Any]]:
    """The verdicts of one region."""
    over_all = {"class": None, "n": 40, "share": 0.05, "control": 0.04, "p": 0.5, "enough": enough, "drawn": drawn}
    return [over_all, over_all | {"class": "disc", "n": 9, "enough": False}]


def document(
    *,
    deletion: dict[str, Any] | None = None,
    insertion: dict[str, Any] | None = None,
    signed: dict[str, Any] | None = None,
    regions: dict[str, Any] | None = None,
    no_room: dict[str, int] | None = None,
    pairs: int = 40,
    **more: Any,
) -> dict[str, Any]:
    """explain.json of maps that all checks confirm, but for what is given."""
    checks = {
        "fidelity": {
            "n": 12,
            "gain": {"deletion": deletion or figure(0.15), "insertion": insertion or figure(0.1)},
        },
        "attention": {"border": figure(0.2) | {"area": 0.23}, "info_bar": None},
        "randomised_weights": [{"destroyed": "head", "signed": signed or figure(0.02), "absolute": figure(0.3)}],
        "exchange": {
            "pairs": pairs,
            "no_room": no_room or {},
            "regions": {"border": exchanged()} if regions is None else regions,
        },
    }
    plain = {"warnings": [], "checks": checks, "accuracy": None, "n_labelled": 0, "other_labels": []}
    return plain | {"n": 60, "n_explained": 40} | more


def meanings(found: dict[str, Any]) -> dict[str, str]:
    return {name: meaning for name, _, meaning in check_rows(found)}


def test_maps_that_all_checks_confirm_are_approved() -> None:
    answer, bad = explain_verdict(document())
    assert not bad
    assert answer.startswith("The maps mark places that the model relies on, and the border does not stand out. ")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"insertion": figure(-0.1)}, "bringing back what they mark counts less"),
        ({"deletion": figure(-0.1)}, "blurring away what they mark counts less"),
        ({"signed": figure(0.6)}, "much the same without what was learnt"),
    ],
)
def test_maps_that_a_check_condemns_are_not_trusted(fault: dict[str, Any], said: str) -> None:
    answer, bad = explain_verdict(document(**fault))
    assert bad
    assert answer.startswith("Do not trust these maps: ")
    assert said in answer
    assert sum("do not trust these maps" in meaning for meaning in meanings(document(**fault)).values()) == 1


@pytest.mark.parametrize(
    "doubt",
    [
        {"deletion": figure(0.01)},
        {"deletion": figure(0.2, None)},
        {"signed": figure(-0.6)},
        {"signed": figure(0.0, None)},
        {"regions": {"border": exchanged(enough=False)}},
        {"regions": {}, "pairs": 0},
    ],
)
def test_maps_that_a_check_leaves_in_doubt_are_neither_approved_nor_condemned(doubt: dict[str, Any]) -> None:
    answer, bad = explain_verdict(document(**doubt))
    assert not bad
    assert "do not all confirm the maps" in answer


def test_a_warning_stands_above_all() -> None:
    answer, bad = explain_verdict(document(warnings=["The border draws the model"]))
    assert bad
    assert "looks where it should not" in answer


def test_only_regions_that_were_judged_are_cleared() -> None:
    few = document(regions={"border": exchanged(), "info bar": exchanged(enough=False)})
    assert "the border does not stand out (the info bar could not be judged)" in explain_verdict(few)[0]
    assert meanings(few)["exchange of the info bar"] == "40 pairs are too few to tell"
    assert meanings(few)["exchange of the border"] == "no sign that it draws the model"
    both = document(regions={"border": exchanged(), "info bar": exchanged()})
    assert "neither border nor info bar stands out." in explain_verdict(both)[0]
    tall = document(no_room={"info bar": 40})
    assert "the border does not stand out (the info bar could not be judged)" in explain_verdict(tall)[0]
    assert "no room for a strip of its size" in meanings(tall)["exchange of the info bar"]


def test_one_class_is_said_only_where_there_is_one() -> None:
    assert "given one class" in meanings(document(regions={}, pairs=0))["exchange of the border"]
    assert "given one class" not in meanings(document(regions={}, pairs=3))["exchange of the border"]


@pytest.mark.parametrize(
    ("signed", "said"),
    [
        (figure(0.24), "depend on what was learnt"),
        (figure(-0.24), "depend on what was learnt"),
        (figure(0.25), "much the same"),
        (figure(-0.25), "turn round"),
        (figure(0.9, None), "too few images to tell"),
    ],
)
def test_words_of_destroyed_weights(signed: dict[str, Any], said: str) -> None:
    assert said in meanings(document(signed=signed))["randomised weights"]


def test_tiles_say_what_is_compared_and_why_no_label_is() -> None:
    found = {name: (value, note) for name, value, note in explain_tiles(document(deletion=figure(-0.15)))}
    assert found["Deletion"] == ("−0.15", "against random order; above 0 is better")
    assert found["Agreement with labels"] == ("–", "no labels given")
    other = explain_tiles(document(other_labels=["Fibre", "Plate"]))
    assert other[1] == ("Agreement with labels", "–", "none of the labels (Fibre, Plate) is a class of the model")
