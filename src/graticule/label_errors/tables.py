"""The tables that `label-errors` leaves: the ranked list, and the manifest without the labels in doubt."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from graticule.files import writing_text
from graticule.manifest import Manifest, escape_path
from graticule.plain_text import safe_cell

COLUMNS = ("rank", "path", "label", "suggested", "score", "evidence")


def write_list(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """label_errors.csv: one row an image, most suspect first; safe to open in a spreadsheet."""
    with writing_text(file, errors="replace") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows([safe_cell(row[name]) for name in COLUMNS] for row in rows)


def write_cleaned(file: Path, manifest: Manifest, doubtful: set[str]) -> None:
    """cleaned_manifest.csv: the run's samples, the labels of some left empty.

    Paths are relative to the manifest's root, so that it is read with `--root`. It is safe to open in a spreadsheet.

    Parameters
    ----------
    file : Path
    manifest : Manifest
        All samples of the run.
    doubtful : set of str
        Paths whose label is left empty.
    """
    with writing_text(file, errors="replace") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", *manifest.columns])
        for i, path in enumerate(manifest.path.tolist()):
            text = escape_path(path)
            others = [values[i] for values in manifest.columns.values()]
            label = "" if path in doubtful else manifest.label[i]
            writer.writerow([safe_cell(cell) for cell in (text, label, *others)])
