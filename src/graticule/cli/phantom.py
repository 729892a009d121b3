"""graticule phantom KIND --out DIR"""

from __future__ import annotations

from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, print_json


def command(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="powder: particles in a scanning electron microscope; ultrasound: frames with a cyst or a solid mass.",
        ),
    ],
    out: options.Out,
    n_per_class: Annotated[int, typer.Option(metavar="N", help="Images per class.")] = 40,
    seed: options.Seed = 0,
    label_noise: Annotated[float, typer.Option(metavar="F", help="Share of labels made wrong on purpose.")] = 0.0,
    info_bar: Annotated[
        str | None, typer.Option(metavar="MAKE", help="Draw the info bar of: zeiss, thermo, jeol, hitachi, tescan.")
    ] = None,
    masks: Annotated[bool, typer.Option("--masks", help="Also write object masks.")] = False,
    marks: Annotated[
        str,
        typer.Option(
            metavar="none|all|CLASS",
            help="Which ultrasound frames bear text, ruler and calipers; a class plants a shortcut.",
        ),
    ] = "none",
    workers: options.Workers = None,
    json: options.Json = False,
) -> None:
    """Make an image set with known truth."""
    from graticule.jobs.phantom import phantom

    with ProgressBars() as progress:
        progress.step("drawing")
        record = phantom(
            kind,
            out,
            n_per_class=n_per_class,
            seed=seed,
            label_noise=label_noise,
            info_bar=info_bar,
            masks=masks,
            marks=marks,
            workers=workers,
            progress=progress.set,
        )
    if json:
        print_json(record)
    else:
        typer.echo(f"{kind} phantom written to {out}")
