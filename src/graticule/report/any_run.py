"""The page of a finished run or evaluation of any task, written again from its files."""

from pathlib import Path

from graticule.report.run.page import write_report
from graticule.report.values.page import write_value_report
from graticule.runs import as_written, read_document, require_finished
from graticule.tasks import REGRESSION, TASKS, task_of


def report(run: Path) -> Path:
    """Write report.html from the tables of a finished run or evaluation; returns its path.

    Raises
    ------
    RunError
        When the run is not finished, or one of its files is missing or damaged.
    TaskError
        When it is of a task that this version does not know.
    """
    require_finished(run)
    with as_written(run):
        task = task_of(read_document(run / "metrics.json"), run / "metrics.json", takes=TASKS)
        return write_value_report(run) if task == REGRESSION else write_report(run)
