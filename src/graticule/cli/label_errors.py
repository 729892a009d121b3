"""graticule label-errors RUN --out DIR"""

import shlex

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, figure_text, print_json, print_table

_SHOWN = 15


def command(run: options.Run, out: options.Out, json: options.Json = False) -> None:
    """Rank a run's labels by how likely they are wrong, and estimate how many are."""
    from graticule.jobs.label_errors import label_errors
    from graticule.label_errors.words import caveat

    with ProgressBars() as progress:
        document = label_errors(run, out, progress)
    if json:
        print_json(document)
        return
    typer.echo(f"{document['n']:,} labels; wrong: about {figure_text(document['wrong_labels'])}{caveat(document)}")
    typer.echo(
        f"{document['n_listed']:,} listed (score {document['cut_off']:g} or more, or a copy under another label)"
    )
    if document["errors"]:
        print_table(
            ("rank", "score", "label", "suggested", "path"),
            [(row["rank"], f"{row['score']:.2f}", row["label"], row["suggested"], row["path"])
             for row in document["errors"][:_SHOWN]],
        )  # fmt: skip
        if document["n_listed"] > _SHOWN:
            typer.echo(f"... and {document['n_listed'] - _SHOWN:,} more in {out / 'label_errors.csv'}")
        root = shlex.quote(document["root"])
        typer.echo(f"without the listed labels: {out / 'cleaned_manifest.csv'} (train it with --root {root})")
    typer.echo(f"page: {out / 'label_errors.html'}")
