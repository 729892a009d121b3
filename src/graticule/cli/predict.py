"""graticule predict RUN IMAGES --out DIR"""

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table
from graticule.cli.values import print_values
from graticule.jobs.options import PredictOptions


@options.grouped
def command(
    run: options.Run,
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder, image, or list of paths (.txt, .csv).")],
    out: options.Out,
    chosen: PredictOptions,
    json: options.Json = False,
) -> None:
    """Classify new images, or predict their number, and decide what to do with each; one row per file in Parquet."""
    from graticule.jobs.predict import predict

    with ProgressBars() as progress:
        summary = predict(run, images, out, chosen, progress)
    failures = summary.pop("failures")
    if json:
        print_json(summary)
    else:
        (print_values if "quantiles" in summary else _print_summary)(summary)
        for warning in summary["warnings"]:
            typer.echo(f"note: {warning}")
        typer.echo(f"written to {out}")
    exit_with_failures(failures, f"see {out / 'failures.csv'}")


def _print_summary(summary: dict[str, Any]) -> None:
    typer.echo(f"{summary['n']:,} images in {summary['wall_time_s']:.1f} s")
    print_table(("class", "images"), summary["classes"].items())
    typer.echo("")
    decisions = {name: "-" if count is None else count for name, count in summary["decisions"].items()}
    print_table(("decision", "images"), decisions.items())
    acceptance, errors = summary["acceptance"], summary["expected_errors"]
    typer.echo(f"acceptance: {acceptance['status']}; {acceptance['words']}")
    if errors is not None:
        typer.echo(
            f"errors to expect among the accepted: {errors['value']:.1f} ({errors['low']:.1f} to {errors['high']:.1f})"
        )
