"""Why a label is in doubt, in words."""

from __future__ import annotations

from graticule.label_errors.words import caveat, copy_words, evidence

ROW = {"label": "cat", "suggested": "dog", "p_label": 0.1, "p_suggested": 0.85, "neighbours": None, "copies": []}


def test_evidence_names_copies_scores_and_neighbours() -> None:
    near = {"n": 9, "labels": {"dog": 7, "cat": 1}, "nearest": []}
    copy = {"path": "b.png", "label": "dog", "similarity": 0.912}
    assert evidence(ROW) == "model: dog 0.85, cat 0.10"
    assert evidence(ROW | {"neighbours": near, "copies": [copy]}) == (
        "near-duplicate (0.91) of b.png, labelled dog; model: dog 0.85, cat 0.10; "
        "of 9 similar images 1 are labelled cat and 7 dog"
    )
    assert copy_words(copy | {"similarity": None}) == "same pixels as b.png, labelled dog"


def test_a_label_that_only_copies_contradict_is_told_once() -> None:
    assert evidence(ROW | {"suggested": "cat"}) == "model: cat 0.10"


def test_a_weak_model_is_said_to_be_one() -> None:
    assert caveat({"agreement": 0.95, "wrong_labels": {"value": 0.04}}) == ""
    assert "about 26 % of the images" in caveat({"agreement": 0.7, "wrong_labels": {"value": 0.04}})
