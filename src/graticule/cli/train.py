"""graticule train DATA --out RUN"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, figure_text, print_json, print_notes, print_table
from graticule.cli.interrupt import say_after_interrupt

Method = Annotated[
    str,
    typer.Option(metavar="features|finetune", help="A classifier on frozen features, or the network itself trained."),
]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit", help="features: ship one head refitted on all images instead of the mean of the fold heads."
    ),
]
NearDuplicates = Annotated[
    str,
    typer.Option(
        metavar="auto|join|exact",
        help="Near-duplicates stay on one side of a split (auto: unless too few units for the folds are left), or "
        "only exact ones do.",
    ),
]


@dataclass(frozen=True)
class Training:
    """Options of --method finetune, except the size of a batch."""

    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="finetune: passes over the images; default by their number.")
    ] = None
    input_size: Annotated[
        int | None,
        typer.Option(metavar="N", help="finetune: side of the input; default 160 px, on a GPU the network's own."),
    ] = None
    lr: Annotated[
        float | None, typer.Option(metavar="X", help="finetune: highest learning rate; default by the network.")
    ] = None
    augment: Annotated[
        str,
        typer.Option(metavar="auto|microscopy|ultrasound|none", help="finetune: how training images are varied."),
    ] = "auto"
    balance: Annotated[
        str, typer.Option(metavar="auto|loss|none", help="finetune: weigh rare classes in the loss; auto: if rare.")
    ] = "auto"
    frozen_blocks: Annotated[
        int, typer.Option(metavar="N", help="finetune: the first N blocks keep their weights, which is faster.")
    ] = 0
    compile: Annotated[
        bool, typer.Option("--compile", help="finetune: let torch compile the network; pays on a GPU.")
    ] = False
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="finetune: ship the networks of all folds instead of one refitted.")
    ] = False
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="finetune: what computes.")] = "auto"
    resume: Annotated[bool, typer.Option("--resume", help="finetune: go on with the interrupted run in --out.")] = False


@options.grouped
def command(
    data: options.Data,
    out: options.Out,
    method: Method = "features",
    backbone: options.Backbone = "efficientnet_lite0",
    weights: options.Weights = None,
    head: Annotated[str, typer.Option(metavar="auto|logistic|svm", help="features: the classifier.")] = "auto",
    folds: Annotated[int, typer.Option(metavar="K", help="Folds of the cross-validation.")] = 5,
    test_size: Annotated[float, typer.Option(metavar="F", help="Share held out and opened once.")] = 0.0,
    calibration: Annotated[float, typer.Option(metavar="F", help="Share set aside for guaranteed decisions.")] = 0.0,
    group: options.Group = "auto",
    views: Annotated[
        int | None,
        typer.Option(metavar="1|4|8", help="Average over rotations and flips; default 4, for ultrasound 1."),
    ] = None,
    refit: Refit = False,
    training: Training = Training(),
    reading: options.Reading = options.Reading(),
    near_duplicates: NearDuplicates = "auto",
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Measure on a leaking split all the same; stamps the report.")
    ] = False,
    seed: options.Seed = 0,
    root: options.Root = None,
    workers: options.Workers = None,
    batch_size: Annotated[
        int | None,
        typer.Option(metavar="N", help="Images per network call, default 8; finetune: per training step, default 32."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Train and cross-validate a classifier; leaves a run folder with a model and a report."""
    from graticule.jobs.train.job import train
    from graticule.jobs.train.options import TrainOptions

    chosen = TrainOptions(
        method=method,
        backbone=backbone,
        weights=weights,
        head=head,
        folds=folds,
        test_size=test_size,
        calibration=calibration,
        group=group,
        views=views,
        refit=refit,
        near_duplicates=near_duplicates,
        allow_leaks=allow_leaks,
        seed=seed,
        root=root,
        workers=workers,
        batch_size=batch_size,
        **vars(training),
        **vars(reading),
    )
    if method == "finetune":
        kept = "finished folds and the last checkpoint are kept"
        say_after_interrupt(f"{kept}; go on with the same command and --resume")
    with ProgressBars() as progress:
        run = train(data, out, chosen, progress)
    if not run:  # a further process of a distributed training
        return
    if json:
        print_json(run["metrics"])
    else:
        _show(run, out / "report.html")
    exit_with_failures(run["failures"], f"see {out / 'failures.csv'}")


def _show(run: dict, report: object) -> None:  # type: ignore[type-arg]
    metrics = run["metrics"]
    how = "out-of-fold" if metrics["part"] == "cv" else "held-out part"
    typer.echo(f"{metrics['n']:,} images, {len(metrics['classes'])} classes, {run['folds']['strategy']}")
    rows = [
        (label, figure_text(metrics[name]), f"{100 * metrics[name]['baseline']:.1f} %")
        for name, label in (
            ("accuracy", "accuracy"),
            ("balanced_accuracy", "balanced accuracy"),
            ("macro_precision", "macro precision"),
            ("macro_f1", "macro F1"),
        )
    ]
    print_table((how, "value (95 % interval)", "majority class"), rows)
    if metrics["test"] is not None and metrics["part"] == "cv":
        typer.echo(f"held-out part: accuracy {figure_text(metrics['test']['accuracy'])}")
    embedding = run["embedding"]
    typer.echo(f"{embedding['decoded']:,} images decoded, {embedding['cached']:,} taken from the cache")
    print_notes(metrics, run["warnings"])
    typer.echo(f"report: {report}")
