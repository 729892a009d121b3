"""graticule explain RUN IMAGES --out DIR"""

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table
from graticule.explain.options import ExplainOptions


@options.grouped
def command(
    run: options.Run,
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="Labelled data as for train, or a folder or list as for predict.")
    ],
    out: options.Out,
    chosen: ExplainOptions,
    json: options.Json = False,
) -> None:
    """Show what the model looked at, and check that the pictures mean something."""
    from graticule.jobs.explain.values import explain_model

    with ProgressBars() as progress:
        document = explain_model(run, images, out, chosen, progress)
    failures = document.pop("failures")
    if json:
        print_json(document)
    else:
        typer.echo(f"{document['n_explained']:,} of {document['n']:,} images explained by {document['method']}")
        _print_checks(document)
        typer.echo(f"page: {out / 'explain.html'}")
    exit_with_failures(failures, f"see {out / 'failures.csv'}")


def _print_checks(document: dict[str, Any]) -> None:
    from graticule.report.explain.content import check_rows
    from graticule.report.explain.value_content import border_words, told_words, value_check_rows

    if document.get("task") == "regression":
        if told := told_words(document):
            typer.echo(told)
        print_table(("of the", "check", "result", "means"), value_check_rows(document))
        typer.echo(border_words(document))
        return
    print_table(("check", "result", "means"), check_rows(document))
    for warning in (*document["warnings"], *document["notes"]):
        typer.echo(f"warning: {warning}")
