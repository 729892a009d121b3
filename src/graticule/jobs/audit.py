"""`graticule audit`: what would make a result on these images wrong, found before anything is trained."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from graticule import __version__
from graticule.audit.describe import (
    copies,
    examples_of,
    format_counts,
    group_column,
    info_bar_counts,
    leak_rows,
    note_counts,
    size_counts,
)
from graticule.audit.document import AuditDocument, EmbeddingCount, IntensityWords, UnreadableFile
from graticule.audit.instruments import Instruments, describe_instruments, read_instruments
from graticule.audit.rules import recommend
from graticule.audit.search import count_marks, cues_measured, search_shortcuts, shortcuts_found
from graticule.audit.shortcuts import Shortcuts
from graticule.features.reader import settle
from graticule.features.samples import Samples, embed_samples, sorted_by_path
from graticule.files import write_text
from graticule.images.reading import Reading
from graticule.jobs.options import AuditOptions
from graticule.jobs.record import write_failures
from graticule.manifest import Manifest, escape_path
from graticule.networks.catalogue import encoder_of
from graticule.networks.device_choice import on_device
from graticule.networks.options import DEFAULT_BACKBONE
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.audit.page import render_audit
from graticule.report.audit.pictures import SIDE
from graticule.report.thumbnails import pictures_of_files
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.sources.sources import read_manifest
from graticule.split.kinship import Kinship, relate
from graticule.split.training_only import is_synthetic


@dataclass(frozen=True)
class _Findings:
    """What the steps of an audit hand to the writing step."""

    everything: Manifest
    samples: Samples
    reading: Reading
    kinship: Kinship
    instruments: Instruments
    shortcuts: Shortcuts


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
    if out is None:
        return _document(data, out, options, _find(data, options, reporter), start)
    check_outside(out, data)
    with output_folder(out, "audit"):
        findings = _find(data, options, reporter)
        document = _document(data, out, options, findings, start)
        reporter.step("writing the report")
        write_json(out / "audit.json", document.to_json())
        write_failures(out / "failures.csv", findings.samples.failures)
        files = {escape_path(path): findings.everything.root / path for path in findings.everything.path}
        with pictures_of_files(SIDE, options.selection()) as read:
            write_text(out / "audit.html", render_audit(document, read, files.get))
    return document


def _find(data: Path, options: AuditOptions, reporter: Reporter) -> _Findings:
    everything = sorted_by_path(read_manifest(data, root=options.root, group=options.group))
    encoder = encoder_of(DEFAULT_BACKBONE, views=options.views)
    encoder, reading = settle(everything, encoder, options, workers=options.workers, reporter=reporter)
    encoder = on_device(encoder, options.device, options.batch_size)
    samples = embed_samples(
        everything, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
    )
    kinship = relate(samples, reading.preprocessing, reporter)
    reporter.step("looking for shortcuts")
    instruments = read_instruments(samples)
    shortcuts = search_shortcuts(samples, instruments, options.seed, masked=options.marks == "mask")
    return _Findings(everything, samples, reading, kinship, instruments, shortcuts)


def _document(data: Path, out: Path | None, options: AuditOptions, found: _Findings, start: float) -> AuditDocument:
    samples, everything = found.samples, found.everything
    counts = Counter(everything.label.tolist())
    document = AuditDocument(
        graticule_version=__version__,
        created_utc=utc_now(),
        wall_time_s=round(time.perf_counter() - start, 2),
        command=options.command("audit", data, out=out),
        packages=package_versions(),
        source=escape_path(str(data.absolute())),
        root=escape_path(str(everything.root)),
        n=len(everything),
        n_unlabelled=counts.pop("", 0),
        n_synthetic=int(is_synthetic(everything).sum()),
        classes=dict(sorted(counts.items())),
        groups=group_column(everything, options.group),
        sizes=size_counts(samples),
        formats=format_counts(samples),
        unreadable=tuple(UnreadableFile(path=path, error=error) for path, error in samples.failures),
        **copies(samples.manifest, found.kinship),
        shortcuts=shortcuts_found(found.shortcuts),
        associations=cues_measured(found.shortcuts),
        leaks=leak_rows(samples, found.kinship),
        instrument=describe_instruments(found.instruments, samples.manifest),
        info_bars=info_bar_counts(samples, found.instruments),
        marks=count_marks(samples, masked=found.reading.preprocessing.marks == "mask"),
        intensity=IntensityWords(policy=found.reading.intensity_words, why=found.reading.intensity_why),
        notes=note_counts(samples, found.instruments),
        warnings=(*everything.warnings, *samples.warnings, *found.reading.notes, *found.shortcuts.notes),
        examples=examples_of(samples.manifest),
        embedding=EmbeddingCount(decoded=samples.decoded, cached=samples.cached, seconds=round(samples.seconds, 2)),
    )
    return document.model_copy(update={"recommendations": recommend(document)})
