"""The tables that `label-errors` leaves of a run of numbers: the ranked list, and the table without doubtful values."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from graticule.files import writing_text
from graticule.manifest import Manifest, escape_path
from graticule.plain_text import safe_cell

TARGET_COLUMNS = ("rank", "path", "target", "predicted", "low", "high", "score", "evidence")


def write_target_list(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """label_errors.csv: one row an image, most suspect first; safe to open in a spreadsheet."""
    with writing_text(file, errors="replace") as stream:
        writer = csv.writer(stream)
        writer.writerow(TARGET_COLUMNS)
        writer.writerows([safe_cell("" if row[name] is None else row[name]) for name in TARGET_COLUMNS] for row in rows)


def write_cleaned_targets(file: Path, manifest: Manifest, target: str, doubtful: set[str]) -> None:
    """cleaned_manifest.csv: the run's samples, the numbers of some left empty, so that training leaves them out.

    Paths are relative to the manifest's root, so that it is read with `--root`. It is safe to open in a spreadsheet.

    Parameters
    ----------
    file : Path
    manifest : Manifest
        All samples of the run.
    target : str
        Column of the numbers.
    doubtful : set of str
        Escaped paths whose number is left empty.
    """
    # the run keeps the numbers under "target", beside the column that they came from
    own = {name: cells for name, cells in manifest.columns.items() if name not in (target, "target")}
    with writing_text(file, errors="replace") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", target, *own])
        for i, path in enumerate(manifest.path.tolist()):
            text = escape_path(path)
            number = "" if text in doubtful else manifest.columns["target"][i]
            writer.writerow([safe_cell(cell) for cell in (text, number, *(cells[i] for cells in own.values()))])
