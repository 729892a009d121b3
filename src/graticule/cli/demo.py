"""graticule demo"""

from pathlib import Path
from typing import Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, figure_text
from graticule.options import WorkersOptions


@options.grouped
def command(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to create.")] = Path("graticule-demo"),
    chosen: WorkersOptions,
) -> None:
    """The whole way on a generated sample, offline: draw, train, predict, report."""
    from graticule.jobs.demo import demo
    from graticule.report.run.parts import gain, parts_told

    with ProgressBars() as progress:
        result = demo(out, workers=chosen.workers, reporter=progress)
    metrics = result["run"]["metrics"]
    typer.echo(f"{metrics['n']:,} micrographs of {metrics['n_groups']} specimens, {len(metrics['classes'])} powders")
    typer.echo(f"accuracy on specimens not trained on: {figure_text(metrics['accuracy'])}")
    if seen := gain(parts_told(result["run"]["head"])):
        typer.echo(f"what was looked at, inside the training folds: {seen[:1].lower()}{seen[1:]}")
    typer.echo(
        f"new images: {result['right']} of {result['n_new']} right, see {out / 'predictions' / 'predictions.csv'}"
    )
    particles = result["particles"]
    typer.echo(
        f"particles among others, {particles['metrics']['n']:,} images of {particles['metrics']['n_groups']} runs: "
        f"accuracy {figure_text(particles['metrics']['accuracy'])}"
    )
    if seen := gain(parts_told(particles["head"])):
        typer.echo(f"what was looked at there: {seen[:1].lower()}{seen[1:]}")
    typer.echo(f"report: {result['report'].resolve()}")
