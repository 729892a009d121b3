"""`graticule audit --target`: what would make a result on these numbers wrong, found before anything is trained."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from graticule.arrays import StrArray
from graticule.audit.describe import group_column
from graticule.audit.document import InfoBarCounts, MarkCounts
from graticule.audit.search import search_value_cues
from graticule.audit.value_describe import (
    cue_rows,
    instruments_of,
    scale_findings,
    target_numbers,
    value_copies,
    value_examples,
)
from graticule.audit.value_document import ValueAuditDocument
from graticule.audit.value_rules import recommend_for_values
from graticule.features.samples import sorted_by_path
from graticule.images.cues import MARKS
from graticule.jobs.audited import Looked, about_images, look_at_images, write_audit
from graticule.jobs.options import AuditOptions
from graticule.manifest import Manifest
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.audit.page import render_value_audit
from graticule.runs import output_folder
from graticule.sources.sources import read_manifest
from graticule.sources.targets import TargetColumn, check_learnable, target_warnings


def audit_values(
    data: Path, out: Path | None, options: AuditOptions, reporter: Reporter | None = None
) -> ValueAuditDocument:
    """Audit images with a number each, of the column `options.target`; else as `graticule.jobs.audit.audit`."""
    options.check()
    if options.target is None:
        raise ValueError("there is no target")
    target = TargetColumn(options.target)
    reporter = reporter or Silent()
    start = time.perf_counter()

    def find() -> tuple[Looked, ValueAuditDocument]:
        everything = sorted_by_path(read_manifest(data, root=options.root, group=options.group, target=target))
        check_learnable(everything, target)
        found = look_at_images(everything, options, reporter)
        reporter.step("looking for what else tells the number")
        told = _told(found, options, target) | about_images(data, out, options, found, start)
        document = ValueAuditDocument(**told)
        return found, document.model_copy(update={"recommendations": recommend_for_values(document)})

    if out is None:
        return find()[1]
    check_outside(out, data)
    with output_folder(out, "audit"):
        found, document = find()
        reporter.step("writing the report")
        write_audit(out, document, found, options, partial(render_value_audit, document))
    return document


def _told(found: Looked, options: AuditOptions, target: TargetColumn) -> dict[str, Any]:
    """The parts of the document that depend on the numbers, by name."""
    samples, everything, instruments = found.samples, found.everything, found.instruments
    masked = options.marks == "mask"
    cues = search_value_cues(samples, instruments, options.seed, masked=masked)
    bars = instruments.bar_rows[instruments.bar_rows > 0]
    marks = np.array([facts.cues[MARKS] for facts in samples.facts()], dtype=np.float64).reshape(-1, 3)
    odd = target_warnings(everything.targets[everything.with_target], _groups(everything), target)
    return {
        "n_without_target": int((~everything.with_target).sum()),
        "target": target_numbers(everything, target.name, cues.between_groups),
        "groups": group_column(everything, options.group),
        **value_copies(samples.manifest, found.kinship),
        "cues": cue_rows(cues),
        "instrument": instruments_of(instruments, samples.manifest),
        "scale": scale_findings(samples.manifest, instruments.pixel_size_nm),
        "info_bars": InfoBarCounts(n=len(bars), rows=(int(bars.min()), int(bars.max())) if len(bars) else None),
        "marks": MarkCounts(
            frames=int((marks[:, 0] > 0).sum()),
            n=int((marks[:, 1:].sum(axis=1) > 0).sum()),
            masked=found.reading.preprocessing.marks == "mask",
        ),
        "warnings": (*everything.warnings, *samples.warnings, *found.reading.notes, *odd, *cues.notes),
        "examples": value_examples(samples.manifest),
    }


def _groups(manifest: Manifest) -> StrArray | None:
    return None if manifest.group is None else manifest.group[manifest.with_target]
