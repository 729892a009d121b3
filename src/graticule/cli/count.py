"""graticule count PREDICTIONS --out DIR"""

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import print_json, print_table
from graticule.jobs.options import CountOptions

_SHOWN_SPECIMENS = 10
_METHODS = {
    "plain": "called (Poisson)",
    "control": "control sample",
    "control_pooled": "control of all",
    "em": "EM",
    "adjusted": "adjusted count",
}


@options.grouped
def command(
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="Output folder of `graticule predict`.")],
    out: options.Out,
    chosen: CountOptions,
    json: options.Json = False,
) -> None:
    """Count images per class and specimen, with intervals."""
    from graticule.jobs.count import count

    content = count(predictions, out, chosen)
    if json:
        print_json(content)
        return
    _print(content)
    typer.echo(f"written to {out}")


def _print(content: dict[str, Any]) -> None:
    from graticule.counting.outputs import printed_rows

    unreadable = content["n_unreadable"]
    typer.echo(f"{content['n']:,} images" + (f", {unreadable:,} of them unreadable" if unreadable else ""))
    names = list(content["specimens"])
    for scope in (None, *names[:_SHOWN_SPECIMENS]):
        block = content["all"] if scope is None else content["specimens"][scope]
        if scope is not None:
            typer.echo(f"\nspecimen {scope}, {block['n']:,} images")
        print_table(("class", *(_METHODS[method] for method in block["count"])), printed_rows(content, scope))
        _print_sizes(block)
    if len(names) > _SHOWN_SPECIMENS:
        typer.echo(f"\nand {len(names) - _SHOWN_SPECIMENS:,} more specimens in counts.csv")
    shift = content["prior_shift"]
    if not shift["offered"]:
        typer.echo(f"note: no correction for prior shift: {'; '.join(shift['reasons'])}")
    for note in content["notes"]:
        typer.echo(f"note: {note}")


def _print_sizes(block: dict[str, Any]) -> None:
    sizes = {size: found["per_ml"]["plain"] for size, found in block.get("sizes", {}).items() if "per_ml" in found}
    if not sizes:
        return
    typer.echo("particles per mL")
    first = next(iter(sizes.values()))
    rows = [[name, *(_per_ml(found[name]) for found in sizes.values())] for name in first]
    print_table(("class", *sizes), rows)


def _per_ml(figure: dict[str, float]) -> str:
    return f"{figure['value']:,.4g} ({figure['low']:,.4g} to {figure['high']:,.4g})"
