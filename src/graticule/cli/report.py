"""graticule report RUN"""

import typer

from graticule.cli import options
from graticule.evaluate.options import MixOptions


@options.grouped
def command(run: options.Run, chosen: MixOptions) -> None:
    """Write the report of a finished run again; prints its path."""
    from graticule.report.any_run import report

    typer.echo(report(run, chosen))
