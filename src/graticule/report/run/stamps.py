"""What a report must carry on its face: leaks that were allowed, synthetic images, a test part opened again."""

from collections.abc import Mapping
from typing import Any

from graticule.gates import unproven_words
from graticule.plain_text import plural
from graticule.report.quantities import figure_value, percent
from graticule.report.run.source import ReportSource
from graticule.report.run.wording import span


def kind_of_report(source: ReportSource) -> str:
    """What the page is, for its title; says so where the figures are not what they seem."""
    run = source.run
    if source.external:
        n = int(run.get("n_synthetic_evaluated") or 0)
        if not n:
            return "evaluation of a finished model"
        return f"evaluation on {'synthetic' if n >= source.metrics['n'] else 'partly synthetic'} images"
    return "classification report" + (" on a leaking split" if _test_leaks(run) else "")


def stamps(source: ReportSource) -> list[tuple[str, str]]:
    """Warnings that stand before all others, as (heading, words)."""
    run = source.run
    found = []
    leaks = _test_leaks(run)
    if leaks:
        kinds = sorted({str(leak["kind"]) for leak in leaks})
        found.append(("Leaking split", f"{_leak_words(source, len(leaks), kinds)} It was allowed by --allow-leaks."))
    n = int(run.get("n_synthetic_evaluated") or 0)
    if n:
        text = f"{plural(n, 'image')} of {source.metrics['n']:,} are synthetic: the figures do not hold for real ones."
        found.append(("Synthetic images evaluated", text))
    found += unproven_synthesis(run)
    openings = len(run.get("test_openings") or [])
    if openings > 1:
        text = f"It was opened {openings} times; results of a part that was looked at more than once tend to flatter."
        found.append(("Held-out part opened again", text))
    others = int(run.get("test_openings_elsewhere") or 0)
    if others:
        text = (
            f"{plural(others, 'other model')} had been scored on the same held-out images on this machine before. "
            "Whoever picks the best of them has tuned on the test part, and its figures flatter."
        )
        found.append(("Held-out part known from other runs", text))
    return found


def unproven_synthesis(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Warnings on synthetic training images: no gate accepted them, or their parents are not known but told of."""
    told = run.get("generators") or {}
    words = unproven_words(told.get("gates") or {})
    found = [("Synthetic images whose use is not shown", words)] if words else []
    n = int(run.get("n_synthetic") or 0)
    if not n or told.get("parents") != "none":
        return found
    text = (
        f"{plural(n, 'synthetic image')} trained this model. That they were made without any image of these data was "
        "said (--parents none), not shown: if their generator saw images that are judged, the figures are too good."
    )
    return [*found, ("Synthetic images whose parents are not known", text)]


def _test_leaks(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [leak for leak in run.get("leaks") or [] if "test" in leak["parts"]]


def _leak_words(source: ReportSource, n: int, kinds: list[str]) -> str:
    found = f"{plural(n, 'leak')} ({', '.join(kinds)}) between training and held-out part"
    text = f"{found}: the model knew part of its exam."
    test = source.metrics.get("test") or {}
    clean = test.get("without_leaks")
    if not test:
        return text
    all_of_it = f"Held-out accuracy {percent(figure_value(test.get('accuracy')))} on all {test['n']:,} images"
    if clean is None:
        return f"{text} {all_of_it}; no image of it is free of leaks."
    figure = clean["accuracy"]
    return (
        f"{text} {all_of_it}, {percent(figure_value(figure))} ({span(figure)}) on the {clean['n']:,} that no leak "
        "touches."
    )
