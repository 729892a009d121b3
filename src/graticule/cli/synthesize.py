"""graticule synthesize DATA --classes LIST --out DIR, or --check IMAGES --trained-on DATA --out DIR"""

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table
from graticule.errors import OptionError
from graticule.jobs.options import SynthesizeOptions


@options.grouped
def command(
    data: Annotated[
        Path | None,
        typer.Argument(metavar="[DATA]", help="Labelled real images, as for train, whose rare classes are learnt."),
    ] = None,
    *,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="IMAGES", help="Judge these images, of whatever generator, and make none."),
    ] = None,
    trained_on: Annotated[
        Path | None,
        typer.Option("--trained-on", metavar="DATA", help="With --check: the real images that the generator saw."),
    ] = None,
    out: options.Out,
    chosen: SynthesizeOptions,
    json: options.Json = False,
) -> None:
    """Make images of rare kinds, or judge those of any generator: are they copies, are they right, may they train."""
    from graticule.jobs.synthesize.check import check_generated
    from graticule.jobs.synthesize.make import synthesize

    if (data is None) == (check is None) or (check is None) != (trained_on is None):
        raise OptionError(
            "give either DATA and --classes, to make images of rare classes, or --check IMAGES and --trained-on DATA, "
            "to judge images that are there"
        )
    chosen.check_way(making=data is not None)
    with ProgressBars() as progress:
        if data is not None:
            gate = synthesize(data, out, chosen, progress)
        else:
            assert check is not None
            assert trained_on is not None
            gate = check_generated(check, trained_on, out, chosen, progress)
    failures, about = gate.pop("failures"), gate.pop("about")
    if json:
        print_json(gate)
    else:
        for one in about.get("generators", ()):
            typer.echo(f"{one['name']}: saw {one['seen']:,} images, stopped at step {one['steps']:,}")
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
