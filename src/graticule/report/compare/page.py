"""The page of a comparison: the runs as one table, each difference with its interval, and the images they differ on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graticule.evaluate.catalogue import OVERALL
from graticule.report.audit.content import breakable
from graticule.report.compare.charts import difference_figure, figure_digits, signed
from graticule.report.page import render_page
from graticule.report.quantities import METHODS, figure_value
from graticule.report.thumbnails import FileOf, ReadRgb, thumbnail

IN_TABLE = ("accuracy", "macro_precision", "macro_sensitivity", "macro_specificity", "macro_f1", "roc_auc_macro")
LOSSES = tuple(metric.key for metric in OVERALL if metric.lower_is_better)
TWICE = "macro_sensitivity"  # the same as balanced accuracy
LEVEL = 0.05
_METHODS = METHODS | {"bonett-price": "interval of paired proportions (Bonett and Price 2012)"}


def letter(k: int) -> str:
    """Name of the run at position k, from 0: "A" to "Z", then "R27", ..."""
    return chr(ord("A") + k) if k < 26 else f"R{k + 1}"


def render_comparison(document: Mapping[str, Any], read: ReadRgb, file_of: FileOf) -> str:
    """The page of comparison.json as HTML; it needs no network."""
    content = comparison_content(document, read, file_of)
    return render_page(
        "compare.html.j2", content, filters={"path": breakable, "signed": signed, "digits": figure_digits}
    )


def comparison_content(document: Mapping[str, Any], read: ReadRgb, file_of: FileOf) -> dict[str, Any]:
    """All values the template needs."""
    runs, found = document["runs"], document["comparisons"]
    names = short_names([str(run["run"]) for run in runs])
    pairs = [_pair(comparison, k, names, read, file_of) for k, comparison in enumerate(found, start=1)]
    flaws = [run["too_good"] for run in runs]
    return {
        "about": document,
        "other_notes": [note for note in document["notes"] if note not in document["cautions"]],
        "names": names,
        "title": f"{names[0]} against {names[1]}" if len(runs) == 2 else f"{len(runs)} runs compared",
        "verdicts": [
            comparison_verdict(comparison, k, names, len(found), flaws) for k, comparison in enumerate(found, start=1)
        ],
        "quantities": [quantity for quantity in OVERALL if quantity.key in IN_TABLE],
        "rows": run_rows(runs, names),
        "pairs": pairs,
        "grouped": document["n_groups"] is not None,
        "test_words": _test_words(found[0]["test"]),
        "methods": _methods(found),
    }


def short_names(paths: Sequence[str]) -> list[str]:
    """The last part of each path, or as many as tell them apart."""
    parts = [Path(path).parts or (path,) for path in paths]
    depth = 1
    while depth < max(map(len, parts)) and len({p[-depth:] for p in parts}) < len(parts):
        depth += 1
    return ["/".join(p[-depth:]) for p in parts]


def run_rows(runs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """One row per run; `best` marks the highest value of each column, unless all runs have it."""
    best = {}
    for key in IN_TABLE:
        shown = [None if v is None else round(v, 4) for v in (figure_value(run["figures"][key]) for run in runs)]
        known = [value for value in shown if value is not None]
        best[key] = [v is not None and len(set(known)) > 1 and v == max(known) for v in shown]
    return [
        {
            "letter": letter(k),
            "name": names[k],
            "run": run,
            "time": time_words(run["wall_time_s"]),
            "own_rule": run.get("acceptance"),
            "figures": [(key, run["figures"][key], best[key][k]) for key in IN_TABLE],
        }
        for k, run in enumerate(runs)
    ]


def time_words(seconds: float | None) -> str:
    """Time as people say it: "45 s", "12 min", "3.4 h"."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def comparison_verdict(
    comparison: Mapping[str, Any], k: int, names: Sequence[str], n_tests: int, flaws: Sequence[str | None] = ()
) -> dict[str, Any]:
    """What a comparison says of the accuracy, in words; `act` where the difference is beyond chance and fair.

    Parameters
    ----------
    comparison : mapping
        Of run k with the first.
    k, names, n_tests
        Position of the run, names of all runs, number of comparisons.
    flaws : sequence of str or None
        Why the figures of each run are too good; empty where none are.
    """
    figure, test = comparison["difference"]["accuracy"], comparison["test"]
    value, low, high = (figure_value(figure, key) for key in ("value", "low", "high"))
    p = test["p"] if n_tests == 1 else test["p_holm"]
    second = f"{letter(k)} ({names[k]})"
    if value is None:
        return {"words": f"The accuracy of {second} is not defined.", "act": False}
    digits = figure_digits(figure, 100.0)
    how = f"{abs(100 * value):.{digits}f} points {'more' if value > 0 else 'less'} accurate than"
    words = f"{second} is {how if value else 'as accurate as'} A ({names[0]}) on these images"
    if low is not None and high is not None:
        words += f"; {100 * figure['level']:g} % interval of the difference {signed(low, digits, 100)} to "
        words += f"{signed(high, digits, 100)} points"
    words += f"; {p_words(p)}{' after correction' if n_tests > 1 and p is not None else ''}. "
    meaning, act = _meaning(value, p, k, [flaws[i] if flaws else None for i in (0, k)])
    return {"words": words + meaning, "act": act}


def _meaning(value: float, p: float | None, k: int, flaws: Sequence[str | None]) -> tuple[str, bool]:
    """What follows from a difference of run k and the first, of which either may be too good; whether to act on it."""
    pair = ("A", letter(k))
    flawed = [name for name, why in zip(pair, flaws, strict=True) if why]
    told = "; ".join(f"{name}: {why}" for name, why in zip(pair, flaws, strict=True) if why)
    doubt = f"the figures of {' and '.join(flawed)} are too good ({told if len(flawed) > 1 else told[3:]})"
    if p is None or p >= LEVEL:
        chance = "Chance alone may give such a difference" if value else "Their accuracies are the same"
        words = "Too few groups to tell it from chance" if p is None else chance
        if flawed:
            return f"{words}, and {doubt}: accuracy does not show which is better.", False
        return f"{words}." if p is None else f"{words}: accuracy does not show which is better.", False
    if not flawed:
        return "That is more than chance explains.", True
    better = pair[value > 0]
    if better in flawed:
        return f"That is more than chance explains, but {doubt}: it does not show that {better} is better.", False
    return f"That is more than chance explains, although {doubt}.", True


def p_words(p: float | None) -> str:
    """A p-value in words: "p = 0.012", "p < 0.0001"; never rounded to the level that it is held against."""
    if p is None:
        return "no p-value"
    digits = 2
    while float(f"{p:.{digits}g}") == LEVEL != p:
        digits += 1
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.{digits}g}"


def _test_words(test: Mapping[str, Any]) -> str:
    if test["name"] == "mcnemar-exact":
        return "McNemar's exact test (McNemar 1947) of the images that one run alone gets right, every image by itself"
    words = f"sign-flip test over {test['n_groups']} groups (Fisher 1935; Winkler et al. 2014), whole groups as units"
    if test["method"] == "monte-carlo":
        words += f", {test['n_patterns']:,} random sign patterns"
    elif test["method"] == "exact":
        words += ", all sign patterns counted"
    return words


def _methods(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    figures = [f for c in comparisons for f in c["difference"].values()]
    figures += [row["difference"] for c in comparisons for row in c["per_class"].values()]
    return [_METHODS.get(name, name) for name in dict.fromkeys(str(figure["method"]) for figure in figures)]


def _pair(
    comparison: Mapping[str, Any],
    k: int,
    names: Sequence[str],
    read: ReadRgb,
    file_of: FileOf,
) -> dict[str, Any]:
    other, difference = letter(k), comparison["difference"]
    by_key = {quantity.key: quantity for quantity in OVERALL}
    gains = [(by_key[key].name, figure) for key, figure in difference.items() if key not in (*LOSSES, TWICE)]
    losses = [(by_key[key].name, difference[key]) for key in LOSSES]
    per_class = comparison["per_class"]
    sides = ("A better", f"{other} better")
    return {
        "id": f"pair-{k}",
        "letter": other,
        "name": names[k],
        "test": comparison["test"],
        "p": p_words(comparison["test"]["p"]),
        "p_holm": p_words(comparison["test"]["p_holm"]),
        "counts": comparison["discordant"],
        "accuracy": difference["accuracy"],
        "rows": [(by_key[key], figure) for key, figure in difference.items() if key != TWICE],
        "beyond": _clear_of_zero(difference, other),
        "gains": difference_figure(gains, "percentage points (AUC and average precision times 100)", sides,
                                   f"Differences {other} minus A with their intervals, higher is better"),
        "losses": difference_figure(losses, "difference, lower is better", sides[::-1],
                                    f"Differences {other} minus A with their intervals, lower is better", 1.0),
        "coverage": comparison.get("coverage") or [],
        "classes": [(name, row) for name, row in per_class.items()],
        "by_class": difference_figure([(name, row["difference"]) for name, row in per_class.items()],
                                      "sensitivity, percentage points", sides,
                                      f"Difference in the sensitivity of each class, {other} minus A"),
        "pictures": [
            ("A", other, comparison["discordant"]["only_a_right"], _cards(comparison, "only_a_right", read, file_of)),
            (other, "A", comparison["discordant"]["only_b_right"], _cards(comparison, "only_b_right", read, file_of)),
        ],
    }  # fmt: skip


def _clear_of_zero(difference: Mapping[str, Any], other: str) -> list[tuple[str, list[str]]]:
    """Measures whose interval leaves out 0, by the run they favour."""
    found: dict[str, list[str]] = {"A": [], other: []}
    for quantity in OVERALL:
        low, high = (figure_value(difference[quantity.key], end) for end in ("low", "high"))
        if low is None or high is None or low <= 0 <= high or quantity.key == TWICE:
            continue
        higher_is_other = (low > 0) != (quantity.key in LOSSES)
        found[other if higher_is_other else "A"].append(quantity.name)
    return list(found.items())


def _cards(comparison: Mapping[str, Any], kind: str, read: ReadRgb, file_of: FileOf) -> list[dict[str, Any]]:
    """The discordant images to show, with the class that the wrong run gave and its score."""
    wrong = "b" if kind == "only_a_right" else "a"
    return [
        {
            "uri": thumbnail(file_of(row["sample_id"]), read),
            "path": row["path"],
            "label": row["label"],
            "given": row[wrong]["given"],
            "score": row[wrong]["score"],
            "own": row["a" if wrong == "b" else "b"]["score"],
        }
        for row in comparison["examples"][kind]
    ]
