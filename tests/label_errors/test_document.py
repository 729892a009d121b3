"""label_errors.json and the list: entries by suspicion, copies beside each other, estimates per pair of classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.label_errors.test_judged import WRONG, N, judged, planted

from graticule.arrays import object_array
from graticule.label_errors.document import describe_errors, error_rows, listed_paths
from graticule.predictions import Predictions

COPY = (20, 21)


@pytest.fixture(scope="module")
def found() -> tuple[Any, Any]:
    """The cross-validated images with a picture under two labels among them, and the verdict."""
    samples, folds, proba = planted()
    proba[COPY[1]] = proba[COPY[0]]
    info = list(samples.info)
    info[COPY[1]] = replace(info[COPY[1]], pixel_sha256=info[COPY[0]].pixel_sha256)
    samples = replace(samples, info=info)
    manifest = samples.manifest
    part = object_array(["cv"] * N)
    scored = Predictions(manifest.sample_id, manifest.path, part, folds.fold, manifest.label, ("a", "b", "c"), proba)
    told = {"data": {"n_unlabelled": 2}}
    made = SimpleNamespace(record=told, everything=manifest, manifest=manifest, predictions=scored, n_held_out=7)
    return made, judged(samples, folds, proba)


def test_the_most_suspect_stand_first_with_their_evidence(found: tuple[Any, Any]) -> None:
    rows = error_rows(*found)
    assert [row["rank"] for row in rows] == list(range(1, N + 1))
    assert {row["path"] for row in rows[:2]} == {f"{i:03d}.png" for i in COPY}
    assert [copy["path"] for copy in rows[0]["copies"]] == [rows[1]["path"]]
    assert rows[0]["copies"][0]["similarity"] is None
    assert {row["path"] for row in rows[2:7]} == {f"{i:03d}.png" for i in WRONG}
    scores = [row["score"] for row in rows[2:]]
    assert scores == sorted(scores, reverse=True)
    for row in rows[2:7]:
        assert row["copies"] == []
        assert row["neighbours"]["labels"].get(row["suggested"], 0) > row["neighbours"]["labels"].get(row["label"], 0)
        assert row["evidence"].startswith(f"model: {row['suggested']} ")


def test_a_limit_keeps_listed_ones_alone(found: tuple[Any, Any]) -> None:
    n = int(found[1].errors.listed.sum())
    assert len(error_rows(*found, limit=3)) == 3
    assert len(error_rows(*found, limit=10_000)) == n == len(listed_paths(*found))


def test_the_document_counts_what_the_list_holds(found: tuple[Any, Any]) -> None:
    told = describe_errors(Path("run"), *found)
    assert (told["n"], told["n_held_out"], told["n_unlabelled"]) == (N, 7, 2)
    assert (told["n_conflicts"], told["conflict_sets"]) == (2, 1)
    assert told["n_listed"] == told["n_described"] == len(told["errors"])
    assert told["wrong_labels"]["low"] <= told["wrong_labels"]["value"] <= told["wrong_labels"]["high"]
    listed = [pair["listed"] for pair in told["pairs"]]
    assert listed == sorted(listed, reverse=True)
    assert sum(listed) == int((found[1].errors.score >= told["cut_off"]).sum())
    # each planted label is the next class's in place of the true one
    assert {(pair["label"], pair["suggested"]) for pair in told["pairs"][:3]} <= {("b", "a"), ("c", "b"), ("a", "c")}
    for pair in told["pairs"]:
        assert pair["estimated"]["low"] <= pair["estimated"]["value"] <= pair["estimated"]["high"]
