"""What the page of `graticule explain` says of its checks: rows of words and numbers, and the plot of the curves."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from graticule.report.svg import line, svg, text

_WIDTH, _HEIGHT, _LEFT, _TOP = 300, 190, 34, 12
_PLOT_WIDTH, _PLOT_HEIGHT = 250, 140
_ALIKE = 0.25  # mean rank correlation with maps of destroyed weights from which maps are alike
_MOST_NAMED = 5
PROBABILITIES = ((0.0, "0"), (0.5, "0.5"), (1.0, "1"))
DOING = ("blurring away", "bringing back")


def percents(value: float | None) -> str:
    """A share as a whole percentage, or a dash."""
    return "–" if value is None else f"{100 * value:.0f} %"


def in_figures(figure: Mapping[str, Any], digits: int = 2) -> str:
    """A mean with its interval."""
    if figure["value"] is None:
        return "not defined"
    value = f"{figure['value']:.{digits}f}"
    if figure["low"] is None:
        return value
    return f"{value} ({figure['low']:.{digits}f} to {figure['high']:.{digits}f})"


def check_rows(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, result and meaning of every check of explain.json."""
    checks = document["checks"]
    rows = map_rows(checks)
    border = checks["attention"]["border"]
    rows.append(("attention on border", percents(border["value"]), f"its area is {percents(border['area'])}"))
    bar = checks["attention"]["info_bar"]
    if bar is not None:
        rows.append(("attention on info bar", percents(bar["value"]), f"its area is {percents(bar['area'])}"))
    return rows + _exchange_rows(checks["exchange"])


def map_rows(checks: Mapping[str, Any], doing: tuple[str, str] = DOING) -> list[tuple[str, str, str]]:
    """Name, result and meaning of deletion, insertion and destroyed weights; `doing`: what the first two do."""
    gain = checks["fidelity"]["gain"]
    rows = [
        (name, in_figures(gain[name]), _gain_words(gain[name], f"{done} what the map marks"))
        for name, done in zip(("deletion", "insertion"), doing, strict=True)
    ]
    if destroyed := checks["randomised_weights"]:
        last = destroyed[-1]["signed"]
        rows.append(("randomised weights", in_figures(last), _random_words(last)))
    return rows


def _exchange_rows(exchange: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = [
        (f"exchange of the {region}", "not possible", "it leaves no room for a strip of its size beside it")
        for region in exchange["no_room"]
        if region not in exchange["regions"]
    ]
    if not exchange["regions"]:
        alike = "all explained images were given one class"
        why = "no two images could be compared" if exchange["pairs"] else alike
        return [*rows, ("exchange of the border", "not possible", why)]
    for region, verdicts in exchange["regions"].items():
        drawn = [v for v in verdicts if v["drawn"]]
        everywhere = _all_pairs(verdicts)
        shown = next((v for v in drawn if v["class"] is None), drawn[0] if drawn else everywhere)
        where = "" if shown["class"] is None else f" of {shown['class']}"
        meaning = "draws the model" if drawn else "no sign that it draws the model"
        if not drawn and not everywhere["enough"]:
            meaning = f"{shown['n']} pairs are too few to tell"
        result = f"{percents(shown['share'])} of the decision{where}, inside {percents(max(shown['control'], 0))}"
        rows.append((f"exchange of the {region}", result, meaning))
    return rows


def _all_pairs(verdicts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The verdict over the pairs of all classes."""
    return next(v for v in verdicts if v["class"] is None)


def _gain_words(gain: Mapping[str, Any], what: str) -> str:
    if gain["value"] is None or gain["low"] is None:
        return "too few images to tell"
    if gain["low"] > 0:
        return f"{what} counts more than random places"
    if gain["high"] < 0:
        return f"{what} counts less than random places: do not trust these maps"
    return f"{what} counts no more than random places, as far as these images tell"


def _random_words(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "not defined"
    if figure["low"] is None:
        return "too few images to tell"
    if figure["value"] >= _ALIKE:
        return "the maps are much the same without what was learnt: do not trust these maps, they show the picture"
    if figure["value"] <= -_ALIKE:
        return "the maps turn round without what was learnt: their sign depends on it, their outlines on the picture"
    return "the maps depend on what was learnt"


def condemned(checks: Mapping[str, Any], doing: tuple[str, str] = DOING) -> list[str]:
    """What the checks hold against the maps."""
    gain, destroyed = checks["fidelity"]["gain"], checks["randomised_weights"]
    found = [
        f"{done} what they mark counts less than {done} random places"
        for name, done in zip(("deletion", "insertion"), doing, strict=True)
        if gain[name]["high"] is not None and gain[name]["high"] < 0
    ]
    if destroyed and destroyed[-1]["signed"]["low"] is not None and destroyed[-1]["signed"]["value"] >= _ALIKE:
        found.append("they are much the same without what was learnt")
    return found


def confirmed(checks: Mapping[str, Any]) -> bool:
    """Whether deletion finds the maps right, and they depend on what was learnt where that was tested."""
    low, destroyed = checks["fidelity"]["gain"]["deletion"]["low"], checks["randomised_weights"]
    if low is None or low <= 0 or condemned(checks):
        return False
    last = destroyed[-1]["signed"] if destroyed else None
    return last is None or (last["low"] is not None and abs(last["value"]) < _ALIKE)


def _cleared(exchange: Mapping[str, Any]) -> str:
    """Which regions do not draw the model, and which could not be judged; empty where none was judged."""
    judged = {region: _all_pairs(verdicts)["enough"] for region, verdicts in exchange["regions"].items()}
    judged = dict.fromkeys(exchange["no_room"], False) | judged
    clear = [region for region, enough in judged.items() if enough]
    open_ones = [region for region, enough in judged.items() if not enough]
    if not clear:
        return ""
    words = "neither border nor info bar stands out" if len(clear) > 1 else f"the {clear[0]} does not stand out"
    return words + "".join(f" (the {region} could not be judged)" for region in open_ones)


def explain_verdict(document: Mapping[str, Any]) -> tuple[str, bool]:
    """The answer at the top of the page, and whether it is bad news."""
    if document["warnings"]:
        return (
            "The model looks where it should not: part of its decision goes with the border or the info bar. Its "
            "accuracy will not hold where these differ. Crop or mask them and train again.",
            True,
        )
    if against := condemned(document["checks"]):
        return f"Do not trust these maps: {', and '.join(against)}. Read the checks before the pictures.", True
    cleared = _cleared(document["checks"]["exchange"])
    if cleared and confirmed(document["checks"]):
        return (
            f"The maps mark places that the model relies on, and {cleared}. Whether the marked places are the right "
            "ones is for you to judge.",
            False,
        )
    return (
        "No warning was raised, but the checks below do not all confirm the maps. Read them before the pictures.",
        False,
    )


def explain_tiles(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, number and note of the tiles."""
    checks = document["checks"]
    gain, border = checks["fidelity"]["gain"], checks["attention"]["border"]
    destroyed = checks["randomised_weights"]
    found = [
        ("Images explained", f"{document['n_explained']:,}", f"of {document['n']:,}"),
        ("Agreement with labels", percents(document["accuracy"]), f"{document['n_labelled']:,} labelled images")
        if document["accuracy"] is not None
        else ("Agreement with labels", "–", _unlabelled(document["other_labels"])),
        ("Deletion", _signed(gain["deletion"]["value"]), "against random order; above 0 is better"),
        ("Insertion", _signed(gain["insertion"]["value"]), "against random order; above 0 is better"),
        ("On the border", percents(border["value"]), f"of the map; area {percents(border['area'])}"),
    ]
    if destroyed:
        found.append(("All weights random", _signed(destroyed[-1]["signed"]["value"]), "rank correlation; 0 is right"))
    return found


def _unlabelled(others: Sequence[str]) -> str:
    """Why no label could be compared."""
    if not others:
        return "no labels given"
    named = ", ".join(others[:_MOST_NAMED]) + (", ..." if len(others) > _MOST_NAMED else "")
    return f"none of the labels ({named}) is a class of the model"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def curve_plot(
    curves: Mapping[str, Sequence[float]],
    which: str,
    ticks: Sequence[tuple[float, str]] = PROBABILITIES,
    shown: str = "probability",
) -> Markup:
    """What is shown, on average, while cells are deleted or inserted: by the map in full, in random order dashed.

    `ticks` are heights from 0 to 1 with their words.
    """
    body = [
        f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_PLOT_WIDTH}" height="{_PLOT_HEIGHT}"/>',
        *(line(_LEFT, _y(v), _LEFT + _PLOT_WIDTH, _y(v), "grid") for v in (0.25, 0.5, 0.75)),
        *(text(_LEFT - 5, _y(v) + 4, words, "end") for v, words in ticks),
        *(text(_x(s, 2), _HEIGHT - 22, f"{50 * s} %") for s in (0, 1, 2)),
        text(_LEFT + _PLOT_WIDTH / 2, _HEIGHT - 6, "deleted" if which == "deletion" else "inserted"),
        f'<polyline class="ghost dashed" points="{_points(curves[f"random_{which}"])}"/>',
        f'<polyline class="curve" points="{_points(curves[which])}"/>',
    ]
    return svg(_WIDTH, _HEIGHT, f"Mean {shown} during {which}", body)


def _x(step: float, steps: int) -> float:
    return _LEFT + _PLOT_WIDTH * step / steps


def _y(value: float) -> float:
    return _TOP + _PLOT_HEIGHT * (1 - min(1.0, max(0.0, value)))


def _points(values: Sequence[float]) -> str:
    return " ".join(f"{_x(i, len(values) - 1):.1f},{_y(v):.1f}" for i, v in enumerate(values))
