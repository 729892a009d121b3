"""What stands on the page of predicted numbers, section by section, as plain values for the template."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np
from markupsafe import Markup

from graticule.arrays import numbered
from graticule.report.quantities import METHODS, ShownFigure, figure_value, percent, show
from graticule.report.reproduction import reproduction_content
from graticule.report.run.training import training_content
from graticule.report.run.wording import model_run
from graticule.report.thumbnails import ReadRgb, thumbnail
from graticule.report.values import charts, wording
from graticule.report.values.catalogue import CARDS, DEFINITIONS, ROWS
from graticule.report.values.source import ValueSource

WORST = 18
FOLDED = 25


def value_content(source: ValueSource, read: ReadRgb) -> dict[str, Any]:
    """All values the template needs; None where a run has no such section."""
    points = value_points(source)
    test = source.metrics.get("test")
    return {
        "subject": _subject(source),
        "kind": "evaluation of a finished model" if source.external else "regression report",
        "run": source.run,
        "target": source.target,
        "amount": source.amount,
        "n": source.metrics["n"],
        "n_groups": source.metrics.get("n_groups"),
        "several": source.unit_of_sampling[1],
        "one": source.unit_of_sampling[0],
        "verdict": wording.value_verdict(source),
        "alerts": wording.value_alerts(source),
        "out_of_fold": source.part == "cv",
        "cards": _cards(source),
        "rows": _rows(source, source.metrics),
        "thirds": source.metrics["bias_by_third"],
        "notes": source.metrics.get("notes") or [],
        "shrinkage": wording.shrinkage_note(source),
        "truth": charts.truth_figure(points, source.target, source.amount.axis),
        "some": len(points) > charts.MOST_POINTS,
        "n_drawn": len(points.drawn),
        "errors": _errors(source, points),
        "groups": _groups(source, points),
        "limits": _limits(source),
        "worst": _worst(source, read),
        "simpler": _simpler(source),
        "learning": _learning(source),
        "folds": _folds(source),
        "test": None if not test or source.part == "test" else {"n": test["n"], "rows": _rows(source, test)},
        "heads": [fold | {"chosen": _chosen(fold)} for fold in (source.run.get("head") or {}).get("folds") or []],
        "failures": source.failures,
        "reproduce": reproduction_content(source.run, model_run(source.run) if source.external else None),
        "training": None if source.external else training_content(source.run),
        "methods_paragraph": wording.value_methods(source),
        "definitions": DEFINITIONS,
        "interval_methods": [(name, METHODS.get(name, name)) for name in _methods_used(source.metrics)],
    }


def value_points(source: ValueSource) -> charts.Points:
    """The images that the figures are about, as they are drawn."""
    shown, amount = source.shown, source.amount
    titles = []
    for i in range(len(shown)):
        known = np.isfinite(shown.low[i]) and np.isfinite(shown.high[i])
        limits = f" ({amount.plain(float(shown.low[i]))} to {amount.plain(float(shown.high[i]))})" if known else ""
        own = f", {source.groups[i]}" if source.groups[i] else ""
        said = f"predicted {amount.plain(float(shown.value[i]))}{limits}, true {amount.plain(float(shown.target[i]))}"
        titles.append(f"{PurePath(str(shown.path[i])).name}{own}: {said}")
    return charts.Points(shown.target, shown.value, shown.low, shown.high, numbered(source.groups.astype(str)), titles)


def _subject(source: ValueSource) -> str:
    data = source.run.get("data") or {}
    path = PurePath(str(data.get("source") or data.get("root") or "images"))
    if path.suffix.lower() in (".csv", ".parquet"):
        return path.stem if path.stem != "manifest" or not path.parent.name else path.parent.name
    return path.name or "images"


def _cards(source: ValueSource) -> list[tuple[str, ShownFigure, str]]:
    """Headline figures: (name, as written, what it is held against)."""
    metrics, amount = source.metrics, source.amount
    mean = (metrics["baselines"] or {}).get("mean") or {}
    intervals = metrics.get("intervals") or {}
    below = {
        "mae": f"always the mean: {amount(figure_value(mean.get('mae')))}" if mean else "",
        "r2": "0 is no better than the mean",
        "bias": "0 is none",
        "slope": "1 is not drawn to the middle",
    }
    cards = [(row.name, amount.show(metrics.get(row.key), bare=row.bare), below.get(row.key, "")) for row in CARDS]
    coverage = intervals.get("coverage")
    if coverage:
        cards.append(("Limits that hold", show(coverage, "percent"), f"{percent(intervals['level'], 0)} meant"))
    return cards


def _rows(source: ValueSource, metrics: Mapping[str, Any]) -> list[tuple[str, ShownFigure, str]]:
    """The table of all figures: (name, as written, method)."""
    amount, found = source.amount, list[tuple[str, ShownFigure, str]]()
    for row in ROWS:
        figure = metrics.get(row.key)
        if figure is None or (row.key == "relative" and figure_value(figure) is None):
            continue
        shown = amount.show(figure, bare=row.bare)
        found.append((row.name, shown, str(figure["method"]).replace("_", " ")))
    within = metrics.get("within")
    if within:
        share = show(within["share"], "percent")
        share = replace(share, interval=share.span)
        found.append((f"Errors up to {amount(within['tolerance'])}", share, str(within["share"]["method"])))
    worst = metrics.get("worst_group")
    if worst:
        found.append((f"Mean absolute error of the worst {source.unit_of_sampling[0]}, {worst['group']}",
                      amount.show(worst["mae"]), worst["mae"]["method"].replace("-", " ")))  # fmt: skip
    return found


def _errors(source: ValueSource, points: charts.Points) -> list[tuple[str, Markup]]:
    low, high = (figure_value(source.metrics.get(f"agreement_{end}")) for end in ("low", "high"))
    agreement = None if low is None or high is None else (low, high)
    return [
        (by, charts.error_figure(points, by, source.target, source.amount.axis, agreement))
        for by in ("target", "value")
    ]


def _groups(source: ValueSource, points: charts.Points) -> dict[str, Any] | None:
    """Means of groups, the one that is most off first, and the errors of their images."""
    own = source.metrics.get("specimens")
    if not own or not own.get("groups"):
        return None
    names = np.unique(source.groups.astype(str)).tolist()
    rows = sorted(own["groups"], key=lambda row: (-abs(row["value"] - row["target"]), row["group"]))
    share = figure_value(own["between_share"])
    several = source.unit_of_sampling[1]
    return {
        "figure": charts.group_error_figure(points, names, source.amount.axis, several),
        "rows": rows,
        "folded": len(rows) > FOLDED,
        "level": own["level"],
        "mae": source.amount.show(own["mae"]),
        "between": None if share is None else percent(share, 0),
        "limits": any(row["low"] is not None for row in rows),
    }


def _limits(source: ValueSource) -> dict[str, Any] | None:
    """Limits of predictions: what is promised, and how they turned out."""
    found = source.metrics.get("intervals")
    if not found or not found.get("coverage"):
        return None
    thirds = [
        (row["width"], share, figure_value(row["coverage"], "low"), figure_value(row["coverage"], "high"))
        for row in found["by_width"]
        if (share := figure_value(row["coverage"])) is not None
    ]
    promised = (source.decisions or {}).get("intervals") or {}
    rows = [(f"{kind}, {name}", row) for key, kind in (("by_width", "by width"), ("by_prediction", "by prediction"))
            for name, row in zip(("lowest third", "middle third", "highest third"), found[key], strict=True)
            if row["n"]]  # fmt: skip
    return {
        "figure": charts.coverage_figure(thirds, found["level"], source.amount.axis),
        "rows": rows,
        "level": found["level"],
        "coverage": figure_value(found["coverage"]),
        "width": source.amount.show(found["width"]),
        "without": found.get("without") or 0,
        "below": found.get("groups_below"),
        "promises": promised.get("levels") or [],
        "why": promised.get("why"),
        "kept": {"kept": "kept", "missed": "missed", "open": "neither proven kept nor missed"}.get(str(found["kept"])),
    }


def _worst(source: ValueSource, read: ReadRgb) -> list[dict[str, Any]]:
    """The images that are most off, with their pictures."""
    shown, amount = source.shown, source.amount
    error = np.abs(shown.value - shown.target)
    rows = np.argsort(-error, kind="stable")[:WORST]
    cards = []
    for i in rows.tolist():
        known = np.isfinite(shown.low[i]) and np.isfinite(shown.high[i])
        cards.append({
            "uri": thumbnail(source.file_of(i), read),
            "path": str(shown.path[i]),
            "label": f"true {amount(float(shown.target[i]))}",
            "given": f"predicted {amount(float(shown.value[i]))}",
            "limits": f"{amount.plain(shown.low[i])} to {amount(shown.high[i])}" if known else "no limits",
            "group": str(source.groups[i]),
        })  # fmt: skip
    return cards


def _simpler(source: ValueSource) -> dict[str, Any] | None:
    """Simpler methods beside the model, the best first."""
    found = source.metrics["baselines"] or {}
    if not found:
        return None
    ordered = sorted(found.items(), key=lambda item: figure_value(item[1]["mae"]) or 0.0)
    rows = [(wording.baseline_name(name), own) for name, own in ordered]
    bars = [
        (name, figure_value(own["mae"]) or 0.0, figure_value(own["mae"], "low"), figure_value(own["mae"], "high"))
        for name, own in [("the model", source.metrics), *rows]
    ]
    return {"figure": charts.methods_figure(bars, source.amount.axis), "model": source.metrics, "rows": rows}


def _learning(source: ValueSource) -> dict[str, Any] | None:
    curve = source.metrics.get("learning_curve") or []
    known = [(float(p["n_train"]), figure_value(p.get("mae")), p) for p in curve]
    points = [(n, mae, figure_value(p, "low"), figure_value(p, "high")) for n, mae, p in known if mae is not None]
    if len(points) < 2:
        return None
    (n0, before, *_), (n1, after, low, high) = points[-2:]
    fall = 1 - after / before if before else 0.0
    answer = "Yes, probably." if fall > 0.05 else "Hardly." if fall < 0.02 else "Perhaps."
    amount = source.amount
    words = (
        f"From {n0:,.0f} to {n1:,.0f} training images the mean absolute error went from {amount(before)} to "
        f"{amount(after)}, {percent(abs(fall), 0)} {'less' if fall >= 0 else 'more'}."
    )
    if low is not None and high is not None and low <= before <= high:
        answer, words = "Perhaps.", f"{words} The folds differ by more than that, so the curve does not decide it."
    return {"figure": charts.learning_value_figure(points, amount.axis), "answer": answer, "words": words}


def _folds(source: ValueSource) -> list[dict[str, Any]]:
    """How the true values lie in each fold."""
    shown = source.shown
    names = np.unique(shown.fold[shown.fold >= 0])
    if len(names) < 2:
        return []
    edges = np.linspace(shown.target.min(), shown.target.max(), 13)
    if edges[0] == edges[-1]:
        return []
    return [
        {
            "fold": int(fold),
            "n": int((shown.fold == fold).sum()),
            "mean": source.amount(float(shown.target[shown.fold == fold].mean())),
            "mae": source.amount(float(np.abs(shown.value - shown.target)[shown.fold == fold].mean())),
            "panel": charts.fold_panel(
                shown.target[shown.fold == fold], shown.target[shown.fold != fold], edges, source.target
            ),
        }
        for fold in names
    ]


def _chosen(fold: Mapping[str, Any]) -> str:
    """Settings of the regression of a fold that are not told in other columns."""
    settings = [
        ", ".join(f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
                  for key, value in one.items() if key not in ("kind", "features"))
        for one in fold.get("settings") or []
    ]  # fmt: skip
    return "; ".join(settings)


def _methods_used(metrics: Mapping[str, Any]) -> list[str]:
    used = {str(value.get("method")) for value in metrics.values() if isinstance(value, Mapping) and "method" in value}
    return sorted(used)
