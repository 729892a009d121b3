"""graticule embed DATA --out FILE"""

from pathlib import Path
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json
from graticule.jobs.options import EmbedOptions


@options.grouped
def command(
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A .parquet, .npz or .csv file to create.")],
    chosen: EmbedOptions,
    json: options.Json = False,
) -> None:
    """Write the feature matrix with ids, for your own analysis."""
    from graticule.jobs.embed import embed

    with ProgressBars() as progress:
        result = embed(data, out, chosen, progress)
    failures = result.pop("failures")
    if json:
        print_json(result)
    else:
        typer.echo(
            f"{result['n']:,} images, {result['n_features']} features; {result['decoded']:,} decoded, "
            f"{result['cached']:,} from the cache, {result['seconds']:.1f} s"
        )
        for warning in result["warnings"]:
            typer.echo(f"note: {warning}")
        typer.echo(f"written to {out}")
    exit_with_failures(failures, "they have no row")
