"""graticule review RUN_OR_PREDICTIONS --labels URL"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from graticule.cli.console import Progress

Source = Annotated[Path, typer.Argument(metavar="RUN_OR_PREDICTIONS", help="Folder of `predict`, or a run of `train`.")]
Labels = Annotated[
    str, typer.Option(help="Label store: a file such as labels.db, or postgresql+pg8000://USER@HOST/DATABASE.")
]
User = Annotated[str | None, typer.Option(help="Your name on the record; by default your login name.")]
Host = Annotated[str, typer.Option(help="Address to listen on; one that others can reach needs GRATICULE_PASSWORD.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="By default 8642, or any free one.")]


def command(
    source: Source,
    labels: Labels,
    user: User = None,
    blind: Annotated[bool, typer.Option("--blind", help="Withhold the model's opinion on every image.")] = False,
    double: Annotated[bool, typer.Option("--double", help="Two persons decide on each image.")] = False,
    control: Annotated[
        int | None, typer.Option(help="Accepted images drawn to measure the error; by default a tenth, 60 to 200.")
    ] = None,
    order: Annotated[str, typer.Option(help="gain (errors mended per look), margin or random.")] = "gain",
    seed: Annotated[int, typer.Option(help="Of the control sample and the random order.")] = 0,
    host: Host = "127.0.0.1",
    port: Port = None,
) -> None:
    """Open a local page to review what the model would not decide, and what looks wrong or new."""
    from graticule.jobs.review import ReviewOptions, listen_for, open_review
    from graticule.review.web.app import serve

    password = os.environ.get("GRATICULE_PASSWORD") or None
    with Progress() as progress:
        review = open_review(source, labels, ReviewOptions(blind, double, control, order, seed), progress)
    with review:
        listening = listen_for(host, port, password)
        app = review.app(listening, user if user is not None else getpass.getuser())
        if password is not None:
            print("others can reach this page; what they send is not encrypted on the way", file=sys.stderr)
        typer.echo(listening.url)
        sys.stdout.flush()
        serve(app, listening, review.pictures)
