"""graticule phantom KIND --out DIR"""

from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, print_json
from graticule.phantoms.options import PhantomOptions


@options.grouped
def command(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="nanowires: partly aligned, in an electron microscope; particles: air bubbles, protein aggregates and "
            "silicone oil in a flow microscope; powder: six morphologies in an electron microscope; ultrasound: frames "
            "with a cyst or a solid mass.",
        ),
    ],
    out: options.Out,
    chosen: PhantomOptions,
    json: options.Json = False,
) -> None:
    """Make an image set with known truth."""
    from graticule.jobs.phantom import phantom

    with ProgressBars() as progress:
        progress.step("drawing")
        record = phantom(kind, out, chosen, progress.set)
    if json:
        print_json(record)
    else:
        typer.echo(f"{kind} phantom written to {out}")
        for known, error in record.get("floors", {}).items():
            typer.echo(f"  mean error left when one knows {known}: {error:.3f}")
