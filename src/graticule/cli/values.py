"""What the verbs print of models of numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from graticule.cli.console import print_notes, print_table

_FIGURES = (
    ("mae", "mean absolute error"),
    ("rmse", "root mean square error"),
    ("r2", "R2"),
    ("bias", "bias"),
    ("slope", "slope of predicted on true"),
    ("relative", "mean relative error"),
)


def number_text(figure: Mapping[str, Any] | None) -> str:
    """A figure with its interval, in its own unit: "0.081 (0.07 to 0.094)"."""
    if figure is None or figure["value"] is None:
        return "not defined"
    interval = "" if figure["low"] is None else f" ({figure['low']:.3g} to {figure['high']:.3g})"
    return f"{figure['value']:.3g}{interval}"


def show_values(run: Mapping[str, Any], out: Path) -> None:
    """What `train` and `evaluate` say of a model of a number: figures beside those of the mean, limits, notes."""
    metrics = run["metrics"]
    groups = "" if metrics["n_groups"] is None else f" of {metrics['n_groups']:,} groups"
    unit = f" [{metrics['unit']}]" if metrics["unit"] else ""
    typer.echo(f"{metrics['target']}{unit}: {metrics['n']:,} images{groups}" + _how(run))
    print_value_table(metrics)
    test = metrics["test"]
    if test is not None and metrics["part"] == "cv":
        typer.echo(f"held-out part: mean absolute error {number_text(test['mae'])}")
    limits = metrics["intervals"]
    if limits is not None:
        typer.echo(
            f"limits at {limits['level']:.0%}: hold {number_text(limits['coverage'])} of the numbers, mean width "
            f"{number_text(limits['width'])}"
        )
    print_notes(metrics, run["warnings"], "mae")
    report = out / "report.html"
    typer.echo(f"report: {report}" if report.is_file() else f"written to {out}")


def print_value_table(metrics: Mapping[str, Any]) -> None:
    """The figures, and beside what the error has to be held."""
    how = "out-of-fold" if metrics["part"] == "cv" else "held-out part"
    print_table((how, "value (95 % interval)"), [(label, number_text(metrics[name])) for name, label in _FIGURES])
    typer.echo("")
    from graticule.report.values.wording import baseline_name

    rows = [
        (baseline_name(name), number_text(found["mae"]), number_text(found["ratio"]))
        for name, found in metrics["baselines"].items()
    ]
    print_table(("held against", "mean absolute error", "the model's error is so many times that"), rows)


def print_values(summary: Mapping[str, Any]) -> None:
    """What `predict` says of a model of a number."""
    typer.echo(f"{summary['n']:,} images in {summary['wall_time_s']:.1f} s")
    unit = f" [{summary['unit']}]" if summary["unit"] else ""
    found = summary["quantiles"]
    if found is not None:
        names = {"0": "least", "0.25": "a quarter below", "0.5": "median", "0.75": "a quarter above", "1": "largest"}
        print_table((f"{summary['target']}{unit}", "value"), [(names[q], f"{v:.4g}") for q, v in found.items()])
    typer.echo("")
    print_table(("decision", "images"), summary["decisions"].items())
    limits = summary["limits"]
    typer.echo("limits: none" if limits is None else f"limits at {summary['level']:.0%}: {limits['words']}")


def _how(run: Mapping[str, Any]) -> str:
    return f", {run['folds']['strategy']}" if "folds" in run else ""
