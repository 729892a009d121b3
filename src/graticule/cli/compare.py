"""graticule compare RUN_A RUN_B [RUN_C ...]"""

from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import figure_text, print_json, print_table
from graticule.options import SeedOptions

_SHARES = ("accuracy", "macro_precision", "macro_sensitivity", "macro_specificity", "macro_f1")


@options.grouped
def command(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="A finished run: the others are compared with it.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="A finished run on the same samples.")],
    more: Annotated[list[Path] | None, typer.Argument(metavar="[RUN_C...]", help="Further runs.")] = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for comparison.json and compare.html.")
    ] = None,
    chosen: SeedOptions,
    json: options.Json = False,
) -> None:
    """Compare runs on the same samples, paired; differences are B minus A."""
    from graticule.jobs.compare_values import compare_runs

    result = compare_runs(run_a, run_b, out, others=more or (), seed=chosen.seed)
    if json:
        print_json(result)
        return
    typer.echo(f"{result['n']:,} samples in {'both' if more is None else 'all'}, part {result['part']}")
    if result.get("task") == "regression":
        _print_values(result)
    elif more:
        _print_runs(result)
    else:
        _print_pair(result)
    for note in result["notes"]:
        typer.echo(f"note: {note}")
    if out is not None:
        typer.echo(f"report: {out / 'compare.html'}")


def _print_pair(result: dict[str, Any]) -> None:
    rows = [
        (name, _of(result["a"], name), _of(result["b"], name), _difference(figure))
        for name, figure in result["difference"].items()
    ]
    rows += [
        (f"accepted at {row['target']:.0%}", f"{row['a']:.4f}", f"{row['b']:.4f}", _of_coverage(row))
        for row in result["coverage"]
    ]
    print_table(("figure", "A", "B", "B minus A (95 % interval)"), rows)
    test = result["test"]
    if test["p"] is not None:
        typer.echo(f"{test['name']} test of equal accuracies: p = {test['p']:.3g}")
    if test["note"] is not None:
        typer.echo(f"note: {test['note']}")


def _print_runs(result: dict[str, Any]) -> None:
    rows = []
    for letter, run in zip(_letters(result), result["runs"], strict=True):
        settings = [run["backbone"], run["method"], run["head"], run["input_size"]]
        figures = [figure_text(run["figures"][name]) for name in _SHARES]
        time = "-" if run["wall_time_s"] is None else f"{run['wall_time_s']:,.0f}"
        auc = _of(run["figures"], "roc_auc_macro")
        rows.append([f"{letter} {run['run']}", *("-" if s is None else s for s in settings), *figures, auc, time])
    columns = ("run", "backbone", "method", "head", "px", *(name.replace("_", " ") for name in _SHARES))
    print_table((*columns, "ROC AUC", "seconds"), rows)
    typer.echo("")
    tests = []
    for letter, found in zip(_letters(result)[1:], result["comparisons"], strict=True):
        counts, test = found["discordant"], found["test"]
        p = ("-", "-") if test["p"] is None else (f"{test['p']:.3g}", f"{test['p_holm']:.3g}")
        difference = _difference(found["difference"]["accuracy"])
        tests.append([f"{letter} minus A", difference, counts["only_a_right"], counts["only_b_right"], *p])
        if test["note"] is not None:
            typer.echo(f"note: {letter} against A: {test['note']}")
    name = result["comparisons"][0]["test"]["name"]
    print_table(
        ("accuracy", "difference (95 % interval)", "only A right", "only it right", f"p, {name}", "p, Holm"), tests
    )


def _print_values(result: dict[str, Any]) -> None:
    keys = ("mae", "rmse", "r2", "bias", "slope")
    rows = [
        [f"{letter} {run['run']}", *(_of(run["figures"], key) for key in keys)]
        for letter, run in zip(_letters(result), result["runs"], strict=True)
    ]
    print_table(("run", *keys), rows)
    typer.echo("")
    pairs = [
        (f"{letter} against A", _ratio(found["ratio"]), _difference(found["difference"]))
        for letter, found in zip(_letters(result)[1:], result["comparisons"], strict=True)
    ]
    unit = f", {result['unit']}" if result["unit"] else ""
    print_table((f"mean absolute error{unit}", "ratio (95 % interval)", "difference (95 % interval)"), pairs)


def _letters(result: dict[str, Any]) -> list[str]:
    from graticule.report.compare.page import letter

    return [letter(k) for k in range(len(result["runs"]))]


def _of_coverage(row: dict[str, Any]) -> str:
    if row["a"] or row["b"]:
        return _difference(row["difference"])
    low, high = row["difference"]["low"], row["difference"]["high"]
    return "not reached by either" if low is None else f"not reached by either ({low:+.4f} to {high:+.4f})"


def _of(figures: dict[str, Any], name: str) -> str:
    value = figures[name]["value"]
    return "not defined" if value is None else f"{value:.4f}"


def _ratio(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "not defined"
    text = f"{figure['value']:.3f}"
    return text if figure["low"] is None else f"{text} ({figure['low']:.3f} to {figure['high']:.3f})"


def _difference(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "not defined"
    text = f"{figure['value']:+.4f}"
    return text if figure["low"] is None else f"{text} ({figure['low']:+.4f} to {figure['high']:+.4f})"
