"""What explanations of a number leave on disk: a picture for each part, an index, and means over the pictures."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from graticule.directions.features import feature_names
from graticule.explain.image import Seen
from graticule.explain.traced import Traced
from graticule.jobs.explain.value_outputs import write_explained

N = len(feature_names())


def traced(told: tuple[float, float]) -> Traced:
    by_statistic = np.zeros(N)
    by_statistic[[3, 40]] = told[1] / 2
    seen = Seen(np.full((32, 32, 3), 90, np.uint8), np.array([40.0, 20.0]), (20, 40), None)
    maps = {"network": np.eye(4), "orientation": -np.ones((7, 7))}
    rest = np.full((37, N), 0.5, np.float32)
    names = {"network": told[0], "orientation": told[1]}
    return Traced(seen, np.zeros(3 + N), maps, names, by_statistic, np.full(N, 0.25), rest)


def test_both_parts_of_each_picture(tmp_path: Path) -> None:
    found = [traced((0.1, -0.4)), "gone", traced((-0.3, 0.2))]
    document, tiles = write_explained(
        tmp_path, ["a.png", "b.png", "=c"], np.array([0.9, 0.5, 0.1]), found, np.full(N, 0.1)
    )
    assert document["n_explained"] == len(tiles) == 2
    assert document["told"] == {"network": pytest.approx(0.2), "orientation": pytest.approx(0.3)}
    assert sum(document["told_by_family"].values()) == pytest.approx(0.3)
    files = ["00000-orientation.png", "00000.png", "00001-orientation.png", "00001.png"]
    assert sorted(file.name for file in (tmp_path / "maps").iterdir()) == files
    with (tmp_path / "maps.csv").open(encoding="utf-8", newline="") as stream:
        first, second = csv.DictReader(stream)
    assert (first["overlay"], first["orientation_overlay"]) == ("maps/00000.png", "maps/00000-orientation.png")
    assert (float(first["network_told"]), float(first["orientation_told"])) == (0.1, -0.4)
    assert second["path"] != "=c"  # a spreadsheet would run it
    single = document["rows"][0]["statistics"]["single"]
    assert {one["name"] for one in single[:2]} == {feature_names()[3], feature_names()[40]}
    assert single[0] | {"name": "", "words": ""} == {
        "name": "", "words": "", "value": 0.5, "average": 0.25, "deviation": 0.1, "amount": -0.2,
    }  # fmt: skip
