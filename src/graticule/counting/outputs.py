"""What `graticule count` writes: one tidy table, one table of specimens, and the document that holds everything."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graticule.answers import DECISIONS, Scored
from graticule.arrays import FloatArray
from graticule.counting.counts import Estimate
from graticule.counting.figures import BINS_UM, Figures, bin_name, total_per_ml
from graticule.counting.tables import Details
from graticule.decide.specimens import Verdicts, specimen_accuracy
from graticule.files import writing_text
from graticule.plain_text import safe_cell

COLUMNS = ("specimen", "class", "bin", "quantity", "method", "value", "low", "high")
EVERY_CLASS = "(all classes)"


def write_counts(
    file: Path,
    figures: Figures,
    classes: Sequence[str],
    scopes: Sequence[str],
    totals: FloatArray | None,
    volume: FloatArray | None,
) -> None:
    """counts.csv: one row per specimen, class, size bin, quantity and method; what is not given has no row."""
    with writing_text(file) as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for (size, quantity, method), estimate in figures.estimates.items():
            for s, k in zip(*np.nonzero(~np.isnan(estimate.value)), strict=True):
                numbers = (f"{part[s, k]:.6g}" for part in (estimate.value, estimate.low, estimate.high))
                writer.writerow([safe_cell(scopes[s]), safe_cell(classes[k]), size, quantity, method, *numbers])
        if totals is not None and volume is not None:
            every = total_per_ml(totals, volume)
            for b, s in zip(*np.nonzero(~np.isnan(every.value)), strict=True):
                numbers = (f"{part[b, s]:.6g}" for part in (every.value, every.low, every.high))
                writer.writerow([safe_cell(scopes[s]), EVERY_CLASS, bin_name(BINS_UM[b]), "per_ml", "plain", *numbers])


def document_of(
    figures: Figures,
    scored: Scored,
    details: Details,
    verdicts: Verdicts,
    volume: FloatArray | None,
    totals: FloatArray | None,
) -> dict[str, Any]:
    """The body of counts.json."""
    readable = scored.called >= 0
    decided = np.bincount(scored.decision + 1, minlength=len(DECISIONS) + 1)
    content: dict[str, Any] = {
        "classes": list(scored.classes),
        "n": len(scored),
        "n_unreadable": int((~readable).sum()),
        "decisions": dict(zip(("undecided", *DECISIONS), decided.tolist(), strict=True)),
        "control": figures.control or None,
        "all": _scope(figures, scored.classes, 0, volume, totals)
        | {"n": len(scored), "review_share": _review_share(scored)},
        "specimens": {
            name: {"n": int(verdicts.n[s]), "review_share": _number(verdicts.review_share[s])}
            | _scope(figures, scored.classes, s + 1, volume, totals)
            for s, name in enumerate(details.names)
        },
        "specimen_accuracy": None,
        "notes": figures.notes,
    }
    if details.label is not None and details.names:
        content["specimen_accuracy"] = judged_rightly(verdicts, details)
    return content


def _review_share(scored: Scored) -> float | None:
    return float((scored.decision == 1).mean()) if len(scored) and (scored.decision >= 0).all() else None


def _scope(
    figures: Figures, classes: Sequence[str], scope: int, volume: FloatArray | None, totals: FloatArray | None
) -> dict[str, Any]:
    """Estimates of one scope: quantity, method, class; sizes apart."""
    found: dict[str, Any] = {"volume_ml": None if volume is None else _number(volume[scope])}
    for (size, quantity, method), estimate in figures.estimates.items():
        if np.isnan(estimate.value[scope]).all():
            continue
        place = found if size == "" else found.setdefault("sizes", {}).setdefault(size, {})
        place.setdefault(quantity, {})[method] = {name: _figure(estimate, (scope, k)) for k, name in enumerate(classes)}
    if totals is not None and volume is not None and not np.isnan(volume[scope]):
        every = total_per_ml(totals, volume)
        for b, least in enumerate(BINS_UM):
            found["sizes"][bin_name(least)]["per_ml"]["plain"][EVERY_CLASS] = _figure(every, (b, scope))
    if figures.tests:
        test = figures.tests[scope]
        found["label_shift"] = {"passed": test.passed, "p": test.p, "reasons": list(test.reasons)}
    return found


def _figure(estimate: Estimate, at: tuple[int, int]) -> dict[str, float | None]:
    return {name: _number(getattr(estimate, name)[at]) for name in ("value", "low", "high")}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def judged_rightly(verdicts: Verdicts, details: Details) -> dict[str, Any] | None:
    """How often specimens with one label are judged rightly; None where no specimen has one."""
    label = np.full(len(details.specimen), -1) if details.label is None else details.label
    found = specimen_accuracy(verdicts, details.specimen, label)
    del found["truth"]
    return found if found["n_specimens"] else None


def printed_rows(content: dict[str, Any], scope: str | None) -> Iterator[tuple[str, ...]]:
    """Rows of the table on stdout for all images (None) or a specimen: class, then one cell per method."""
    block = content["all"] if scope is None else content["specimens"][scope]
    for name in content["classes"]:
        yield (name, *(_cell(block["count"][method][name]) for method in block["count"]))


def _cell(figure: dict[str, float | None]) -> str:
    if figure["value"] is None or figure["low"] is None or figure["high"] is None:
        return "-"
    return f"{figure['value']:,.0f} ({figure['low']:,.0f} to {figure['high']:,.0f})"
