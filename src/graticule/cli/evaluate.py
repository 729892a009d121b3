"""graticule evaluate RUN DATA --out DIR"""

from typing import Any

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
from graticule.cli.values import show_values
from graticule.jobs.options import EvaluateOptions
from graticule.tasks import REGRESSION


@options.grouped
def command(
    run: options.Run, data: options.Data, out: options.Out, chosen: EvaluateOptions, json: options.Json = False
) -> None:
    """Score other labelled images with a finished model, and hold its decisions against their labels."""
    from graticule.jobs.evaluate import evaluate

    with ProgressBars() as progress:
        result = evaluate(run, data, out, chosen, progress)
    metrics = result["metrics"]
    if json:
        print_json(metrics)
    elif metrics["task"] == REGRESSION:
        show_values(result, out)
        counts = result["decisions"]["decisions"]
        typer.echo(", ".join(f"{name} {n:,}" for name, n in counts.items()))
    else:
        names = ("accuracy", "balanced_accuracy", "macro_precision", "macro_sensitivity", "macro_f1")
        typer.echo(f"{metrics['n']:,} images, {len(metrics['classes'])} classes")
        rows = [(name.replace("_", " "), figure_text(metrics[name])) for name in names]
        print_table(("figure", "value (95 % interval)"), rows)
        print_mix(metrics)
        _print_decisions(result["decisions"])
        print_notes(metrics, result["warnings"])
        typer.echo(f"report: {out / 'report.html'}")
    exit_with_failures(result["failures"], f"see {out / 'failures.csv'}")


def _print_decisions(found: dict[str, Any]) -> None:
    typer.echo("")
    if found["acceptance"] is None:
        typer.echo(f"decisions: none; {found['words']}")
    else:
        acceptance = found["acceptance"]
        print_table(("decision", "share"), [(name, figure_text(share)) for name, share in found["decisions"].items()])
        said = {"kept": "kept", "missed": "NOT kept", "open": "inside the interval"}.get(
            acceptance["target"], "untested"
        )
        wanted = f"wanted {acceptance['rule']['target']:.1%}, {said}"
        typer.echo(f"accuracy among the accepted: {figure_text(acceptance['accuracy'])}; {wanted}")
    specimens = found["specimens"]
    if specimens is not None and specimens["n_specimens"]:
        typer.echo(
            f"{specimens['n_specimens']:,} specimens, judged rightly: {figure_text(specimens['majority'])} by the "
            f"class of most images, {figure_text(specimens['mean_score'])} by mean score"
        )
