"""graticule evaluate RUN DATA --out DIR"""

from __future__ import annotations

from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import Progress, finish, percent, print_json, print_notes, print_table


@options.grouped
def command(
    run: options.Run,
    data: options.Data,
    out: options.Out,
    group: options.Group = "auto",
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Evaluate on synthetic images too; the report's title says so.")
    ] = False,
    any_depth: options.AnyDepth = False,
    seed: options.Seed = 0,
    loading: options.Loading = options.Loading(),
    json: options.Json = False,
) -> None:
    """Score other labelled images with a finished model; leaves metrics and a report."""
    from graticule.jobs.evaluate import EvaluateOptions, evaluate

    chosen = EvaluateOptions(group=group, seed=seed, any_depth=any_depth, synthetic=synthetic, **vars(loading))
    with Progress() as progress:
        result = evaluate(run, data, out, chosen, progress)
    metrics = result["metrics"]
    if json:
        print_json(metrics)
    else:
        names = ("accuracy", "balanced_accuracy", "macro_precision", "macro_sensitivity", "macro_f1")
        typer.echo(f"{metrics['n']:,} images, {len(metrics['classes'])} classes")
        rows = [(name.replace("_", " "), percent(metrics[name])) for name in names]
        print_table(("figure", "value (95 % interval)"), rows)
        print_notes(metrics, result["warnings"])
        typer.echo(f"report: {out / 'report.html'}")
    finish(result["failures"], f"see {out / 'failures.csv'}")
