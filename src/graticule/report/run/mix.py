"""The figures at a mix of classes to come: computed where one is asked for anew, and as a section of the page."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graticule.evaluate.prevalence import figures_at
from graticule.report.quantities import figure_value, percent
from graticule.report.run.source import ReportSource
from graticule.report.run.wording import span
from graticule.sources.mix import read_mix

_FIGURES = (("precision", "Precision"), ("average_precision", "Average precision"))
_OVERALL = (("macro_precision", "Macro precision"), ("average_precision_macro", "Macro average precision"))


def with_mix(source: ReportSource, asked: str) -> ReportSource:
    """The source with the figures at a mix, from the scores of the run, see `graticule.evaluate.prevalence`.

    Raises
    ------
    OptionError
        When it is no mix of the classes of the run.
    """
    mix = read_mix(asked, source.classes)
    seed, metrics = int(source.run.get("seed") or 0), dict(source.metrics)

    def at_mix(part: str) -> dict[str, Any]:
        rows = source.predictions.part == part
        group = None if source.group is None or metrics.get("n_groups") is None else source.group[rows]
        return figures_at(source.predictions.take(rows), mix, group, seed=seed)

    metrics["prevalence"] = at_mix(source.part)
    if metrics.get("test"):
        metrics["test"] = dict(metrics["test"]) | {"prevalence": at_mix("test")}
    return replace(source, metrics=metrics)


def mix_words(mix: Mapping[str, float]) -> str:
    """A mix of classes on one line: "500,000 protein : 500 oil"."""
    return " : ".join(f"{amount:,.10g} {name}" for name, amount in mix.items())


def mix_content(metrics: Mapping[str, Any], *, held_out: bool) -> dict[str, Any] | None:
    """The section of the page, None where no mix was asked for; `held_out` adds what the held-out part says."""
    found = metrics.get("prevalence")
    if not found:
        return None
    rows = [
        (name, found["mix"][name], [(key, own.get(key), f"prevalence/{name}/{key}") for key, _ in _FIGURES])
        for name, own in found["per_class"].items()
    ]
    words = list(found["words"])
    tested = ((metrics.get("test") or {}).get("prevalence") or {}) if held_out else {}
    if tested:
        told = [f"{name} {percent(figure_value(tested[key]))} ({span(tested[key])})" for key, name in _OVERALL]
        words.append(f"On the held-out part: {', '.join(told).lower()}.")
    return {
        "mix": mix_words(found["mix"]),
        "names": [name for _, name in _FIGURES],
        "rows": rows,
        "total": sum(found["mix"].values()),
        "overall": [(name, found[key], f"prevalence/{key}") for key, name in _OVERALL],
        "words": words,
    }
