"""graticule study KIND --out DIR"""

from __future__ import annotations

from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, print_json, print_table
from graticule.errors import OptionError
from graticule.jobs.study.options import StudyOptions

NANOWIRES = "nanowires"


@options.grouped
def command(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="nanowires: which method reads the aligned fraction best.")
    ],
    out: options.Out,
    chosen: StudyOptions,
    json: options.Json = False,
) -> None:
    """Answer one question from pictures to page: draw or take data, measure, train, compare."""
    if kind != NANOWIRES:
        raise OptionError(f"unknown study {kind!r}; known: {NANOWIRES}")
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
