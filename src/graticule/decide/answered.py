"""What the answers of a whole `predict` run say together: counts, errors to expect, images novel among all of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graticule.answers import DECISIONS, UNKNOWN, nullable, read_rows, read_shard, replace_shard
from graticule.arrays import FloatArray
from graticule.decide.decisions import ACCEPT, REVIEW, expected_errors
from graticule.decide.judge import reject_novel
from graticule.decide.novelty import benjamini_hochberg
from graticule.decide.rule import Rule
from graticule.value_answers import LIMITS


def tally_answers(files: Sequence[Path], classes: tuple[str, ...], rule: Rule | None) -> dict[str, Any]:
    """Counts per class and decision, the mean score, and the errors to expect among the accepted.

    Parameters
    ----------
    files : sequence of Path
        Shards, read one after the other.
    classes : tuple of K str
    rule : Rule or None
        None: nothing was accepted or sent to review.

    Returns
    -------
    dict
        "classes", "decisions", "n_undecided", "mean_score", "expected_errors" of summary.json.
    """
    per_class, per_decision = np.zeros(len(classes), int), np.zeros(1 + len(DECISIONS), int)
    scores, accepted = [np.zeros(0)], [np.zeros(0)]
    for file in files:
        rows = read_rows(file)
        readable = rows.called != UNKNOWN
        per_class += np.bincount(rows.called[readable], minlength=len(classes))
        per_decision += np.bincount(rows.decision + 1, minlength=1 + len(DECISIONS))
        scores.append(rows.score[readable])
        accepted.append(rows.score[rows.decision == DECISIONS.index(ACCEPT)])
    every = np.concatenate(scores)
    decisions: dict[str, int | None] = dict(zip(DECISIONS, per_decision[1:].tolist(), strict=True))
    return {
        "classes": dict(zip(classes, per_class.tolist(), strict=True)),
        "decisions": decisions if rule else decisions | {ACCEPT: None, REVIEW: None},
        "n_undecided": int(per_decision[0]),
        "mean_score": float(every.mean()) if len(every) else None,
        "expected_errors": None if rule is None else expected_errors(rule, np.concatenate(accepted)),
    }


def reject_by_fdr(files: Sequence[Path], alpha: float) -> None:
    """Reject novel images by the p-values of the whole run, shard by shard; a novel number keeps no limits."""
    novelty = [_numbers(read_shard(file)["novelty"]) for file in files]
    novel = benjamini_hochberg(np.concatenate(novelty), alpha)
    start = 0
    for file, p in zip(files, novelty, strict=True):
        table = read_shard(file)
        mine = novel[start : start + len(p)]
        decision, reason = reject_novel(table["decision"].to_pylist(), table["reason"].to_pylist(), mine)
        for name, values in (("decision", decision), ("reason", reason)):
            table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
        for name in LIMITS:
            if name in table.column_names:
                kept = np.where(mine, np.nan, _numbers(table[name]))
                table = table.set_column(table.column_names.index(name), name, nullable(kept))
        replace_shard(file, table)
        start += len(p)


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
