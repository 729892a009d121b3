"""graticule explain RUN IMAGES --out DIR"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table


def command(
    run: options.Run,
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="Labelled data as for train, or a folder or list as for predict.")
    ],
    out: options.Out,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Most images, taken evenly over the predicted classes; 0: all.")
    ] = 64,
    top: Annotated[int, typer.Option("--top", metavar="N", help="Classes with a map per image.")] = 3,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="auto|hirescam|gradcam|gradcam++|occlusion",
            help="auto: hirescam where the features are pooled maps, else occlusion.",
        ),
    ] = "auto",
    root: options.Root = None,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    batch_size: options.BatchSize = 8,
    any_depth: options.AnyDepth = False,
    json: options.Json = False,
) -> None:
    """Show what the model looked at, and check that the pictures mean something."""
    from graticule.jobs.explain.job import ExplainOptions, explain

    chosen = ExplainOptions(
        limit=limit,
        top=top,
        method=method,
        seed=seed,
        root=root,
        any_depth=any_depth,
        workers=workers,
        batch_size=batch_size,
    )
    with ProgressBars() as progress:
        document = explain(run, images, out, chosen, progress)
    failures = document.pop("failures")
    if json:
        print_json(document)
    else:
        typer.echo(f"{document['n_explained']:,} of {document['n']:,} images explained by {document['method']}")
        from graticule.report.explain.content import check_rows

        print_table(("check", "result", "means"), check_rows(document))
        for warning in (*document["warnings"], *document["notes"]):
            typer.echo(f"warning: {warning}")
        typer.echo(f"page: {out / 'explain.html'}")
    exit_with_failures(failures, f"see {out / 'failures.csv'}")
