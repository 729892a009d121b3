"""graticule predict RUN IMAGES --out DIR"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import Progress, finish, print_json, print_table


def command(
    run: options.Run,
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder, image, or list of paths (.txt, .csv).")],
    out: options.Out,
    workers: options.Workers = None,
    batch_size: options.BatchSize = 8,
    csv: Annotated[bool, typer.Option("--csv", help="Also write predictions.csv for spreadsheets.")] = False,
    any_depth: options.AnyDepth = False,
    json: options.Json = False,
) -> None:
    """Classify new images; one row per file in Parquet."""
    from graticule.jobs.predict import predict

    with Progress() as progress:
        summary = predict(
            run,
            images,
            out,
            workers=workers,
            batch_size=batch_size,
            write_csv=csv,
            any_depth=any_depth,
            reporter=progress,
        )
    failures = summary.pop("failures")
    if json:
        print_json(summary)
    else:
        typer.echo(f"{summary['n']:,} images in {summary['wall_time_s']:.1f} s")
        print_table(("class", "images"), summary["classes"].items())
        typer.echo(f"written to {out}")
    finish(failures, f"see {out / 'failures.csv'}")
