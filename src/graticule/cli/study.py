"""graticule study KIND --out DIR"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, print_json, print_table
from graticule.errors import OptionError
from graticule.jobs.study.options import NANOWIRES, PARTICLES, StudyOptions


@options.grouped
def command(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="nanowires: which method reads the aligned fraction best; particles: what helps rare kinds of them.",
        ),
    ],
    out: options.Out,
    chosen: StudyOptions,
    json: options.Json = False,
) -> None:
    """Answer one question from pictures to page: draw or take data, measure, train, compare."""
    told = {NANOWIRES: _nanowires, PARTICLES: _particles}.get(kind)
    if told is None:
        raise OptionError(f"unknown study {kind!r}; known: {NANOWIRES}, {PARTICLES}")
    told(out, chosen, json)


def _nanowires(out: Path, chosen: StudyOptions, json: bool) -> None:
    from graticule.jobs.study.nanowires import study_nanowires
    from graticule.report.study.page import beside_limits, study_answer

    with ProgressBars() as progress:
        document = study_nanowires(out, chosen, progress)
    if json:
        print_json(document)
        return
    told = document["parts"][-1]
    rows = [(row["words"], beside_limits(row["mae"], 3), beside_limits(row["r2"])) for row in told["methods"]]
    print_table((f"{told['name']}, {told['n']:,} pictures", "mean error (95 %)", "R2"), rows)
    typer.echo(study_answer(document))
    typer.echo(f"report: {out / 'study.html'}")


def _particles(out: Path, chosen: StudyOptions, json: bool) -> None:
    from graticule.jobs.study.particles import study_particles
    from graticule.report.study.particles_page import particle_rows, particles_answer

    with ProgressBars() as progress:
        document = study_particles(out, chosen, progress)
    if json:
        print_json(document)
        return
    head = (f"{document['n']:,} particles", "macro precision (95 %)", "macro average precision", "gain", "gain")
    print_table(head, particle_rows(document))
    typer.echo(particles_answer(document))
    typer.echo(f"report: {out / 'study.html'}")
