"""`graticule labels verify | export`: the record of decisions, checked, and as a manifest."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graticule import __version__
from graticule.errors import LabelStoreError, OptionError
from graticule.files import sha256_file
from graticule.manifest import escape_path
from graticule.record.data_set import join
from graticule.record.events import Event
from graticule.record.exports import (
    APART_COLUMNS,
    OPEN_COLUMNS,
    Collected,
    EventFiles,
    label_columns,
    labels_by_kind,
    read_events,
    with_numbers,
    write_rows,
)
from graticule.record.store import LabelStore
from graticule.record.trail import ChainEnd, Verification, parse_head, verify_chain
from graticule.runs import read_json, reserved, utc_now, write_json


def verify_labels(labels: str, *, head: str | None = None) -> dict[str, Any]:
    """Walk the chain of events and compare it with a head noted earlier.

    Parameters
    ----------
    labels : str
        A label store, or a record that `export_labels` wrote as Parquet.
    head : str, optional
        "HASH", "NUMBER:HASH", or the *-head.json of an export.

    Returns
    -------
    dict
        "labels", "sound", "n_events" (sound ones, from the first on), "head" (of them), "first_bad", "problem",
        "given_head", "proven_up_to", "tail", "missing_guards", "foreign_rules" (triggers and rules that are not ours).
    """
    given = None if head is None else _given_head(head)
    if labels.endswith(".parquet"):
        return _verified(labels, verify_chain(read_events(Path(labels)), given), (), ())
    with LabelStore.open(labels, read_only=True) as store:
        return _verified(store.shown, store.verify(given), store.missing_guards(), store.foreign_rules())


def _given_head(text: str) -> ChainEnd:
    if not text.endswith(".json"):
        return parse_head(text)
    head = read_json(Path(text)).get("head")
    if not isinstance(head, dict) or not isinstance(head.get("seq"), int):
        raise OptionError(f"--head {text}: the file holds no head; name the *-head.json that `labels export` wrote")
    return parse_head(f"{head['seq']}:{head.get('hash')}")


def _verified(labels: str, found: Verification, missing: tuple[str, ...], foreign: tuple[str, ...]) -> dict[str, Any]:
    given = found.given
    return {
        "labels": labels,
        "sound": found.sound and not missing and not foreign,
        "n_events": found.n_events,
        "head": {"seq": found.head.seq, "hash": found.head.hash},
        "first_bad": found.first_bad,
        "problem": found.problem,
        "given_head": None if given is None else {"seq": given.seq, "hash": given.hash},
        "proven_up_to": found.proven,
        "tail": found.tail,
        "missing_guards": list(missing),
        "foreign_rules": list(foreign),
    }


def export_labels(
    labels: str,
    out: Path,
    *,
    data: Path | None = None,
    root: Path | None = None,
    min_people: int = 1,
    tolerance: float = 0.0,
    sound_part: bool = False,
) -> dict[str, Any]:
    """Write the agreed labels, or numbers, as a manifest, what is not agreed apart, and the whole record.

    Beside OUT (labels.csv, say) stand labels-doubtful.csv, labels-novel.csv, labels-open.csv (no agreement),
    labels-events.csv, labels-events.parquet, and, last, labels-head.json.

    Parameters
    ----------
    labels : str
    out : Path
        The manifest, `.csv` or `.parquet`.
    data : Path, optional
        A labelled data set. Its rows and further columns (group, specimen, ...) are kept, agreed labels take the place
        of theirs, and images that are doubtful, novel or without agreement are left out.
    root : Path, optional
        What the data set's paths are relative to.
    min_people : int
        How many persons must have decided on an image, without an adjudication.
    tolerance : float
        Numbers of several persons up to this far apart agree, and their mean is written.
    sound_part : bool
        Of a broken chain, export what stands before the first bad event instead of nothing.

    Returns
    -------
    dict
        As in the file *-head.json: "head", "n_events", counts, "files"; "failures": (path, error) of images of `data`
        that are not the ones labelled.

    Raises
    ------
    LabelStoreError
        When the chain is broken, or a file exists already.
    """
    if min_people < 1:
        raise OptionError(f"--min-people {min_people}: allowed are whole numbers from 1")
    if not 0.0 <= tolerance < math.inf:
        raise OptionError(f"--tolerance {tolerance:g}: allowed are numbers from 0")
    files = _output_files(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with reserved(out, "export", lambda: _refuse_existing(files)):
        found, collected, shown = _gathered(labels, files, sound_part=sound_part)
        rows, unagreed = collected.rows(min_people, tolerance)
        quantity = collected.quantity
        settings = {
            "labels": escape_path(shown),
            "min_people": min_people,
            "target": None if quantity is None else quantity.target,
            "unit": None if quantity is None else quantity.unit,
            "tolerance": None if quantity is None else tolerance,
            "data": None if data is None else escape_path(str(data.absolute())),
        }
        parts = labels_by_kind(rows)
        columns = label_columns(quantity)
        failures: list[tuple[str, str]] = []
        if data is None:
            parts["labels"] = with_numbers(parts["labels"], quantity)
        else:
            columns, parts["labels"], failures = join(data, root, rows, unagreed, quantity)
        document = _written(out, files, columns, parts, unagreed, _described(found, settings, parts, unagreed))
    return document | {"failures": failures}


def _written(
    out: Path,
    files: Mapping[str, Path],
    columns: Sequence[str],
    parts: Mapping[str, Sequence[Mapping[str, Any]]],
    unagreed: Sequence[Mapping[str, Any]],
    described: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the tables and, last, the file *-head.json, which is returned."""
    write_rows(out, columns, parts["labels"])
    for name in ("doubtful", "novel"):
        write_rows(files[name], APART_COLUMNS, parts[name])
    write_rows(files["open"], OPEN_COLUMNS, unagreed)
    document = {
        **described,
        "files": {file.name: sha256_file(file) for name, file in files.items() if name != "head"},
    }
    write_json(files["head"], document)
    return document


def _gathered(labels: str, files: Mapping[str, Path], *, sound_part: bool) -> tuple[Verification, Collected, str]:
    """Verify, then write the record of events while gathering decisions; also the store's name for messages."""
    with LabelStore.open(labels, read_only=True) as store:
        found = store.verify()
        if not found.sound and not sound_part:
            raise LabelStoreError(
                f"nothing was exported: the chain of {store.shown} is broken. {found.problem}. What stands before the "
                "first bad event can be had with --sound-part"
            )
        collected = Collected()
        with EventFiles(files["events_csv"], files["events"]) as log:
            for row in store.rows(up_to=found.head.seq):
                log.add(row)
                collected.add(Event.of(row))
        return found, collected, store.shown


def _described(
    found: Verification,
    settings: Mapping[str, Any],
    parts: Mapping[str, Sequence[Mapping[str, Any]]],
    unagreed: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The file *-head.json without the hashes of the files."""
    labels = parts["labels"]
    return {
        "verb": "labels export",
        "graticule_version": __version__,
        "created_utc": utc_now(),
        **settings,
        "head": {"seq": found.head.seq, "hash": found.head.hash},
        "n_events": found.n_events,
        "chain": {"sound": found.sound, "first_bad": found.first_bad, "problem": found.problem},
        "n_labels": len(labels),
        "n_relabelled": sum(row.get("label_from") == "record" for row in labels) if settings["data"] else None,
        "n_bulk": sum(bool(row.get("bulk")) for row in labels),
        "n_doubtful": len(parts["doubtful"]),
        "n_novel": len(parts["novel"]),
        "n_open": len({row["path"] for row in unagreed}),
    }


def _output_files(out: Path) -> dict[str, Path]:
    """Every file to write."""
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise OptionError(f"--out {out}: name a file that ends in .csv or .parquet")
    beside = {name: out.with_name(f"{out.stem}-{name}{out.suffix}") for name in ("doubtful", "novel", "open")}
    files = {
        "labels": out,
        **beside,
        "events_csv": out.with_name(f"{out.stem}-events.csv"),
        "events": out.with_name(f"{out.stem}-events.parquet"),
        "head": out.with_name(f"{out.stem}-head.json"),
    }
    return files


def _refuse_existing(files: Mapping[str, Path]) -> None:
    there = [str(file) for file in files.values() if file.exists() or file.is_symlink()]
    if there:
        raise LabelStoreError(f"nothing was exported: {', '.join(there)} exists already; choose another --out")
