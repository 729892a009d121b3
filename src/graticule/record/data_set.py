"""A data set with the agreed labels of the record in it: a new manifest, never an edit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graticule.files import sha256_file
from graticule.manifest import escape_path
from graticule.record.events import DOUBTFUL, NOVEL
from graticule.record.exports import LABEL_COLUMNS, labels_by_kind
from graticule.sources.sources import read_manifest


def join(
    data: Path, root: Path | None, rows: list[dict[str, Any]], unagreed: list[dict[str, Any]]
) -> tuple[tuple[str, ...], list[Mapping[str, Any]], list[tuple[str, str]]]:
    """A data set with the agreed labels in the place of its own.

    Parameters
    ----------
    data : Path
        A labelled data set, as for `train`.
    root : Path, optional
        What the paths of its table are relative to.
    rows, unagreed : lists of dict
        From `graticule.record.exports.label_rows` and `open_rows`. Images that are doubtful, novel or without agreement
        are left out.

    Returns
    -------
    columns : tuple of str
        `LABEL_COLUMNS`, "label_from" ("record" or "data") and the data set's further columns.
    joined : list of mappings
        Its rows in its order, then images that are not in it.
    failures : list of (path, error)
        Images that are not the ones labelled; they keep the label that the data set gives.
    """
    manifest = read_manifest(data, root=root)
    decided = {row["path"]: row for row in rows}
    undecided = {row["path"]: row for row in unagreed}
    own = [name for name in manifest.columns if name not in (*LABEL_COLUMNS, "label_from")]
    chance = manifest.columns.get("sampling_prob")
    joined: list[Mapping[str, Any]] = []
    failures: list[tuple[str, str]] = []
    for i, (path, label) in enumerate(zip(manifest.path, manifest.label, strict=True)):
        name = escape_path(path)
        base = {c: manifest.columns[c][i] for c in own} | {"path": name, "label": label, "label_from": "data"}
        # an image of the data set stands there whatever the queue picked
        base["sampling_prob"] = "1" if chance is None else chance[i]
        found = decided.get(name) or undecided.get(name)
        if found is not None and (error := _is_other(manifest.root / path, found["sha256"])):
            failures.append((name, error))
        elif found is not None and (name in undecided or found["label"] in (DOUBTFUL, NOVEL)):
            continue
        elif found is not None:
            base = {**found, **base, "label": found["label"], "label_from": "record"}
        joined.append(base)
    inside = {escape_path(path) for path in manifest.path}
    joined += [{**row, "label_from": "record"} for row in labels_by_kind(rows)["labels"] if row["path"] not in inside]
    return (*LABEL_COLUMNS, "label_from", *own), joined, failures


def _is_other(file: Path, sha256: str) -> str | None:
    """Why a file is not the image that was labelled, or None."""
    try:
        return None if sha256_file(file) == sha256 else "the file is not the one that was labelled; its label was kept"
    except OSError as error:
        return f"cannot be read: {error.strerror}; its label was kept"
