"""graticule train DATA --out RUN"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import Progress, finish, percent, print_json, print_notes, print_table


def command(
    data: options.Data,
    out: options.Out,
    method: Annotated[
        str, typer.Option(metavar="features", help="Frozen features with a classifier head.")
    ] = "features",
    backbone: options.Backbone = "efficientnet_lite0",
    weights: options.Weights = None,
    head: Annotated[str, typer.Option(metavar="auto|logistic|svm", help="Classifier on the features.")] = "auto",
    folds: Annotated[int, typer.Option(metavar="K", help="Folds of the cross-validation.")] = 5,
    test_size: Annotated[float, typer.Option(metavar="F", help="Share held out and opened once.")] = 0.0,
    group: options.Group = "auto",
    views: options.Views = 4,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Ship one head refitted on all images instead of the mean of the fold heads."),
    ] = False,
    intensity: options.Intensity = "auto",
    info_bar: options.InfoBar = "crop",
    marks: options.Marks = "keep",
    scale: options.Scale = "squeeze",
    size_features: options.SizeFeatures = False,
    z: options.Z = None,
    channel: options.Channel = None,
    page: options.Page = None,
    near_duplicates: Annotated[
        str,
        typer.Option(
            metavar="auto|join|exact",
            help="Near-duplicates stay on one side of a split (auto: unless too few units for the folds are left), or "
            "only exact ones do.",
        ),
    ] = "auto",
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Measure on a leaking split all the same; stamps the report.")
    ] = False,
    seed: options.Seed = 0,
    root: options.Root = None,
    workers: options.Workers = None,
    batch_size: options.BatchSize = 8,
    json: options.Json = False,
) -> None:
    """Train and cross-validate a classifier; leaves a run folder with a model and a report."""
    given = dict(locals())
    from graticule.errors import OptionError
    from graticule.jobs.train import train
    from graticule.jobs.train_options import TrainOptions

    if method != "features":
        raise OptionError(f"--method {method} is not known; allowed: features")
    chosen = TrainOptions(**{field.name: given[field.name] for field in fields(TrainOptions)})
    with Progress() as progress:
        run = train(data, out, chosen, progress)
    if json:
        print_json(run["metrics"])
    else:
        _show(run, out / "report.html")
    finish(run["failures"], f"see {out / 'failures.csv'}")


def _show(run: dict, report: object) -> None:  # type: ignore[type-arg]
    metrics = run["metrics"]
    how = "out-of-fold" if metrics["part"] == "cv" else "held-out part"
    typer.echo(f"{metrics['n']:,} images, {len(metrics['classes'])} classes, {run['folds']['strategy']}")
    rows = [
        (label, percent(metrics[name]), f"{100 * metrics[name]['baseline']:.1f} %")
        for name, label in (
            ("accuracy", "accuracy"),
            ("balanced_accuracy", "balanced accuracy"),
            ("macro_precision", "macro precision"),
            ("macro_f1", "macro F1"),
        )
    ]
    print_table((how, "value (95 % interval)", "majority class"), rows)
    if metrics["test"] is not None and metrics["part"] == "cv":
        typer.echo(f"held-out part: accuracy {percent(metrics['test']['accuracy'])}")
    embedding = run["embedding"]
    typer.echo(f"{embedding['decoded']:,} images decoded, {embedding['cached']:,} taken from the cache")
    print_notes(metrics, run["warnings"])
    typer.echo(f"report: {report}")
