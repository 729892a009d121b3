"""graticule report RUN"""

import typer

from graticule.cli import options


def command(run: options.Run) -> None:
    """Write the report of a finished run again; prints its path."""
    from graticule.report.any_run import report

    typer.echo(report(run))
