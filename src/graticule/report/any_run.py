"""The page of a finished run or evaluation of any task, written again from its files."""

from pathlib import Path

from graticule.errors import OptionError
from graticule.evaluate.options import MixOptions
from graticule.report.run.page import write_report
from graticule.report.values.page import write_value_report
from graticule.runs import as_written, read_document, require_finished
from graticule.tasks import REGRESSION, TASKS, task_of


def report(run: Path, options: MixOptions | None = None) -> Path:
    """Write report.html from the tables of a finished run or evaluation; returns its path.

    Raises
    ------
    RunError
        When the run is not finished, or one of its files is missing or damaged.
    OptionError
        When the mix of classes that is asked for is none of this run.
    TaskError
        When it is of a task that this version does not know.
    """
    require_finished(run)
    with as_written(run):
        task = task_of(read_document(run / "metrics.json"), run / "metrics.json", takes=TASKS)
        asked = (options or MixOptions()).prevalence
        if task != REGRESSION:
            return write_report(run, asked)
        if asked is not None:
            raise OptionError(f"--prevalence is a mix of classes; {run} is a model of a number")
        return write_value_report(run)
