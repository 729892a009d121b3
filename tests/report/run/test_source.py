"""Reading a run folder for its report: what lacks or is damaged is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graticule.errors import GraticuleError, RunError
from graticule.report.run.page import write_report
from graticule.report.run.source import read_source


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


def test_what_is_read_says_what_kind_of_run_it_is(write_run: Any) -> None:
    source = read_source(write_run(n_groups=12, test=True))
    assert (source.external, source.one_split, source.part, source.has_groups) == (False, False, "cv", True)
    assert source.classes == ["fibre", "plate", "sphere"]
    assert source.failures == [("bad <1>.jpg", "ends early, at 5")]
    assert source.file_of(0) == Path(source.run["data"]["root"]) / "image 000.png"
    moved = replace(source, files={})
    assert moved.file_of(3) == source.file_of(3)
    assert replace(moved, run={}).file_of(3) is None
    assert replace(source, run={"folds": {"k": 1}}).one_split


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": ["fibre", "fibre", "plate"]}, "no names, each once"),
        ({"per_class": {}}, "no figures of each class"),
        ({"confusion": [[1, 2], [3, 4]]}, "not 3 x 3"),
        ({"confusion": [[1, 2, -1]] * 3}, "not 3 x 3"),
        ({"n": 1.5}, "not 3 x 3"),
    ],
)
def test_the_frame_of_the_figures_is_checked(write_run: Any, change: dict[str, Any], words: str) -> None:
    folder = write_run()
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(metrics | change))
    with pytest.raises(RunError, match=f"damaged: .*{words}"):
        read_source(folder)
