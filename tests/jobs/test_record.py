"""What is said of files that could not be read."""

from __future__ import annotations

import csv
from pathlib import Path

from graticule.jobs.record import unreadable_warning, write_failures


def test_failures_are_a_table_that_does_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    write_failures(tmp_path / "failures.csv", [("a.png", "ends early"), ("=b.png", "no image")])
    with (tmp_path / "failures.csv").open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["path", "error"], ["a.png", "ends early"], ["'=b.png", "no image"]]


def test_a_warning_counts_them() -> None:
    assert unreadable_warning([]) == []
    assert unreadable_warning([("a", "b")])[0].startswith("1 image could not be read")
    assert unreadable_warning([("a", "b")] * 1200)[0].startswith("1,200 images")
