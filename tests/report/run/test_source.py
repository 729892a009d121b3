"""Reading a run folder for its report: what lacks or is damaged is named."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.errors import GraticuleError, RunError
from graticule.report.run.page import write_report


@pytest.mark.parametrize("name", ["run.json", "metrics.json", "predictions.parquet"])
def test_a_folder_without_a_part_is_refused(write_run: Any, name: str) -> None:
    folder = write_run()
    (folder / name).unlink()
    with pytest.raises(RunError, match=name):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_damaged_parts_are_refused(write_run: Any) -> None:
    folder = write_run()
    (folder / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match="lacks n, classes"):
        write_report(folder)
    (folder / "metrics.json").write_text("[1")
    with pytest.raises(RunError, match="is damaged"):
        write_report(folder)


def test_a_damaged_manifest_is_refused(write_run: Any) -> None:
    folder = write_run()
    (folder / "manifest.parquet").write_bytes(b"no parquet")
    with pytest.raises(GraticuleError, match="manifest"):
        write_report(folder)
