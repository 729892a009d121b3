"""graticule embed DATA --out FILE"""

from __future__ import annotations

from dataclasses import fields
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
    intensity: options.Intensity = "auto",
    info_bar: options.InfoBar = "crop",
    marks: options.Marks = "keep",
    scale: options.Scale = "squeeze",
    size_features: options.SizeFeatures = False,
    z: options.Z = None,
    channel: options.Channel = None,
    page: options.Page = None,
    root: options.Root = None,
    workers: options.Workers = None,
    batch_size: options.BatchSize = 8,
    json: options.Json = False,
) -> None:
    """Write the feature matrix with ids, for your own analysis."""
    given = dict(locals())
    from graticule.jobs.embed import EmbedOptions, embed

    chosen = EmbedOptions(**{field.name: given[field.name] for field in fields(EmbedOptions)})
    with Progress() as progress:
        result = embed(data, out, chosen, progress)
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
