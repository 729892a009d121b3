"""The search for shortcuts over a data set: cues gathered from files and table, and what audit.json says of them."""

import math
import posixpath
from pathlib import Path
from typing import Any

import numpy as np

from graticule.arrays import IntArray, StrArray, class_codes, object_array
from graticule.audit.document import AssociationRow, ClassMarks, MarkCounts, ShortcutRow
from graticule.audit.instruments import Instruments
from graticule.audit.shortcuts import Association, Cue, Shortcuts, find_shortcuts
from graticule.audit.standard_cues import ImageFacts, standard_cues
from graticule.audit.value_cues import ValueCues, find_value_cues
from graticule.features.samples import Samples
from graticule.images.cues import MARKS
from graticule.split.training_only import is_synthetic


def search_shortcuts(samples: Samples, instruments: Instruments, seed: int, *, masked: bool) -> Shortcuts:
    """Measure what else than the object predicts the class, on labelled real samples.

    `masked` says that marks burnt into ultrasound frames are masked.
    """
    rows = np.flatnonzero(samples.manifest.labelled & ~is_synthetic(samples.manifest))
    manifest = samples.manifest.take(rows)
    classes = manifest.classes
    if len(classes) < 2:
        return Shortcuts([], [], ["shortcuts need two classes or more"])
    cues, notes = gather_cues(samples, instruments, rows, manifest.label, masked=masked)
    y = class_codes(manifest.label, classes)
    found = find_shortcuts(cues, y, classes, manifest.group, seed=seed)
    return Shortcuts(found.flagged, found.associations, [*notes, *found.notes])


def search_value_cues(samples: Samples, instruments: Instruments, seed: int, *, masked: bool) -> ValueCues:
    """Measure what else than the object tells the number, on real samples that have one; as `search_shortcuts`."""
    rows = np.flatnonzero(samples.manifest.with_target & ~is_synthetic(samples.manifest))
    manifest = samples.manifest.take(rows)
    cues, notes = gather_cues(samples, instruments, rows, None, masked=masked)
    found = find_value_cues(cues, manifest.targets, manifest.group, seed=seed)
    return ValueCues(found.associations, found.between_groups, [*notes, *found.notes])


def gather_cues(
    samples: Samples, instruments: Instruments, rows: IntArray, label: StrArray | None, *, masked: bool
) -> tuple[list[Cue], list[str]]:
    """The cues of some rows of the samples, and what was left out and why; see `standard_cues`.

    Without labels the specimen is no cue either: it is the group, which is told apart.
    """
    manifest = samples.manifest.take(rows)
    columns = {name: cells for name, cells in manifest.columns.items() if label is not None or name != "specimen"}
    wanted = set(rows.tolist())
    facts = [own for i, own in enumerate(samples.facts()) if i in wanted]
    info = [samples.info[row] for row in rows]
    return standard_cues(
        ImageFacts(
            width=np.array([item.width for item in info], float),
            height=np.array([item.height for item in info], float),
            bits=np.array([int(item.mode.partition(", ")[2].split()[0]) for item in info], float),
            channels=np.array([own.channels for own in facts], float),
            file_format=object_array([own.file_format for own in facts]),
            compression=object_array([own.compression for own in facts]),
            instrument=instruments.instrument[rows],
            pixel_size_nm=instruments.pixel_size_nm[rows],
            measured=np.stack([own.cues for own in facts]).astype(np.float64),
            modified=np.array([_modified(file) for file in manifest.files()]),
        ),
        object_array([""] * len(rows)) if label is None else label,
        folder=object_array([posixpath.dirname(path) for path in manifest.path]),
        columns=columns,
        masked=masked,
    )


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return math.nan


def shortcuts_found(shortcuts: Shortcuts) -> tuple[ShortcutRow, ...]:
    """The "shortcuts" of audit.json."""
    return tuple(ShortcutRow(**_row(row), advice=row.advice) for row in shortcuts.flagged)


def cues_measured(shortcuts: Shortcuts) -> tuple[AssociationRow, ...]:
    """The "associations" of audit.json."""
    flagged = {row.cue for row in shortcuts.flagged}
    return tuple(
        AssociationRow(**_row(row), words=row.cue, flagged=row.cue in flagged) for row in shortcuts.associations
    )


def shortcut_warnings(shortcuts: Shortcuts) -> list[str]:
    """What a report says of traces of how the pictures were taken that tell the class: a sentence for each cue."""
    told = {row.cue: row for row in reversed(shortcuts.flagged) if row.nature == "acquisition"}
    return [
        f"{row.advice} A small model that sees nothing else: {row.measure} {row.accuracy:.0%}, chance {row.chance:.0%}"
        for row in shortcuts.flagged
        if told.get(row.cue) is row
    ]


def count_marks(samples: Samples, *, masked: bool) -> MarkCounts:
    """The "marks" of audit.json: ultrasound frames, those with burnt-in marks, and their area, class by class."""
    cues = np.array([facts.cues[MARKS] for facts in samples.facts()], dtype=np.float64).reshape(-1, 3)
    frame, shares = cues[:, 0] > 0, cues[:, 1:]
    marked = shares.sum(axis=1) > 0
    labels = samples.manifest.label.astype(str)
    per_class = {}
    for name in sorted(set(labels[frame].tolist())):
        own = frame & (labels == name)
        area = shares[own].mean(axis=0)
        per_class[name] = ClassMarks(
            frames=int(own.sum()),
            n=int((own & marked).sum()),
            area_outside=round(float(area[0]), 6),
            area_inside=round(float(area[1]), 6),
        )
    return MarkCounts(frames=int(frame.sum()), n=int(marked.sum()), masked=masked, per_class=per_class)


def _row(row: Association) -> dict[str, Any]:
    return {
        "cue": row.cue,
        "class_": row.class_,
        "strength": round(row.strength, 4),
        "low": None if math.isnan(row.low) else round(row.low, 4),
        "high": None if math.isnan(row.high) else round(row.high, 4),
        "measure": row.strength_measure,
        "accuracy": round(row.accuracy, 4),
        "accuracy_measure": row.measure,
        "chance": round(row.chance, 4),
        "p_value": row.p_value,
        "nature": row.nature,
    }
