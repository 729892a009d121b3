"""graticule synthesize --check IMAGES --trained-on DATA --out DIR"""

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table
from graticule.errors import OptionError
from graticule.jobs.options import SynthesizeOptions


@options.grouped
def command(
    *,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="IMAGES", help="Generated images, anybody's: class folders, or a table."),
    ] = None,
    trained_on: Annotated[
        Path | None,
        typer.Option("--trained-on", metavar="DATA", help="The real images that the generator was trained on."),
    ] = None,
    out: options.Out,
    chosen: SynthesizeOptions,
    json: options.Json = False,
) -> None:
    """Judge images of rare kinds made by a machine: are they copies, are they right, may they train."""
    from graticule.jobs.synthesize.check import check_generated

    if check is None or trained_on is None:
        raise OptionError("which images are to be judged, and against which? Give --check IMAGES --trained-on DATA")
    with ProgressBars() as progress:
        gate = check_generated(check, trained_on, out, chosen, progress)
    failures = gate.pop("failures")
    gate.pop("about")
    if json:
        print_json(gate)
    else:
        _show(gate["classes"])
        typer.echo(f"\nreport: {out / 'report.html'}")
        if (out / "blind").is_dir():
            typer.echo(f"blind test: look at {out / 'blind-clue.html'} first, then")
            typer.echo(f"  graticule review {out / 'blind'} --labels blind.db")
    exit_with_failures(failures, f"see {out / 'failures.csv'}")


def _show(classes: list[dict[str, Any]]) -> None:
    rows = [
        (
            one["label"],
            f"{one['n_generated']:,}",
            one["verdict"],
            "–" if not one["copied_one_by_one"] else f"{one['copied_one_by_one']['n']:,}",
            "–" if one["right_class"]["share"] is None else f"{one['right_class']['share']:.0%}",
        )
        for one in classes
    ]
    print_table(("class", "generated", "verdict", "copies", "of the class"), rows)
    for one in classes:
        typer.echo(f"\n{one['label']}:")
        for text in one["reasons"]:
            typer.echo(f"  {text}")
