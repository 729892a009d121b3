"""`graticule report`: write the report of a finished run again."""

from __future__ import annotations

from pathlib import Path

from graticule.report.html import write_report
from graticule.runs import as_written, require_finished


def report(run: Path) -> Path:
    """Write report.html from the tables of a finished run or evaluation; returns its path.

    Raises
    ------
    RunError
        When the run is not finished, or one of its files is missing or damaged.
    """
    require_finished(run)
    with as_written(run):
        return write_report(run)
