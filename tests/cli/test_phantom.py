"""phantom: a data set with known truth, or the reason why there is none."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_a_phantom_is_a_data_set(graticule: Callable[..., Any], tmp_path: Path) -> None:
    outcome = graticule("phantom", "powder", "--out", tmp_path / "powder", "--n-per-class", 1, "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.err == "drawing ...\n"
    record = json.loads(outcome.out)
    assert record["schema_version"] == 1
    with (tmp_path / "powder" / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["label"] for row in rows}) == len(rows) >= 5
    assert all((tmp_path / "powder" / row["path"]).is_file() for row in rows)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cells"], "unknown kind of phantom 'cells'; known: nanowires, particles, powder, ultrasound"),
        (["powder", "--marks", "all"], "marks is 'all'; allowed for powder: none"),
        (["ultrasound", "--marks", "tumour"], "allowed for ultrasound: none, all, cyst, solid"),
        (["ultrasound", "--info-bar", "zeiss"], "bear no info bar"),
        (["powder", "--per-specimen", 3], "powder images have a fixed number of specimens; leave per-specimen out"),
        (["nanowires", "--label-noise", 0.1], "nanowires have no labels that could be wrong; leave label-noise out"),
        (["nanowires", "--marks", "all"], "marks is 'all'; allowed for nanowires: none"),
        (["powder", "--n-per-class", 0], "--n-per-class 0: allowed are whole numbers from 1"),
        (["powder", "--label-noise", 2], "label-noise"),
        (["powder", "--info-bar", "leica"], "leica"),
        (["powder", "--seed", -1], "--seed -1: allowed are whole numbers from 0"),
    ],
)
def test_phantom_options(graticule: Callable[..., Any], tmp_path: Path, words: list[object], expected: str) -> None:
    assert expected in graticule("phantom", *words, "--out", tmp_path / "out").message()
    assert not (tmp_path / "out").exists()
