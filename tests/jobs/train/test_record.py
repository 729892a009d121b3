"""run.json of a training run: it tells of the data, the division and what a reader must know."""

from __future__ import annotations

import json
from pathlib import Path

from tests.made_samples import folds_of

from graticule.jobs.train.record import openings
from graticule.split.division import Division


def test_the_record_tells_what_was_trained_on_what(trained: Path, table: Path) -> None:
    record = json.loads((trained / "run.json").read_text())
    assert record["command"].startswith("graticule train ")
    assert record["options"]["data"] == str(table)
    data = record["data"]
    assert (data["n"], data["classes"]) == (90, {"a": 30, "b": 30, "c": 30})
    assert (data["group_column"], data["n_groups"]) == ("group", 30)
    assert (record["folds"]["k"], record["folds"]["test_size"]) == (3, 0.2)
    assert record["embedding"]["weights_sha256"] == "0" * 64
    assert (record["embedding"]["backbone"], record["training"], record["leaks"]) == ("drawn", None, [])


def test_training_opens_the_held_out_part_where_there_is_one() -> None:
    assert openings(Division(folds_of(["cv"] * 3, [0, 1, 2]), [], []), "ab") == []
    (first,) = openings(Division(folds_of(["cv", "cv", "test"], [0, 1, -1]), [], []), "ab")
    assert (first["verb"], first["model_sha256"]) == ("train", "ab")
