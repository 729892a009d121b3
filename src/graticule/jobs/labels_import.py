"""`graticule labels import`: labels from a table into the record."""

from pathlib import Path
from typing import Any

from graticule.manifest import escape_path
from graticule.progress import Reporter, Silent
from graticule.record.events import EventDraft
from graticule.record.numbers import Quantity
from graticule.record.store import LabelStore
from graticule.record.table import check_names_against, read_drafts, without_conflicts
from graticule.regress.target import Target

_BLOCK = 200


def import_labels(
    labels: str,
    table: Path,
    *,
    root: Path | None = None,
    user: str | None = None,
    reason: str | None = None,
    target: Target | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Take labels from a table into the record, as events of action "import". The same row is taken in once.

    A row that was taken in before does nothing, also when its label was changed since. A row that says something else
    than what its person stands by changes it, on the record.

    Parameters
    ----------
    labels : str
        A label store, made when there is none.
    table : Path
        `.csv` or `.parquet` with columns path and label, and optionally user and sampling_prob. A row without a label
        is left out.
    root : Path, optional
        What the paths are relative to; by default the table's folder.
    user : str, optional
        Who said so, in rows without a user.
    reason : str, optional
        Stands in each event, before the table's name and hash.
    target : Target, optional
        The column of numbers that stands in the place of labels, with their unit and bounds.

    Returns
    -------
    dict
        "n" rows with a label, "n_stored", "n_unchanged" (said already), "n_known" (taken in before, changed since),
        "n_unlabelled", "failures": (path, error).
    """
    reporter = reporter or Silent()
    told = f"{reason or 'imported'}: {escape_path(table.name)}"
    drafts, failures, n_unlabelled = read_drafts(table, root, user, told, reporter, target)
    fine, conflicts = without_conflicts(drafts)
    counts = {"n_stored": 0, "n_unchanged": 0, "n_known": 0}
    with LabelStore.open(labels) as store:
        store.check_holds(None if target is None else Quantity(target.column, target.unit))
        check_names_against(store, fine, table)
        reporter.begin("storing", len(fine))
        for at in range(0, len(fine), _BLOCK):
            _store_block(store, fine[at : at + _BLOCK], counts)
            reporter.advance(min(at + _BLOCK, len(fine)))
        head = store.head()
        shown = store.shown
    return {
        "verb": "labels import",
        "labels": shown,
        "n": len(drafts) + len(failures),
        "n_unlabelled": n_unlabelled,
        **counts,
        "head": {"seq": head.seq, "hash": head.hash},
        "failures": failures + conflicts,
    }


def _store_block(store: LabelStore, block: list[EventDraft], counts: dict[str, int]) -> None:
    wanted = []
    for draft in block:
        standing = store.state_of(draft.image_sha256 or "").of(draft.who)
        if standing is not None and standing.new_value == draft.new_value:
            counts["n_unchanged"] += 1
        else:
            wanted.append(draft)
    before = store.head().seq or 0
    for event in store.append_all(wanted):
        counts["n_stored" if event.seq > before else "n_known"] += 1
