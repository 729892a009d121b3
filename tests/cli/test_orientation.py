"""`graticule orientation` on the command line: table, JSON, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from tests.directions.scenes import wires


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "images"
    folder.mkdir()
    for name, picture in (("wires", wires(30, share=0.8, side=160)), ("flat", np.full((80, 80), 9.0))):
        PIL.Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(folder / f"{name}.png")
    return folder


def test_a_table_is_printed(pictures: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    outcome = graticule("orientation", pictures, "--out", tmp_path / "out", "--workers", 1)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0].startswith("2 images in ")
    assert any(line.startswith("wires.png") and line.endswith("  direction") and "°" in line for line in lines)
    assert any(line.startswith("flat.png") and line.endswith("no structure") for line in lines)
    assert f"the page is {tmp_path / 'out' / 'orientation.html'}" in outcome.out


@pytest.mark.parametrize(("method", "column"), [("lgo", "lgo direction"), ("lgo-fiji", "fiji direction")])
def test_other_methods_lead_when_asked(
    pictures: Path, graticule: Callable[..., Any], tmp_path: Path, method: str, column: str
) -> None:
    out = ("--out", tmp_path / "o", "--workers", 1)
    outcome = graticule("orientation", pictures / "wires.png", *out, "--method", method)
    assert column in outcome.out
    assert outcome.code == 0


def test_json_and_failures(pictures: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{pictures / 'wires.png'}\n{pictures / 'none.png'}\n")
    outcome = graticule("orientation", listed, "--out", tmp_path / "out", "--json", "--workers", 1)
    assert outcome.code == 3
    assert "1 image could not be read" in outcome.err
    assert json.loads(outcome.out)["verdicts"]["direction"] == 1


def test_one_message_for_what_the_user_can_mend(pictures: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    words = ("orientation", pictures, "--out", tmp_path / "o")
    assert "numbers from 1 to 100" in graticule(*words, "--sigma", 0).message()
    assert "tensor, lgo, lgo-fiji" in graticule(*words, "--method", "x").message()
