"""graticule embed DATA --out FILE"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import Progress, finish, print_json


def command(
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A .parquet, .npz or .csv file to create.")],
    backbone: options.Backbone = "efficientnet_lite0",
    weights: options.Weights = None,
    views: options.Views = 4,
    root: options.Root = None,
    workers: options.Workers = None,
    batch_size: options.BatchSize = 8,
    json: options.Json = False,
) -> None:
    """Write the feature matrix with ids, for your own analysis."""
    from graticule.jobs.embed import embed

    with Progress() as progress:
        result = embed(
            data,
            out,
            backbone=backbone,
            weights=weights,
            views=views,
            root=root,
            workers=workers,
            batch_size=batch_size,
            reporter=progress,
        )
    failures = result.pop("failures")
    if json:
        print_json(result)
    else:
        typer.echo(
            f"{result['n']:,} images, {result['n_features']} features; {result['decoded']:,} decoded, "
            f"{result['cached']:,} from the cache, {result['seconds']:.1f} s"
        )
        typer.echo(f"written to {out}")
    finish(failures, "they have no row")
