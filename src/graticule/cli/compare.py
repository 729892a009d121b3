"""graticule compare RUN_A RUN_B"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import print_json, print_table


def command(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="A finished run.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="A finished run on the same samples.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder for comparison.json.")] = None,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Compare two runs on the same samples, paired; differences are B minus A."""
    from graticule.jobs.compare import compare

    result = compare(run_a, run_b, out, seed=seed)
    if json:
        print_json(result)
        return
    typer.echo(f"{result['n']:,} samples in both, part {result['part']}")
    names = list(result["difference"])
    rows = [
        (name, _of(result["a"], name), _of(result["b"], name), _difference(result["difference"][name]))
        for name in names
    ]
    print_table(("figure", "A", "B", "B minus A (95 % interval)"), rows)
    test = result["test"]
    if test["p"] is not None:
        typer.echo(f"{test['name']} test of equal accuracies: p = {test['p']:.3g}")
    if test["note"] is not None:
        typer.echo(f"note: {test['note']}")
    for note in result["notes"]:
        typer.echo(f"note: {note}")


def _of(figures: dict[str, Any], name: str) -> str:
    value = figures[name]
    value = value["value"] if isinstance(value, dict) else value
    return "not defined" if value is None else f"{value:.4f}"


def _difference(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "not defined"
    text = f"{figure['value']:+.4f}"
    return text if figure["low"] is None else f"{text} ({figure['low']:+.4f} to {figure['high']:+.4f})"
