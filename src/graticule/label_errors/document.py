"""What label_errors.json and the list hold: an entry per doubtful label, and estimates per pair of classes."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.label_errors.judged import CrossValidated, Found
from graticule.label_errors.ranking import CUT_OFF, LabelErrors
from graticule.label_errors.words import evidence
from graticule.manifest import escape_path
from graticule.predictions import Predictions
from graticule.runs import utc_now

DESCRIBED = 10_000
_SHOWN_NEIGHBOURS = 5


def listed_paths(judged: CrossValidated, found: Found) -> set[str]:
    """Paths of the images whose label is listed as an error."""
    return set(judged.manifest.path[found.errors.listed].tolist())


def error_rows(judged: CrossValidated, found: Found, limit: int | None = None) -> list[dict[str, Any]]:
    """One entry per image, most suspect first: all of them, or the listed ones up to a limit."""
    errors, scored = found.errors, judged.predictions
    order = errors.order if limit is None else errors.order[: min(limit, int(errors.listed.sum()))]
    y, members = scored.y, _members(found)
    near = {pair: s for a, b, s in found.near for pair in ((a, b), (b, a))}
    rows = []
    for rank, i in enumerate(order.tolist(), start=1):
        label, suggested = int(y[i]), int(errors.suggested[i])
        rows.append(
            {
                "rank": rank,
                "path": scored.path[i],
                "label": scored.classes[label],
                "suggested": scored.classes[suggested],
                "score": round(float(errors.score[i]), 6),
                "p_label": round(float(scored.proba[i, label]), 6),
                "p_suggested": round(float(scored.proba[i, suggested]), 6),
                "neighbours": _neighbours(errors, scored, i),
                "copies": [
                    {"path": scored.path[j], "label": scored.label[j], "similarity": near.get((i, j))}
                    for j in members.get(int(found.copies[i]), ())
                    if j != i and errors.conflict[i]
                ],
            }
        )
        rows[-1]["evidence"] = evidence(rows[-1])
    return rows


def _members(found: Found) -> dict[int, list[int]]:
    members: dict[int, list[int]] = {}
    for i in np.flatnonzero(found.errors.conflict).tolist():
        members.setdefault(int(found.copies[i]), []).append(i)
    return members


def _neighbours(errors: LabelErrors, scored: Predictions, i: int) -> dict[str, Any] | None:
    if errors.neighbours is None:
        return None
    row = errors.neighbours.row[i]
    row = row[row >= 0]
    counts = Counter(scored.label[row].tolist())
    nearest = [{"path": scored.path[j], "label": scored.label[j]} for j in row[:_SHOWN_NEIGHBOURS].tolist()]
    return {"n": len(row), "labels": dict(counts.most_common()), "nearest": nearest}


def describe_errors(run: Path, judged: CrossValidated, found: Found) -> dict[str, Any]:
    """The content of label_errors.json."""
    errors, scored, noise = found.errors, judged.predictions, found.errors.noise
    n_listed = int(errors.listed.sum())
    sets = found.copies[errors.conflict]
    return {
        "verb": "label-errors",
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "run": escape_path(str(run.absolute())),
        "root": escape_path(str(judged.everything.root)),
        "n": len(scored),
        "n_held_out": judged.n_held_out,
        "n_unlabelled": int((judged.record.get("data") or {}).get("n_unlabelled") or 0),
        "classes": list(scored.classes),
        "agreement": float((scored.proba.argmax(axis=1) == scored.y).mean()),
        "cut_off": CUT_OFF,
        "n_listed": n_listed,
        "n_conflicts": int(errors.conflict.sum()),
        "conflict_sets": len(np.unique(sets)),
        "wrong_labels": {
            "value": noise.share,
            "low": None if np.isnan(noise.low) else noise.low,
            "high": None if np.isnan(noise.high) else noise.high,
            "level": noise.level,
            "method": "clear images",
            "n_clear": int(noise.clear.sum()),
            "n_contradicted": int(noise.clear.sum() - np.trace(noise.counts)),
            "clear_part": noise.part,
        },
        "pairs": _pairs(scored, errors),
        "pool": errors.exponents,
        "n_described": min(n_listed, DESCRIBED),
        "errors": error_rows(judged, found, DESCRIBED),
    }


def _pairs(scored: Predictions, errors: LabelErrors) -> list[dict[str, Any]]:
    """Label taken for class: how many such labels are listed and estimated; most listed first."""
    k, y, noise = len(scored.classes), scored.y, errors.noise
    listed = np.zeros((k, k), dtype=np.int64)
    doubted = errors.score >= CUT_OFF
    np.add.at(listed, (y[doubted], errors.suggested[doubted]), 1)
    estimated = {(i, j): (rate, low, high) for i, j, rate, low, high in noise.pairs()}
    for i, j in np.argwhere(listed > 0):
        estimated.setdefault((int(i), int(j)), noise.pair(int(i), int(j)))
    rows = [
        {
            "label": scored.classes[i],
            "suggested": scored.classes[j],
            "listed": int(listed[i, j]),
            "estimated": {name: float(value * noise.n_shown[j])
                          for name, value in zip(("value", "low", "high"), rates, strict=True)},
            "share": dict(zip(("value", "low", "high"), rates, strict=True)) | {"level": noise.level},
            "n_clear": int(noise.clear[j]),
            "n_contradicted": int(noise.counts[i, j]),
        }
        for (i, j), rates in estimated.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row["listed"], -row["estimated"]["value"], row["label"], row["suggested"]))
