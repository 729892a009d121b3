"""A data set with the agreed labels of the record in it: a new manifest, never an edit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graticule.arrays import StrArray
from graticule.files import sha256_file
from graticule.manifest import Manifest, escape_path
from graticule.names import written_otherwise
from graticule.record.events import DOUBTFUL, NOVEL
from graticule.record.exports import label_columns, labels_by_kind, with_numbers
from graticule.record.numbers import Quantity, number_said, plain_number
from graticule.sources.sources import read_manifest
from graticule.sources.targets import TargetColumn


def join(
    data: Path,
    root: Path | None,
    rows: list[dict[str, Any]],
    unagreed: list[dict[str, Any]],
    quantity: Quantity | None = None,
) -> tuple[tuple[str, ...], list[Mapping[str, Any]], list[tuple[str, str]]]:
    """A data set with the agreed labels, or numbers, in the place of its own.

    Parameters
    ----------
    data : Path
        A labelled data set, as for `train`; of numbers one with the quantity's column, as for `train --target`.
    root : Path, optional
        What the paths of its table are relative to.
    rows, unagreed : lists of dict
        From `graticule.record.exports.label_rows` and `open_rows`. Images that are doubtful, novel or without agreement
        are left out.
    quantity : Quantity, optional
        What the record holds numbers of.

    Returns
    -------
    columns : tuple of str
        `label_columns`, "label_from" ("record" or "data") and the data set's further columns.
    joined : list of mappings
        Its rows in its order, then images that are not in it.
    failures : list of (path, error)
        Images that are not the ones labelled; they keep the label that the data set gives.
    """
    target = None if quantity is None else TargetColumn(quantity.target)
    manifest = read_manifest(data, root=root, target=target)
    decided = {row["path"]: row for row in rows}
    undecided = {row["path"]: row for row in unagreed}
    columns = label_columns(quantity)
    own = _own_columns(manifest, columns, quantity)
    chance = manifest.columns.get("sampling_prob")
    joined: list[Mapping[str, Any]] = []
    failures: list[tuple[str, str]] = []
    for i, (path, answer) in enumerate(zip(manifest.path, manifest.answers, strict=True)):
        name = escape_path(path)
        base = {c: cells[i] for c, cells in own.items()} | {"path": name, "label_from": "data"}
        # an image of the data set stands there whatever the queue picked
        base["sampling_prob"] = "1" if chance is None else chance[i]
        base |= _answer(answer, quantity)
        found = decided.get(name) or undecided.get(name)
        if found is not None and (error := _is_other(manifest.root / path, found["sha256"])):
            failures.append((name, error))
        elif found is not None and (name in undecided or found["label"] in (DOUBTFUL, NOVEL)):
            continue
        elif found is not None:
            kept = {c: cell for c, cell in found.items() if c != "label"}
            base = kept | base | _answer(found["label"], quantity) | {"label_from": "record"}
        joined.append(base)
    inside = {escape_path(path) for path in manifest.path}
    more = with_numbers(labels_by_kind(rows)["labels"], quantity)
    joined += [{**row, "label_from": "record"} for row in more if row["path"] not in inside]
    return (*columns, "label_from", *own), joined, failures


def _own_columns(manifest: Manifest, columns: tuple[str, ...], quantity: Quantity | None) -> dict[str, StrArray]:
    """The data set's further columns; of numbers also its labels, where it has any."""
    own = {name: cells for name, cells in manifest.columns.items() if name not in (*columns, "label_from")}
    if quantity is None:
        return own
    typed = written_otherwise(quantity.target, own)
    own = {name: cells for name, cells in own.items() if name not in ("target", typed)}
    return own | ({"label": manifest.label} if manifest.labelled.any() else {})


def _answer(value: str, quantity: Quantity | None) -> dict[str, str]:
    """The cells that hold a label or a number."""
    if quantity is None:
        return {"label": value}
    number = number_said(value)
    return {quantity.target: value if number is None else plain_number(number.value), "unit": quantity.unit}


def _is_other(file: Path, sha256: str) -> str | None:
    """Why a file is not the image that was labelled, or None."""
    try:
        return None if sha256_file(file) == sha256 else "the file is not the one that was labelled; its label was kept"
    except OSError as error:
        return f"cannot be read: {error.strerror}; its label was kept"
