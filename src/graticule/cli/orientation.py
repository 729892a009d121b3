"""graticule orientation IMAGES --out DIR"""

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table
from graticule.jobs.options import OrientationOptions


@options.grouped
def command(
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder, image, or list of paths (.txt, .csv).")],
    out: options.Out,
    chosen: OrientationOptions,
    json: options.Json = False,
) -> None:
    """Measure how the structures of images are aligned: direction, share, order, each with its interval."""
    from graticule.jobs.orientation.job import orientation

    with ProgressBars() as progress:
        summary = orientation(images, out, chosen, progress)
    failures, rows = summary.pop("failures"), summary.pop("rows")
    if json:
        print_json(summary)
    else:
        _print(summary, rows, chosen.method)
        typer.echo(f"written to {out}; the page is {out / 'orientation.html'}")
    exit_with_failures(failures, f"see {out / 'failures.csv'}")


def _print(summary: dict[str, Any], rows: list[dict[str, Any]], method: str) -> None:
    from graticule.report.orientation.content import headline

    typer.echo(f"{summary['n']:,} images in {summary['wall_time_s']:.1f} s")
    print_table(("verdict", "images"), summary["verdicts"].items())
    typer.echo("")
    titles, table = headline(rows, method)
    print_table(("image", *titles), table)
    if summary["n"] - summary["n_unreadable"] > len(rows):
        typer.echo(f"and {summary['n'] - summary['n_unreadable'] - len(rows):,} more in orientation.parquet")
    if summary["n_scales_disagree"]:
        typer.echo(f"note: in {summary['n_scales_disagree']:,} images the figures depend on the scale; see the page")
    for warning in summary["warnings"]:
        typer.echo(f"note: {warning}")
