"""`graticule label-errors`: which labels of a run's images are probably wrong, and how many are."""

from pathlib import Path
from typing import Any

from graticule.files import write_text
from graticule.formats.selection import selection_of
from graticule.label_errors.document import describe_errors, error_rows, listed_paths
from graticule.label_errors.judged import CrossValidated, find_errors, read_judged
from graticule.label_errors.tables import write_cleaned, write_list
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.label_errors.page import SIDE, render_label_errors
from graticule.report.thumbnails import pictures_of_files
from graticule.runs import as_written, output_folder, write_json


def label_errors(run: Path, out: Path, reporter: Reporter | None = None) -> dict[str, Any]:
    """Rank the labels of a run's cross-validated images by how likely they are wrong; returns label_errors.json.

    Held-out images are left alone: a test part that was cleaned by the model under test no longer tests it.

    Parameters
    ----------
    run : Path
        A finished run of `train`, with two folds or more.
    out : Path
        Folder for label_errors.csv, label_errors.json, label_errors.html and cleaned_manifest.csv; created.
    reporter : Reporter, optional

    Raises
    ------
    GraticuleError
        When the run is not finished or has no out-of-fold scores, its model is damaged, its scores or features do not
        allow a verdict, or `out` is in use.
    """
    reporter = reporter or Silent()
    reporter.step("reading the run")
    with as_written(run):
        judged = read_judged(run)
        if judged.everything.root.is_dir():
            check_outside(out, judged.everything.root)
        reporter.step("looking for wrong labels")
        found = find_errors(judged)
        document = describe_errors(run, judged, found)
    with output_folder(out, "list of label errors"):
        reporter.step("writing the list")
        write_list(out / "label_errors.csv", error_rows(judged, found))
        write_cleaned(out / "cleaned_manifest.csv", judged.everything, listed_paths(judged, found))
        write_json(out / "label_errors.json", document)
        page = _page(judged, document)
        write_text(out / "label_errors.html", page.encode("utf-8", errors="replace").decode("utf-8"))
    return document


def _page(judged: CrossValidated, document: dict[str, Any]) -> str:
    files = dict(zip(judged.predictions.path.tolist(), judged.manifest.files(), strict=True))
    with pictures_of_files(SIDE, selection_of(judged.record)) as read:
        return render_label_errors(document, read, files.get)
