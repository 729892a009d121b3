"""The page written again: the one that belongs to the task of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graticule.errors import RunError, TaskError
from graticule.report import any_run
from graticule.report.any_run import report


def folder_of(tmp_path: Path, task: str | None, done: bool = True) -> Path:
    (tmp_path / "metrics.json").write_text(json.dumps({} if task is None else {"task": task}))
    (tmp_path / "run.json").write_text("{}")
    if done:
        (tmp_path / "DONE").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("task", "writer"),
    [("regression", "write_value_report"), ("classification", "write_report"), (None, "write_report")],
)
def test_each_task_has_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str | None, writer: str) -> None:
    monkeypatch.setattr(any_run, writer, lambda run, *rest: run / writer)
    assert report(folder_of(tmp_path, task)).name == writer


def test_an_unknown_task_and_an_unfinished_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError):
        report(folder_of(tmp_path, "segmentation"))
    (tmp_path / "DONE").unlink()
    with pytest.raises(RunError):
        report(tmp_path)
