"""The cross-validated images of a run that predicts a number, and which of their true values are suspicious."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.errors import RunError
from graticule.label_errors.suspicious import CUT_OFF, FEWEST, SuspiciousTargets, suspect_targets
from graticule.manifest import Manifest, escape_path
from graticule.runs import read_document, read_run, require_finished, utc_now
from graticule.tasks import REGRESSION
from graticule.values import Values, read_values


@dataclass(frozen=True)
class JudgedTargets:
    """A run, its out-of-fold predictions, its samples, and what they say of their true values.

    Attributes
    ----------
    record, metrics : dict
        run.json and metrics.json.
    values : Values
        Of the cross-validated images.
    manifest : Manifest
        All samples of the run.
    found : SuspiciousTargets
    n_held_out : int
        Predicted images that are not judged.
    """

    record: dict[str, Any]
    metrics: dict[str, Any]
    values: Values
    manifest: Manifest
    found: SuspiciousTargets
    n_held_out: int


def judge_targets(run: Path) -> JudgedTargets:
    """Read a finished run and judge its true values.

    Raises
    ------
    RunError
        When it is not finished, has no out-of-fold predictions, or too few to judge by.
    """
    require_finished(run)
    record = read_run(run, (REGRESSION,))
    everything = read_values(run / "predictions.parquet")
    values = everything.of_part("cv")
    if record.get("verb") != "train" or not len(values):
        kind = "an evaluation" if record.get("verb") == "evaluate" else "trained with one fold"
        raise RunError(
            f"{run} has no out-of-fold predictions ({kind}): wrong values are told from models that did not see the "
            "image. Train with --folds 2 or more"
        )
    if len(values) < FEWEST:
        raise RunError(
            f"{run} has {len(values)} cross-validated images; at least {FEWEST} are needed to tell a wrong value from "
            "a hard image. Look at the images that are most off in its report instead"
        )
    found = suspect_targets(values.target, values.value, values.low, values.high)
    manifest = Manifest.read(run / "manifest.parquet", REGRESSION)
    return JudgedTargets(
        record, read_document(run / "metrics.json"), values, manifest, found, len(everything) - len(values)
    )


def target_rows(judged: JudgedTargets) -> list[dict[str, Any]]:
    """One row an image, most suspect first: its numbers, how far off it is, its score, and the evidence in words."""
    values, found = judged.values, judged.found
    others = _errors_of_others(values)
    rows = []
    for rank, i in enumerate(found.order.tolist(), start=1):
        limits = [float(end[i]) if np.isfinite(end[i]) else None for end in (values.low, values.high)]
        off = float(found.off[i])
        side = "below" if off > 0 else "above"
        evidence = f"the true value lies {abs(off):.1f} robust standard deviations {side} what the picture looks like"
        if others is not None and np.isfinite(others[i]):
            told = f"{others[i]:+.2g}".replace("-", "−")
            evidence += f"; the other images of its group are off by {told} on average, predicted less true"
        rows.append({
            "rank": rank,
            "sample_id": str(values.sample_id[i]),
            "path": str(values.path[i]),
            "target": float(values.target[i]),
            "predicted": float(values.value[i]),
            "low": limits[0],
            "high": limits[1],
            "off": off,
            "score": float(found.score[i]),
            "group": None if values.group is None else str(values.group[i]),
            "evidence": evidence,
        })  # fmt: skip
    return rows


def _errors_of_others(values: Values) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Mean error of the other images of each image's group, NaN where it has none, shape (n,); None without groups."""
    if values.group is None:
        return None
    _, code = np.unique(values.group.astype(str), return_inverse=True)
    error = values.value - values.target
    total, size = np.bincount(code, weights=error), np.bincount(code)
    rest = size[code] - 1
    return np.where(rest > 0, (total[code] - error) / np.maximum(rest, 1), np.nan)


def describe_targets(run: Path, judged: JudgedTargets) -> dict[str, Any]:
    """label_errors.json without its schema version: the listed images, most suspect first, and what they rest on."""
    rows = target_rows(judged)
    n_listed = int(judged.found.listed.sum())
    return {
        "verb": "label-errors",
        "task": REGRESSION,
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "run": escape_path(str(run)),
        "root": escape_path(str(judged.manifest.root)),
        "target": judged.metrics["target"],
        "unit": str(judged.metrics.get("unit") or ""),
        "n": len(judged.values),
        "n_held_out": judged.n_held_out,
        "n_listed": n_listed,
        "expected_by_chance": judged.found.expected,
        "cut_off": CUT_OFF,
        "errors": rows[:n_listed],
        "next": rows[n_listed : n_listed + 12],
    }
