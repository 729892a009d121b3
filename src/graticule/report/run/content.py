"""What stands on the page, section by section, as plain values for the template."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.evaluate.catalogue import OVERALL, PER_CLASS
from graticule.predictions import Predictions
from graticule.report import charts, curves, figures
from graticule.report.quantities import METHODS, figure_value
from graticule.report.reproduction import reproduction_content
from graticule.report.run import answers, wording
from graticule.report.run.actions import action_content
from graticule.report.run.mix import mix_content
from graticule.report.run.parts import gain, parts_told
from graticule.report.run.source import ReportSource
from graticule.report.run.stamps import kind_of_report, stamps
from graticule.report.run.training import training_content
from graticule.report.thumbnails import ReadRgb, choose_examples, thumbnail

FOLDED_GROUPS = 30


def page_content(source: ReportSource, read: ReadRgb) -> dict[str, Any]:
    """All values the template needs.

    Returns
    -------
    dict
        One entry per section; None or empty where a run has no such section.
    """
    rows = np.flatnonzero(source.predictions.part == source.part)
    shown = source.predictions.take(rows)
    test = source.metrics.get("test")
    seen = parts_told(source.run.get("head") or {})
    return {
        "subject": wording.run_subject(source),
        "external": source.external,
        "run": source.run,
        "classes": source.classes,
        "verdict": wording.run_verdict(source),
        "alerts": [*stamps(source), *wording.alerts(source)],
        "kind": kind_of_report(source),
        "evaluation": wording.evaluation(source),
        "overall": overall_figures(source.metrics),
        "data": data_content(source),
        "per_class": class_content(source.metrics),
        "mix": mix_content(source.metrics, held_out=not source.one_split),
        "confusion_matrix": confusion_content(source.metrics),
        "curves": curve_content(source, shown),
        "reliability": reliability_content(source),
        "actions": action_content(source.decisions),
        "examples": example_content(source, rows, read),
        "folds": fold_content(source.metrics),
        "groups": group_content(source.metrics),
        "learning": learning_content(source.metrics),
        "heads": (source.run.get("head") or {}).get("folds") or [],
        "told": seen,
        "gain": gain(seen),
        "training": training_content(source.run),
        "one_split": source.one_split,
        "headline": source.metrics,
        "test": test_content(test) if test and not source.one_split else None,
        "openings": source.run.get("test_openings") or [],
        "reproduce": reproduction_content(source.run, wording.model_run(source.run) if source.external else None),
        "methods_paragraph": answers.methods_paragraph(source),
        "quantities": [*OVERALL, *PER_CLASS],
        "interval_methods": [(name, METHODS.get(name, name)) for name in wording.methods_used(source.metrics)],
        "per_class_quantities": PER_CLASS,
    }


def overall_figures(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Headline cards and the table of all figures over all classes."""
    # a run of an earlier version may lack a figure
    rows = [(metric, metrics[metric.key]) for metric in OVERALL if metric.key in metrics]
    cards = [(metric, figure) for metric, figure in rows if metric.headline]
    return {
        "prefix": prefix,
        "rows": rows,
        "cards": [(q, figure, "" if q.lower_is_better else charts.interval_bar(figure)) for q, figure in cards],
        "notes": [str(note) for note in metrics.get("notes") or []],
        "pooled": metrics.get("part") == "cv" and any(figure_value(figure, "pooled") is not None for _, figure in rows),
    }


def data_content(source: ReportSource) -> dict[str, Any]:
    """Counts per class and what was left out of them."""
    data = source.run.get("data") or {}
    found = data.get("classes") or {name: m.get("n") for name, m in source.metrics["per_class"].items()}
    per_class = data.get("groups_per_class") or {}
    most = max([int(n) for n in found.values()], default=1) or 1
    return {
        "rows": [(name, n, 100 * n / most, per_class.get(name)) for name, n in found.items()],
        "n": data.get("n", source.metrics["n"]),
        "n_groups": data.get("n_groups"),
        "group_column": data.get("group_column"),
        "n_unlabelled": data.get("n_unlabelled") or 0,
        "n_ignored": data.get("n_ignored") or 0,
        "duplicates": data.get("duplicates") or {},
        "cues": list({row["cue"]: row for row in reversed(source.run.get("shortcuts") or [])}.values())[::-1],
        "sizes": data.get("image_sizes") or [],
        "failures": source.failures,
        "n_unreadable": max(len(source.failures), int(data.get("n_unreadable") or 0)),
    }


def class_content(metrics: Mapping[str, Any], prefix: str = "per_class") -> dict[str, Any]:
    """Rows of the per-class table, its totals and the picture beside it."""
    rows = [
        (name, figures.get("n"), [(q, figures.get(q.key), f"{prefix}/{name}/{q.key}") for q in PER_CLASS])
        for name, figures in metrics["per_class"].items()
    ]
    return {"rows": rows, "figure": charts.class_figure(dict(metrics["per_class"]))}


def confusion_content(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Counts and row rates with the depth of their shade, 0 to 100.

    Off the diagonal the shade follows the square root of the rate, so that rare confusions stay visible.
    """
    counts = np.array(metrics["confusion"], dtype=np.int64).reshape(len(metrics["classes"]), -1)
    total = counts.sum(axis=1, keepdims=True)
    rates = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    diagonal = np.eye(len(counts), dtype=bool)
    errors = np.where(counts > 0, 12 + 88 * np.sqrt(rates), 0)
    shade = np.rint(np.where(diagonal, 100 * rates, errors)).astype(int)
    rows = []
    for i, name in enumerate(metrics["classes"]):
        cells = [
            (int(counts[i, j]), float(rates[i, j]) if total[i, 0] else None, int(shade[i, j]), i == j)
            for j in range(len(counts))
        ]
        rows.append((name, int(total[i, 0]), cells))
    return {"rows": rows, "classes": list(metrics["classes"]), "given": counts.sum(axis=0).tolist()}


def curve_content(source: ReportSource, shown: Predictions) -> list[dict[str, Any]]:
    """ROC and precision-recall panels of each class, pooled over folds."""
    confusion = np.array(source.metrics["confusion"], dtype=np.float64)
    sides = [(shown.label == name, shown.proba[:, k]) for k, name in enumerate(shown.classes)]
    roc = [curves.roc_points(positive, score) for positive, score in sides]
    recall = [curves.precision_recall_points(positive, score) for positive, score in sides]
    kinds: list[dict[str, Any]] = []
    for kind, drawn, axes in (
        ("roc_auc", roc, ("1 − specificity", "sensitivity")),
        ("average_precision", recall, ("sensitivity", "precision")),
    ):
        panels = []
        for k, name in enumerate(shown.classes):
            positive = sides[k][0]
            chance = None if kind == "roc_auc" else (float(positive.mean()) if len(positive) else 0.0)
            point = _decision_point(confusion, k, kind)
            panel = figures.curve_panel(drawn[k], f"all-{kind}", k, axes, chance, point)
            figure = (source.metrics["per_class"].get(name) or {}).get(kind)
            pooled = figure_value(figure, "pooled")
            panels.append((name, figure_value(figure) if pooled is None else pooled, panel))
        backdrop = figures.curve_backdrop(drawn, kind != "roc_auc", f"all-{kind}")
        kinds.append({"kind": kind, "panels": panels, "backdrop": backdrop})
    return kinds


def _decision_point(confusion: NDArray[np.float64], k: int, kind: str) -> tuple[float, float] | None:
    """Where the class given by the highest score lies on the curve of class k; None when not defined."""
    hit, mine, given = confusion[k, k], confusion[k].sum(), confusion[:, k].sum()
    others = confusion.sum() - mine
    if mine == 0 or (kind == "roc_auc" and others == 0) or (kind != "roc_auc" and given == 0):
        return None
    sensitivity = float(hit / mine)
    return (float((given - hit) / others), sensitivity) if kind == "roc_auc" else (sensitivity, float(hit / given))


def reliability_content(source: ReportSource) -> dict[str, Any] | None:
    """Reliability diagram of the run's decisions with its answer in words; None where they hold none."""
    diagram = ((source.decisions or {}).get("calibration") or {}).get("reliability")
    if not diagram:
        return None
    confidence, right = (float(np.average(diagram[key], weights=diagram["n"])) for key in ("score", "accuracy"))
    answer = answers.reliability_answer(confidence, right, source.metrics.get("ece"))
    return {"figure": figures.reliability_figure(diagram), "answer": answer, "bins": len(diagram["n"])}


def example_content(source: ReportSource, rows: NDArray[np.int64], read: ReadRgb) -> dict[str, Any]:
    """Images right and wrong, with their scores; `rows` are the predictions shown."""
    shown = source.predictions.take(rows)
    chosen = choose_examples(shown)

    def card(row: int) -> dict[str, Any]:
        best = int(shown.proba[row].argmax())
        own = shown.classes.index(shown.label[row])
        return {
            "uri": thumbnail(source.file_of(int(rows[row])), read),
            "path": str(shown.path[row]),
            "label": str(shown.label[row]),
            "given": shown.classes[best],
            "score": float(shown.proba[row, best]),
            "own": float(shown.proba[row, own]),
        }

    right = {name: [card(row) for row in mine] for name, mine in chosen.right.items()}
    return {
        "wrong": [card(row) for row in chosen.wrong],
        "right": right,
        "n_wrong": int((shown.proba.argmax(axis=1) != shown.y).sum()) if len(shown) else 0,
        "each": max([len(mine) for mine in right.values()], default=1),
        "some": len(right) < len(shown.classes),
    }


def fold_content(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Table and picture of the spread over folds."""
    folds = metrics.get("per_fold") or []
    known = [q for q in OVERALL if any(figure_value(f.get(q.key)) is not None for f in folds)]
    if not folds or not known:
        return None
    rows = [(fold.get("fold", i), fold.get("n"), [(q, fold.get(q.key)) for q in known]) for i, fold in enumerate(folds)]
    drawn = [(q.name, [figure_value(f.get(q.key)) for f in folds], figure_value(metrics.get(q.key))) for q in known]
    return {"quantities": known, "rows": rows, "figure": charts.fold_figure(drawn)}


def group_content(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Table and picture of the groups, lowest accuracy first."""
    found = metrics.get("per_group") or []
    if isinstance(found, Mapping):
        found = [{"group": name, **figures} for name, figures in found.items()]
    rows = [(str(g.get("group")), int(g.get("n") or 0), figure_value(g.get("accuracy"))) for g in found]
    known = sorted(
        ((name, n, value) for name, n, value in rows if value is not None), key=lambda row: (row[2], -row[1], row[0])
    )
    if not known:
        return None
    values = [value for *_, value in known]
    sizes = [n for _, n, _ in known]
    overall = figure_value(metrics.get("accuracy")) or 0.0
    lower, _ = curves.funnel_limits(np.array(sizes), overall)
    return {
        "rows": known,
        "folded": len(known) > FOLDED_GROUPS,
        "median": float(np.median(values)),
        "lowest": known[0],
        "n_below": int((np.array(values) < lower - 1e-9).sum()),
        "figure": charts.group_figure(sizes, values, overall),
    }


def learning_content(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Learning curve with the answer to "would more images help?"."""
    curve = metrics.get("learning_curve") or []
    answer = answers.learning_answer(curve)
    if answer is None:
        return None
    points = [(p["n_train"], figure_value(p["balanced_accuracy"]), *answers.point_interval(p)) for p in curve]
    drawn = [(float(n), value, low, high) for n, value, low, high in points if value is not None]
    return {"answer": answer, "rows": curve, "figure": charts.learning_figure(drawn)}


def test_content(test: Mapping[str, Any]) -> dict[str, Any]:
    """The sections of the held-out part."""
    return {
        "n": test["n"],
        "overall": overall_figures(test, "test/"),
        "per_class": class_content(test, "test/per_class"),
        "confusion": confusion_content(test),
    }
