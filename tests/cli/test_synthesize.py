"""`graticule synthesize --check` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.synthesize import drawn


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    for name in ("real", "copied"):
        drawn.write(folder / name, getattr(drawn, name))
    return folder


def test_a_verdict_per_class_with_its_reasons(place: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    given = ("--check", place / "copied", "--trained-on", place / "real", "--workers", 1)
    outcome = graticule("synthesize", *given, "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    rows = [line.split() for line in outcome.out.splitlines()]
    assert ["bright", "24", "refused"] in [row[:3] for row in rows]
    assert "Copied one by one" in outcome.out
    assert f"report: {tmp_path / 'out' / 'report.html'}" in outcome.out
    gate = json.loads((tmp_path / "out" / "gate.json").read_text())
    assert [one["verdict"] for one in gate["classes"]] == ["refused", "refused"]


def test_a_folder_that_is_used_is_left_alone(place: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    outcome = graticule(
        "synthesize", "--check", place / "copied", "--trained-on", place / "real", "--out", tmp_path / "out"
    )
    assert outcome.code == 2
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_what_is_missing_is_named(place: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    outcome = graticule("synthesize", "--check", place / "copied", "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "--trained-on" in outcome.err
    outcome = graticule(
        "synthesize", "--check", tmp_path / "nothing", "--trained-on", place / "real", "--out", tmp_path / "out"
    )
    assert outcome.code == 2
    assert "nothing" in outcome.err


def test_options_of_the_other_way_are_refused(place: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    check = ("--check", place / "copied", "--trained-on", place / "real")
    outcome = graticule("synthesize", *check, "--classes", "dark", "--steps", 20, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "--classes, --steps: allowed with DATA alone" in outcome.err
    making = ("synthesize", place / "real", "--classes", "dark", "--out", tmp_path / "out")
    outcome = graticule(*making, "--held-out", place / "real")
    assert outcome.code == 2
    assert "--held-out: allowed with --check alone" in outcome.err
    assert not (tmp_path / "out").exists()
