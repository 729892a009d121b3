"""`graticule study`: kinds that are not known and options out of range end before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cells"], "unknown study 'cells'; known: nanowires, particles"),
        (["nanowires", "--specimens", 3], "--specimens 3: allowed are whole numbers from 10"),
        (["nanowires", "--data", "nowhere"], "is no folder"),
        (["nanowires", "--rare", 50], "--rare: not for a study of nanowires"),
        (["particles", "--data", "nowhere"], "nowhere"),
    ],
)
def test_study_options(graticule: Callable[..., Any], tmp_path: Path, words: list[object], expected: str) -> None:
    assert expected in graticule("study", *words, "--out", tmp_path / "out").message()
    assert not (tmp_path / "out").exists()
