"""graticule label-errors RUN --out DIR"""

import shlex
from pathlib import Path
from typing import Any

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, figure_text, print_json, print_table

_SHOWN = 15


def command(run: options.Run, out: options.Out, json: options.Json = False) -> None:
    """Rank a run's labels by how likely they are wrong, and estimate how many are."""
    from graticule.jobs.suspicious_targets import find_wrong_answers
    from graticule.label_errors.words import caveat

    with ProgressBars() as progress:
        document = find_wrong_answers(run, out, progress)
    if json:
        print_json(document)
        return
    if document.get("task") == "regression":
        _print_targets(document, out)
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


def _print_targets(document: dict[str, Any], out: Path) -> None:
    typer.echo(
        f"{document['n']:,} true values; {document['n_listed']:,} lie further from the prediction than such pictures "
        f"are off by chance ({document['expected_by_chance']:.1f} expected if all were right)"
    )
    if document["errors"]:
        print_table(
            ("rank", "score", document["target"], "predicted", "path"),
            [(row["rank"], f"{row['score']:.2f}", f"{row['target']:.4g}", f"{row['predicted']:.4g}", row["path"])
             for row in document["errors"][:_SHOWN]],
        )  # fmt: skip
        if document["n_listed"] > _SHOWN:
            typer.echo(f"... and {document['n_listed'] - _SHOWN:,} more in {out / 'label_errors.csv'}")
        root = shlex.quote(document["root"])
        typer.echo(f"without the listed values: {out / 'cleaned_manifest.csv'} (train it with --root {root})")
    typer.echo(f"page: {out / 'label_errors.html'}")
