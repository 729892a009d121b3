"""report: written again, it is the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_report_written_again_is_the_same(run: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run" / "report.html"
    before = file.read_bytes()
    file.write_text("lost")
    outcome = graticule("report", tmp_path / "run")
    assert outcome.out == f"{file}\n"
    assert file.read_bytes() == before
