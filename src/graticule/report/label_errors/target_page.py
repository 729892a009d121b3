"""The page of `label-errors` for numbers: true values that lie far from what their pictures look like."""

import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from graticule.arrays import FloatArray
from graticule.report.audit.content import breakable
from graticule.report.label_errors.page import TwoSizes, score_words
from graticule.report.page import render_page
from graticule.report.thumbnails import FileOf, ReadRgb
from graticule.report.values.amounts import Amount
from graticule.values import Values

TARGETS_SHOWN = 100


def render_suspicious_targets(document: Mapping[str, Any], values: Values, read: ReadRgb, file_of: FileOf) -> str:
    """The page of label_errors.json of a run of numbers, as HTML; it needs no network.

    Parameters
    ----------
    document : mapping
        label_errors.json.
    values : Values
        The images judged: neighbours in the true value are shown beside each image.
    read, file_of : functions
        Of a file, and of a sample_id.
    """
    pictures = TwoSizes(read, file_of)
    error = np.abs(values.value - values.target)
    amount = Amount.of(str(document["unit"]), float(np.median(error)), values.target)
    beyond = {str(row["sample_id"]) for row in document["errors"]}
    trusted = np.flatnonzero([str(sample) not in beyond for sample in values.sample_id])

    def card(row: Mapping[str, Any]) -> dict[str, Any]:
        # an image is no witness to its own value
        others = trusted[values.sample_id[trusted] != row["sample_id"]]
        return {
            "row": row,
            "uri": pictures.large(str(row["sample_id"])),
            "true": amount(row["target"]),
            "predicted": amount(row["predicted"]),
            "limits": None if row["low"] is None else f"{amount.plain(row['low'])} to {amount(row['high'])}",
            "like": [
                (amount(float(values.target[i])), pictures.small(str(values.sample_id[i])))
                for at in (row["target"], row["predicted"])
                if (i := _nearest(values.target, others, float(at))) is not None
            ],
        }

    content = {
        "about": document,
        "amount": amount,
        "root": shlex.quote(str(document["root"])),
        "verdict": target_error_verdict(document),
        "listed": [card(row) for row in document["errors"][:TARGETS_SHOWN]],
        "next": [card(row) for row in document["next"]],
        "n_more": max(document["n_listed"] - TARGETS_SHOWN, 0),
    }
    return render_page("suspicious_targets.html.j2", content, styles=("label_errors.css",),
                       filters={"path": breakable, "score": score_words})  # fmt: skip


def target_error_verdict(document: Mapping[str, Any]) -> tuple[str, bool]:
    """The answer at the top of the page, and whether there is something to do."""
    n, listed = document["n"], document["n_listed"]
    if not listed:
        return (
            f"Of {n:,} true values none lies further from its prediction than chance puts it.",
            False,
        )
    expected = document["expected_by_chance"]
    chance = "fewer than 1" if expected < 1 else f"about {expected:.0f}"
    values = "1 true value lies" if listed == 1 else f"{listed:,} true values lie"
    return (
        f"{values} further from the prediction than chance puts such pictures: {chance} would, if all {n:,} were "
        "right. Look at these first; an image that is merely unlike all others is listed too.",
        True,
    )


def _nearest(target: FloatArray, rows: Any, value: float) -> int | None:
    """The image whose true value is closest to a value, among those that nobody doubts."""
    if not len(rows):
        return None
    return int(rows[np.argmin(np.abs(target[rows] - value))])
