"""`graticule label-errors` of a run that predicts a number: which true values to look at first."""

from pathlib import Path
from typing import Any

from graticule.files import write_text
from graticule.formats.selection import selection_of
from graticule.jobs.label_errors import label_errors
from graticule.label_errors.suspicious_run import JudgedTargets, describe_targets, judge_targets, target_rows
from graticule.label_errors.suspicious_tables import write_cleaned_targets, write_target_list
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.label_errors.page import SIDE
from graticule.report.label_errors.target_page import render_suspicious_targets
from graticule.report.thumbnails import pictures_of_files
from graticule.runs import as_written, output_folder, read_document, require_finished, write_json
from graticule.tasks import REGRESSION, TASKS, task_of


def find_wrong_answers(run: Path, out: Path, reporter: Reporter | None = None) -> dict[str, Any]:
    """Rank what a run's images are said to show by how likely it is wrong: labels, or numbers; returns the document.

    Parameters are those of `graticule.jobs.label_errors.label_errors`.

    Raises
    ------
    GraticuleError
        When the run is not finished, has no out-of-fold predictions or too few, or `out` is in use.
    """
    require_finished(run)
    if task_of(read_document(run / "run.json"), run / "run.json", takes=TASKS) != REGRESSION:
        return label_errors(run, out, reporter)
    reporter = reporter or Silent()
    reporter.step("reading the run")
    with as_written(run):
        judged = judge_targets(run)
        if judged.manifest.root.is_dir():
            check_outside(out, judged.manifest.root)
        document = describe_targets(run, judged)
    with output_folder(out, "list of suspicious values"):
        reporter.step("writing the list")
        write_target_list(out / "label_errors.csv", target_rows(judged))
        doubtful = {row["path"] for row in document["errors"]}
        write_cleaned_targets(out / "cleaned_manifest.csv", judged.manifest, str(document["target"]), doubtful)
        write_json(out / "label_errors.json", document)
        page = _page(judged, document)
        write_text(out / "label_errors.html", page.encode("utf-8", errors="replace").decode("utf-8"))
    return document


def _page(judged: JudgedTargets, document: dict[str, Any]) -> str:
    files = dict(zip(judged.manifest.sample_id.tolist(), judged.manifest.files(), strict=True))
    with pictures_of_files(SIDE, selection_of(judged.record)) as read:
        return render_suspicious_targets(document, judged.values, read, files.get)
