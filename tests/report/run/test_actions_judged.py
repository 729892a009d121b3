"""Decisions held against labels, in words."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.report.run.actions_judged import (
    held_out_words,
    judged_answer,
    judged_calibration,
    judged_novelty,
    judged_sets,
    kept_words,
    specimen_content,
)


def figure(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high}


def acceptance(said: str | None, accepted: int = 80) -> dict[str, Any]:
    return {"rule": {"target": 0.99}, "accepted": accepted, "accuracy": figure(0.975, 0.91, 0.997), "target": said}


def decided(accept: float, review: float, reject: float) -> dict[str, Any]:
    return {"accept": figure(accept), "review": figure(review), "reject": figure(reject)}


def test_the_answer_counts_a_thousand_images() -> None:
    words = judged_answer({"acceptance": acceptance("open"), "decisions": decided(0.8, 0.15, 0.05)})
    assert words.startswith("Of 1,000 images like these, about 800 are accepted without a look, 97.5")
    assert "150 go to a person and 50 are rejected" in words
    none = judged_answer({"acceptance": acceptance(None, 0), "decisions": decided(0.0, 1.0, 0.0)})
    assert none.startswith("Of 1,000 images like these none is accepted")


@pytest.mark.parametrize(
    ("said", "words"),
    [("kept", "kept."), ("open", "inside the interval"), ("missed", "not kept."), (None, "10 groups")],
)
def test_what_is_said_of_the_target(said: str | None, words: str) -> None:
    assert words in kept_words(acceptance(said))
    assert kept_words(acceptance(said, 0)) == ""


def test_too_many_false_rejects_are_called_a_difference_of_the_images() -> None:
    novelty = {"alpha": 0.01, "rejected": 12, "n": 100, "share": figure(0.12, 0.07, 0.2)}
    assert "these images differ from the training images" in judged_novelty(novelty)
    usual = novelty | {"rejected": 1, "share": figure(0.01, 0.0, 0.05)}
    assert "differ" not in judged_novelty(usual)
    assert "not known" in judged_novelty(None)


def test_the_lowest_class_of_the_sets_is_named() -> None:
    classes = {"a": {"coverage": 0.97, "low": None, "high": None}, "b": {"coverage": 0.9, "low": 0.8, "high": 0.96}}
    sets = [{"level": 0.95, "coverage": 0.94, "low": 0.9, "high": 0.97, "size": 1.2, "per_class": classes}]
    (words,) = judged_sets(sets)
    assert "of the class b, the lowest" in words
    assert judged_sets([sets[0] | {"coverage": None}]) == []


def test_calibration_that_changed_nothing_is_not_given_a_number() -> None:
    change = figure(0.0, 0.0, 0.0)
    assert judged_calibration({"method": "none", "log_loss_change": change}).startswith("Calibration: none")
    moved = judged_calibration({"method": "vector", "log_loss_change": figure(-0.02, -0.03, -0.01)})
    assert "-0.0200 (-0.0300 to -0.0100)" in moved


def test_a_held_out_part_that_was_not_judged_is_passed_over() -> None:
    assert held_out_words(None) == held_out_words({"n": 12}) == []
    words = held_out_words({"n": 100, "acceptance": acceptance("kept"), "novelty": None, "sets": []})
    assert len(words) == 1
    assert words[0].startswith("Of 100 held-out images 80 were accepted")


def test_specimens_without_a_single_label_have_no_table() -> None:
    found = {"n_specimens": 0, "n_mixed_labels": 3, "n_without": 0, "majority": None, "mean_score": None, "wrong": []}
    assert specimen_content(found) is None
    assert specimen_content(None) is None
    told = specimen_content(found | {"n_specimens": 4})
    assert told is not None
    assert told["notes"] == ["3 specimens have images of several classes and are not judged"]
