"""`graticule audit`: what would make a result on these images wrong, found before anything is trained."""

import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from graticule.audit.describe import copies, examples_of, group_column, info_bar_counts
from graticule.audit.document import AuditDocument
from graticule.audit.instruments import describe_instruments
from graticule.audit.rules import recommend
from graticule.audit.search import count_marks, cues_measured, search_shortcuts, shortcuts_found
from graticule.features.samples import sorted_by_path
from graticule.jobs.audited import Looked, about_images, look_at_images, write_audit
from graticule.jobs.options import AuditOptions
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.audit.page import render_audit
from graticule.runs import output_folder
from graticule.sources.sources import read_manifest


def audit(data: Path, out: Path | None, options: AuditOptions, reporter: Reporter | None = None) -> AuditDocument:
    """Audit a labelled data set.

    Parameters
    ----------
    data : Path
        As for `train`. Unlabelled images are checked for duplicates too.
    out : Path, optional
        Folder for audit.json, audit.html and failures.csv, created; nothing is written without it.
    options : AuditOptions
    reporter : Reporter, optional
    """
    options.check()
    reporter = reporter or Silent()
    start = time.perf_counter()

    def find() -> tuple[Looked, AuditDocument]:
        everything = sorted_by_path(read_manifest(data, root=options.root, group=options.group))
        found = look_at_images(everything, options, reporter)
        reporter.step("looking for shortcuts")
        told = _told(found, options) | about_images(data, out, options, found, start)
        document = AuditDocument(**told)
        return found, document.model_copy(update={"recommendations": recommend(document)})

    if out is None:
        return find()[1]
    check_outside(out, data)
    with output_folder(out, "audit"):
        found, document = find()
        reporter.step("writing the report")
        write_audit(out, document, found, options, partial(render_audit, document))
    return document


def _told(found: Looked, options: AuditOptions) -> dict[str, Any]:
    """The parts of the document that depend on the classes, by name."""
    samples, everything, instruments = found.samples, found.everything, found.instruments
    shortcuts = search_shortcuts(samples, instruments, options.seed, masked=options.marks == "mask")
    counts = Counter(everything.label.tolist())
    return {
        "n_unlabelled": counts.pop("", 0),
        "classes": dict(sorted(counts.items())),
        "groups": group_column(everything, options.group),
        **copies(samples.manifest, found.kinship),
        "shortcuts": shortcuts_found(shortcuts),
        "associations": cues_measured(shortcuts),
        "instrument": describe_instruments(instruments, samples.manifest),
        "info_bars": info_bar_counts(samples, instruments),
        "marks": count_marks(samples, masked=found.reading.preprocessing.marks == "mask"),
        "warnings": (*everything.warnings, *samples.warnings, *found.reading.notes, *shortcuts.notes),
        "examples": examples_of(samples.manifest),
    }
