"""`graticule audit`: what would make a result on these images wrong, found before anything is trained."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule import __version__
from graticule.arrays import object_array
from graticule.audit.instruments import Instruments, describe_instruments, read_instruments
from graticule.audit.rules import recommend
from graticule.audit.search import describe_marks, describe_shortcuts, search_shortcuts
from graticule.audit.shortcuts import Shortcuts
from graticule.features.reader import settle
from graticule.features.samples import Samples, embed_samples, sorted_by_path
from graticule.files import write_text
from graticule.images.reading import Reading
from graticule.jobs.options import AuditOptions
from graticule.jobs.record import write_failures
from graticule.manifest import Manifest, escape_path
from graticule.networks.catalogue import encoder_of
from graticule.networks.options import DEFAULT_BACKBONE
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.audit.page import render_audit
from graticule.report.audit.pictures import SIDE
from graticule.report.thumbnails import pictures_of_files
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.sources.sources import read_manifest
from graticule.split.duplicates.families import Family, counts, families, under_two_labels
from graticule.split.duplicates.find import Pair, conflicts
from graticule.split.kinship import Kinship, large_chains, relate, split_leaks
from graticule.split.seal import held_out_key, opened_by
from graticule.split.training_only import is_synthetic

_MAX_PAIRS = 10_000
_MAX_SIZES = 50
_EXAMPLES = 6
_TUNED = 2


@dataclass(frozen=True)
class _Findings:
    """What the steps of an audit hand to the writing step."""

    everything: Manifest
    samples: Samples
    reading: Reading
    kinship: Kinship
    instruments: Instruments
    shortcuts: Shortcuts
    leaks: list[dict[str, Any]]


def audit(data: Path, out: Path | None, options: AuditOptions, reporter: Reporter | None = None) -> dict[str, Any]:
    """Audit a labelled data set.

    Parameters
    ----------
    data : Path
        As for `train`. Unlabelled images are checked for duplicates too.
    out : Path, optional
        Folder for audit.json, audit.html and failures.csv, created; nothing is written without it.
    options : AuditOptions
    reporter : Reporter, optional

    Returns
    -------
    dict
        audit.json without its schema version.

    Raises
    ------
    GraticuleError
        One message for whatever the user can mend.
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
        write_json(out / "audit.json", document)
        write_failures(out / "failures.csv", findings.samples.failures)
        files = {escape_path(path): findings.everything.root / path for path in findings.everything.path}
        with pictures_of_files(SIDE, options.selection()) as read:
            write_text(out / "audit.html", render_audit(document, read, files.get))
    return document


def _find(data: Path, options: AuditOptions, reporter: Reporter) -> _Findings:
    everything = sorted_by_path(read_manifest(data, root=options.root, group=options.group))
    encoder = encoder_of(DEFAULT_BACKBONE, views=options.views)
    encoder, reading = settle(everything, encoder, options, workers=options.workers, reporter=reporter)
    samples = embed_samples(
        everything, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
    )
    kinship = relate(samples, reading.preprocessing, reporter)
    reporter.step("looking for shortcuts")
    instruments = read_instruments(samples)
    shortcuts = search_shortcuts(samples, instruments, options.seed, masked=options.marks == "mask")
    manifest = samples.manifest
    leaks = [leak.describe(manifest.path) for leak in split_leaks(manifest, kinship)] + _tuning(samples)
    return _Findings(everything, samples, reading, kinship, instruments, shortcuts, leaks)


def _tuning(samples: Samples) -> list[dict[str, Any]]:
    """A test part that models were scored on again and again is no test any more."""
    split = samples.manifest.split
    if split is None or not (split == "test").any():
        return []
    models = opened_by(held_out_key(samples, split))
    if len(models) < _TUNED:
        return []
    what = f"{len(models)} models were scored on the test part on this machine"
    return [{"kind": "tuning", "parts": ["test"], "what": what, "n": int((split == "test").sum()), "examples": []}]


def _document(data: Path, out: Path | None, options: AuditOptions, found: _Findings, start: float) -> dict[str, Any]:
    """audit.json without its schema version."""
    samples, manifest = found.samples, found.samples.manifest
    everything = found.everything
    counts = Counter(everything.label.tolist())
    document: dict[str, Any] = {
        "verb": "audit",
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "wall_time_s": round(time.perf_counter() - start, 2),
        "command": options.command("audit", data, out=out),
        "packages": package_versions(),
        "source": escape_path(str(data.absolute())),
        "root": escape_path(str(everything.root)),
        "n": len(everything),
        "n_unlabelled": counts.pop("", 0),
        "n_synthetic": int(is_synthetic(everything).sum()),
        "classes": dict(sorted(counts.items())),
        "groups": _groups(everything, options.group),
        "sizes": _sizes(samples),
        "formats": _formats(samples),
        "unreadable": [{"path": path, "error": error} for path, error in samples.failures],
        **_copies(manifest, found.kinship),
        **describe_shortcuts(found.shortcuts, manifest.classes),
        "leaks": found.leaks,
        "instrument": describe_instruments(found.instruments, manifest),
        "info_bars": _info_bars(samples, found.instruments),
        "marks": describe_marks(samples, masked=found.reading.preprocessing.marks == "mask"),
        "intensity": {"policy": found.reading.intensity_words, "why": found.reading.intensity_why},
        "notes": _notes(samples, found.instruments),
        "warnings": [*everything.warnings, *samples.warnings, *found.reading.notes, *found.shortcuts.notes],
        "examples": _examples(manifest),
        "embedding": {"decoded": samples.decoded, "cached": samples.cached, "seconds": round(samples.seconds, 2)},
    }
    document["recommendations"] = recommend(document)
    return document


def _groups(manifest: Manifest, option: str) -> dict[str, Any] | None:
    group = manifest.group
    if group is None:
        return None
    pairs = {(str(label), str(name)) for label, name in zip(manifest.label, group, strict=True) if name}
    return {
        "column": "group" if option == "auto" else option,
        "n": len({name for _, name in pairs}),
        "per_class": {label: sum(own == label for own, _ in pairs) for label in manifest.classes},
    }


def _sizes(samples: Samples) -> list[dict[str, Any]]:
    sizes = Counter((item.width, item.height, item.mode) for item in samples.info)
    ranked = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MAX_SIZES]
    return [{"width": w, "height": h, "mode": mode, "n": n} for (w, h, mode), n in ranked]


def _formats(samples: Samples) -> list[dict[str, Any]]:
    formats: Counter[tuple[str, str, int]] = Counter()
    for item, facts in zip(samples.info, samples.facts(), strict=True):
        formats[facts.file_format, facts.compression, int(item.mode.partition(", ")[2].split()[0])] += 1
    ranked = sorted(formats.items(), key=lambda item: (-item[1], item[0]))
    return [{"format": f, "compression": c, "bits": bits, "n": n} for (f, c, bits), n in ranked]


def _copies(manifest: Manifest, kinship: Kinship) -> dict[str, Any]:
    """Families of copies, the pairs that make them, and which stand under two labels."""
    path, label = [escape_path(p) for p in manifest.path], [str(name) for name in manifest.label]

    def row(pair: Pair) -> dict[str, Any]:
        return {
            "a": path[pair.a],
            "b": path[pair.b],
            "kind": pair.kind,
            "labels": [label[pair.a], label[pair.b]],
            "similarity": round(float(pair.similarity), 4),
            "change": pair.change,
        }

    def family_row(family: Family) -> dict[str, Any]:
        return {
            "n": len(family.rows),
            "kind": family.kind,
            "complete": family.complete,
            "paths": [path[i] for i in family.rows],
            "labels": [label[i] for i in family.rows],
            "similarity": round(float(family.similarity), 4),
            "changes": list(family.changes),
        }

    found = families(kinship.pairs)
    differing = [family for family in found if under_two_labels(family, label)]
    chains = large_chains(kinship, manifest)
    notes = [f"{n} images, {share:.0%} of class {name!r}, such as {p}" for n, share, name, p in chains]
    return {
        "duplicates": [row(pair) for pair in kinship.pairs[:_MAX_PAIRS]],
        "n_duplicates": {kind: sum(pair.kind == kind for pair in kinship.pairs) for kind in ("exact", "near")},
        "families": [family_row(family) for family in found[:_MAX_PAIRS]],
        "components": {
            **counts(found),
            "two_labels": counts(differing),
            "largest": _largest(kinship, manifest) if found else None,
            "notes": notes,
        },
        "conflicts": [row(pair) for pair in conflicts(kinship.pairs, label)][:_MAX_PAIRS],
    }


def _largest(kinship: Kinship, manifest: Manifest) -> dict[str, Any]:
    """Size of the largest component, and its share of the class that most of it is of."""
    rows = np.flatnonzero(kinship.near == np.bincount(kinship.near).argmax())
    name, n = Counter(manifest.label[rows].tolist()).most_common(1)[0]
    return {"n": len(rows), "share": n / int((manifest.label == name).sum()), "class": str(name)}


def _info_bars(samples: Samples, instruments: Instruments) -> dict[str, Any]:
    has_bar: NDArray[np.bool_] = instruments.bar_rows > 0
    labels = samples.manifest.label[has_bar]
    rows = instruments.bar_rows[has_bar]
    return {
        "n": int(has_bar.sum()),
        "per_class": dict(sorted(Counter(labels.tolist()).items())),
        "rows": [int(rows.min()), int(rows.max())] if len(rows) else None,
    }


def _notes(samples: Samples, instruments: Instruments) -> list[dict[str, Any]]:
    """What reader and instrument files remarked, with counts and examples."""
    told: dict[str, list[str]] = {}
    for path, notes in zip(samples.manifest.path, instruments.notes, strict=True):
        for note in notes:
            told.setdefault(note, []).append(path)
    ranked = sorted(told.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {"note": note, "n": len(paths), "examples": [escape_path(p) for p in paths[:_EXAMPLES]]}
        for note, paths in ranked
    ]


def _examples(manifest: Manifest) -> dict[str, list[str]]:
    """A few images per class, evenly spread over the paths, so that several groups are among them."""
    chosen = {}
    for name in manifest.classes:
        rows = np.flatnonzero(manifest.label == name)
        spread = rows[np.unique(np.linspace(0, len(rows) - 1, min(_EXAMPLES, len(rows))).astype(int))]
        chosen[name] = [escape_path(p) for p in object_array([str(manifest.path[row]) for row in spread])]
    return chosen
