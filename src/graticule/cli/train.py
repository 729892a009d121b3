"""graticule train DATA --out RUN"""

import typer

from graticule.cli import options
from graticule.cli.console import (
    ProgressBars,
    exit_with_failures,
    figure_text,
    print_json,
    print_mix,
    print_notes,
    print_table,
)
from graticule.cli.interrupt import say_after_interrupt
from graticule.cli.values import show_values
from graticule.jobs.train.options import TrainOptions


@options.grouped
def command(data: options.Data, out: options.Out, chosen: TrainOptions, json: options.Json = False) -> None:
    """Train and cross-validate a classifier, or with --target a model of a number; leaves a run folder."""
    from graticule.jobs.train.job import train

    if chosen.method == "finetune":
        kept = "finished folds and the last checkpoint are kept"
        say_after_interrupt(f"{kept}; go on with the same command and --resume")
    with ProgressBars() as progress:
        run = train(data, out, chosen, progress)
    if not run:  # a further process of a distributed training
        return
    if json:
        print_json(run["metrics"])
    elif chosen.target is None:
        _show(run, out / "report.html")
    else:
        show_values(run, out)
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
    print_mix(metrics)
    embedding = run["embedding"]
    typer.echo(f"{embedding['decoded']:,} images decoded, {embedding['cached']:,} taken from the cache")
    print_notes(metrics, run["warnings"])
    typer.echo(f"report: {report}")
