"""The page of a comparison of predicted numbers: runs as one table, errors as ratios, and images they differ on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graticule.report.audit.content import breakable
from graticule.report.compare.page import letter, short_names, time_words
from graticule.report.page import render_page
from graticule.report.quantities import METHODS, figure_value
from graticule.report.thumbnails import FileOf, ReadRgb, thumbnail
from graticule.report.values.amounts import Amount
from graticule.report.values.catalogue import ROWS
from graticule.report.values.charts import methods_figure

IN_TABLE = ("mae", "rmse", "r2", "bias", "slope", "spearman")


def render_value_comparison(document: Mapping[str, Any], read: ReadRgb, file_of: FileOf) -> str:
    """The page of comparison.json of runs that predict a number, as HTML; it needs no network."""
    content = value_comparison_content(document, read, file_of)
    return render_page("compare_values.html.j2", content, styles=("values.css",), filters={"path": breakable})


def value_comparison_content(document: Mapping[str, Any], read: ReadRgb, file_of: FileOf) -> dict[str, Any]:
    """All values the template needs."""
    runs, found = document["runs"], document["comparisons"]
    names = short_names([str(run["run"]) for run in runs])
    errors = [figure_value(run["figures"]["mae"]) or 0.0 for run in runs]
    amount = Amount.of(str(document["unit"]), min(errors) or max(errors), np.zeros(0))
    ends = [[figure_value(run["figures"]["mae"], end) for end in ("low", "high")] for run in runs]
    bars = [(f"{letter(k)} {names[k]}", errors[k], ends[k][0], ends[k][1]) for k in range(len(runs))]
    methods = {str(f["method"]) for c in found for f in (c["ratio"], c["difference"])}
    return {
        "about": document,
        "amount": amount,
        "names": names,
        "title": f"{names[0]} against {names[1]}" if len(runs) == 2 else f"{len(runs)} runs compared",
        "other_notes": [note for note in document["notes"] if note not in document["cautions"]],
        "verdicts": [value_comparison_verdict(c, k, names, runs, amount) for k, c in enumerate(found, start=1)],
        "errors": methods_figure(bars, amount.axis),
        "figures": [row for row in ROWS if row.key in IN_TABLE],
        "rows": [(letter(k), names[k], run, time_words(run["wall_time_s"])) for k, run in enumerate(runs)],
        "pairs": [_value_pair(c, k, names, amount, (read, file_of)) for k, c in enumerate(found, start=1)],
        "methods": [METHODS.get(name, name) for name in sorted(methods)],
    }


def value_comparison_verdict(
    comparison: Mapping[str, Any], k: int, names: Sequence[str], runs: Sequence[Mapping[str, Any]], amount: Amount
) -> dict[str, Any]:
    """What a comparison of run k with the first says of the errors, in words; `act` where it is beyond chance."""
    ratio, low, high = (figure_value(comparison["ratio"], key) for key in ("value", "low", "high"))
    second = f"{letter(k)} ({names[k]})"
    errors = [amount(figure_value(runs[i]["figures"]["mae"])) for i in (k, 0)]
    if ratio is None:
        return {"words": f"The errors of {second} and A ({names[0]}) have no ratio: A makes none.", "act": False}
    words = (
        f"The mean absolute error of {second} is {ratio:.2f} times that of A ({names[0]}) on these images, {errors[0]} "
        f"against {errors[1]}"
    )
    if low is None or high is None:
        return {"words": f"{words}. There is no interval, so chance is not told from a difference.", "act": False}
    words += f"; 95 % interval of the ratio {low:.2f} to {high:.2f}. "
    flawed = [name for name, i in (("A", 0), (letter(k), k)) if runs[i]["too_good"]]
    if low <= 1 <= high:
        return {"words": f"{words}Chance alone may give such a difference.", "act": False}
    better = letter(k) if ratio < 1 else "A"
    if better in flawed:
        return {"words": f"{words}But the figures of {better} are too good, see below.", "act": False}
    return {"words": f"{words}That is more than chance explains: {better} is better.", "act": True}


def _value_pair(
    comparison: Mapping[str, Any], k: int, names: Sequence[str], amount: Amount, pictures: tuple[ReadRgb, FileOf]
) -> dict[str, Any]:
    read, file_of = pictures
    other = letter(k)

    def cards(kind: str) -> list[dict[str, Any]]:
        return [
            {
                "uri": thumbnail(file_of(row["sample_id"]), read),
                "path": row["path"],
                "true": amount(row["target"]),
                "a": amount(row["a"]),
                "b": amount(row["b"]),
            }
            for row in comparison["examples"][kind]
        ]

    return {
        "id": f"pair-{k}",
        "letter": other,
        "name": names[k],
        "ratio": amount.show(comparison["ratio"], bare=True),
        "difference": amount.show(comparison["difference"]),
        "closer": comparison["closer"],
        "pictures": [(other, "A", cards("b")), ("A", other, cards("a"))],
    }
