"""The page of doubtful labels: the answer follows the numbers, and each picture is read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graticule.errors import ImageError
from graticule.report.label_errors.page import (
    PAIRS,
    SHOWN,
    label_error_tiles,
    label_error_verdict,
    points,
    range_words,
    render_label_errors,
    score_words,
)


def row(rank: int, **more: Any) -> dict[str, Any]:
    plain = {"rank": rank, "path": f"{rank}.png", "label": "<i>a", "suggested": "b", "score": 0.9, "p_label": 0.1}
    return plain | {"p_suggested": 0.8, "neighbours": None, "copies": [], "evidence": "model: b 0.80"} | more


def document(errors: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """label_errors.json of 500 labels."""
    wrong = {"value": 0.052, "low": 0.04, "high": 0.065, "level": 0.95, "n_clear": 400, "n_contradicted": 20}
    wrong |= {"method": "clear images", "clear_part": 0.5}
    rates = {"value": 5.0, "low": 2.0, "high": 9.0}
    pair = {"label": "<i>a", "suggested": "b", "listed": 3, "estimated": rates, "n_clear": 90, "n_contradicted": 4}
    n_conflicts = sum(bool(one["copies"]) for one in errors)
    return {
        "graticule_version": "1", "created_utc": "2026-01-02T03:04:05Z", "run": "runs/first", "root": "my images",
        "n": 500, "n_held_out": 0, "n_unlabelled": 0, "classes": ["<i>a", "b"], "agreement": 0.93, "cut_off": 0.5,
        "n_listed": len(errors), "n_conflicts": n_conflicts, "conflict_sets": n_conflicts // 2, "wrong_labels": wrong,
        "pairs": [pair] * (PAIRS + 2), "pool": {"scores": 1.0, "neighbours": 0.5}, "errors": errors,
        "n_described": len(errors),
    } | more  # fmt: skip


def render(errors: list[dict[str, Any]], **more: Any) -> tuple[str, list[str]]:
    """The page, and which files were read."""
    asked: list[str] = []

    def read(file: Path) -> Any:
        asked.append(file.name)
        if file.name == "2.png":
            raise ImageError("2.png", "ends early")
        return np.zeros((30, 40, 3), np.uint8)

    return render_label_errors(
        document(errors, **more), read, lambda path: None if path == "3.png" else Path(path)
    ), asked


def test_pictures_are_read_once_and_those_that_lack_are_counted() -> None:
    near = {"n": 3, "labels": {"b": 3}, "nearest": [{"path": "1.png", "label": "b"}]}
    text, asked = render([row(1), row(2), row(3), row(4, neighbours=near)])
    assert sorted(asked) == ["1.png", "2.png", "4.png"]
    assert "Of 2 the file was moved or cannot be read" in text
    assert "3 similar images of other folds: b 3" in text
    assert "<i>a" not in text
    assert "--root &#39;my images&#39;" in text


def test_a_set_of_copies_is_shown_once() -> None:
    copies = [
        [{"path": "2.png", "label": "b", "similarity": None}],
        [{"path": "1.png", "label": "<i>a", "similarity": None}],
    ]
    text, _ = render([row(1, copies=copies[0]), row(2, copies=copies[1]), row(5)])
    assert text.count('class="rank"') == 2
    assert "Begin with the picture that has two labels." in text


def test_a_long_list_is_cut_and_the_rest_is_counted() -> None:
    text, _ = render([row(i) for i in range(10, 10 + SHOWN + 30)])
    assert text.count('class="rank"') == SHOWN
    assert "30 more are in label_errors.csv" in text
    assert f"The first {PAIRS} of {PAIRS + 2}" in text


def test_the_verdict_and_tiles_follow_the_numbers() -> None:
    words, act = label_error_verdict(document([row(1)]))
    assert act
    assert words.startswith(
        "About 5.2\u202f% of the 500 labels are wrong (95\u202f% interval 4.0\u202f% to 6.5\u202f%)"
    )
    assert "1 label is listed below" in words
    few = document([])
    few["wrong_labels"] = few["wrong_labels"] | {"low": None, "high": None}
    words, act = label_error_verdict(few)
    assert (act, "interval" in words) == (False, False)
    tiles = {name: (value, note) for name, value, note in label_error_tiles(few)}
    assert tiles["Wrong, estimated"] == ("26", "too few groups for an interval")
    assert label_error_tiles(document([]))[1][2] == "20 to 32"


@pytest.mark.parametrize(("share", "words"), [(0.052, "5.2"), (0.0004, "0.04"), (0.0, "0.0"), (1.0, "100.0")])
def test_a_share_keeps_its_digits(share: float, words: str) -> None:
    assert points(share) == f"{words}\u202f%"


def test_a_score_is_never_certain_and_a_number_of_labels_is_whole() -> None:
    assert [score_words(score) for score in (0.5, 0.994, 0.995, 1.0)] == ["0.50", "0.99", "> 0.99", "> 0.99"]
    assert range_words({"value": 12.4, "low": 7.6, "high": 18.2}) == "12 (8 to 18)"
    assert range_words({"value": 1234.0, "low": None, "high": None}) == "1,234"
