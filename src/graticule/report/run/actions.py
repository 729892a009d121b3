"""The section "Can I act on it?": acceptance, calibration, prediction sets and novelty in words, tables and a curve."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from graticule.report.quantities import percent
from graticule.report.run.actions_judged import (
    held_out_words,
    judged_answer,
    judged_calibration,
    judged_novelty,
    judged_rule,
    kept_words,
    specimen_content,
)
from graticule.report.svg import dot, line, nice_ticks, svg, text

STATUS = {
    "guaranteed": "This rule is guaranteed",
    "estimated": "This rule is estimated, not guaranteed",
    "not certifiable": "No rule reaches the target",
}
_CENTRE = (
    " Here, for the nearest images and for suspected labels, images are compared by what lies around their centre: "
    "what is unusual only near the edge counts little."
)


def action_content(decisions: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Values for the template, from decisions.json of a run or an evaluation; None where there is nothing to tell."""
    if decisions and decisions.get("kind") == "evaluation":
        return _evaluation_content(decisions)
    if not decisions or not decisions.get("acceptance"):
        return None
    acceptance, evidence = decisions["acceptance"], decisions["evidence"]
    sets = [s | {"short": [(name, *n) for name, n in s["short"].items()]} for s in decisions["sets"]]
    return {
        "evaluation": False,
        "unit": "groups" if evidence["grouped"] else "images",
        "missing": None,
        "answer": _answer(acceptance),
        "kept": "",
        "figure": risk_figure(acceptance, acceptance["rule"]["accepted"], acceptance["rule"]["errors"]),
        "area": acceptance["area"],
        "source": f"{evidence['source']} of {evidence['n']:,} images",
        "targets": _targets(acceptance),
        "rule": _rule(acceptance["rule"]),
        "calibration": _calibration(decisions["calibration"]),
        "errors": _errors(decisions["calibration"]),
        "sets": sets,
        "set_rows": _set_rows(sets),
        "novelty": _novelty(decisions.get("novelty")),
        "labels": _labels(decisions.get("labels")),
        "test": held_out_words(decisions.get("test")),
        "specimens": None,
    }


def _evaluation_content(decisions: Mapping[str, Any]) -> dict[str, Any]:
    """The same entries for images of known class that were new to the model."""
    acceptance, calibration = decisions["acceptance"], decisions["calibration"]
    sets = [s | {"short": [(name, *n) for name, n in s["short"].items()]} for s in decisions["sets"]]
    content: dict[str, Any] = {
        "evaluation": True,
        "unit": "groups" if (decisions["evidence"] or {}).get("grouped") else "images",
        "missing": decisions.get("words"),
        "calibration": judged_calibration(calibration),
        "errors": _errors(calibration),
        "sets": sets,
        "set_rows": _set_rows(sets),
        "novelty": judged_novelty(decisions["novelty"]),
        "labels": None,
        "test": [],
        "specimens": specimen_content(decisions.get("specimens")),
    }
    if acceptance is None:
        return content
    return content | {
        "answer": judged_answer(decisions),
        "kept": kept_words(acceptance),
        "figure": risk_figure(acceptance, acceptance["accepted"], acceptance["errors"]),
        "area": acceptance["area"],
        "source": f"these {decisions['n']:,} images, with the threshold chosen on them",
        "targets": _targets(acceptance),
        "rule": judged_rule(decisions, STATUS),
    }


def _targets(acceptance: Mapping[str, Any]) -> list[tuple[float, float, int]]:
    return [(c["target"], c["coverage"], round(1000 * (1 - c["coverage"]))) for c in acceptance["coverage_at"]]


def _answer(acceptance: Mapping[str, Any]) -> str:
    coverage, accuracy, rule = acceptance["coverage"], acceptance["accuracy"], acceptance["rule"]
    if not rule["accepted"]:
        return (
            f"No answer can be taken without a look at an accuracy of {percent(rule['target'])}: all of 1,000 images "
            "go to a person."
        )
    taken = round(1000 * coverage)
    between = f"{percent(accuracy['low'])} to {percent(accuracy['high'])}"
    if accuracy["low"] is None:
        between = "too few groups for an interval"
    return (
        f"Of 1,000 images like these, about {taken} can be taken without a look, {percent(accuracy['value'])} of them "
        f"right ({between}); {1000 - taken} go to a person."
    )


def _rule(rule: Mapping[str, Any]) -> str:
    known = sorted({t for t in rule["threshold"] if t is not None})
    where = "" if not known else f" Accepted above a score of {known[0]:.3f}"
    where += "." if len(known) == 1 else (f" to {known[-1]:.3f}, by class." if known else "")
    return (
        f"{STATUS[rule['status']]} (accuracy {percent(rule['target'])}, confidence {percent(rule['confidence'])}): "
        f"{rule['words']}.{where} It accepts {rule['accepted']:,} of {rule['n']:,} images, {rule['errors']:,} of them "
        "wrong."
    )


def _calibration(calibration: Mapping[str, Any]) -> str:
    note = str(calibration["note"])
    return f"Calibration: {calibration['method']}. {note[:1].upper()}{note[1:]}."


def _errors(calibration: Mapping[str, Any]) -> list[tuple[str, float, float, str]]:
    before, after = calibration.get("before"), calibration.get("after")
    if not before or not after:
        return []
    rows: list[tuple[str, float, float, str]] = [
        ("Log loss", before["log_loss"], after["log_loss"], ""),
        ("Brier score", before["brier"], after["brier"], ""),
    ]
    for key, name in (("ece", "Expected calibration error"), ("classwise_ece", "The same, mean over classes")):
        chance = f"{after[key]['null_mean']:.3f}, up to {after[key]['null_95']:.3f}"
        rows.append((name, before[key]["value"], after[key]["value"], chance))
    return rows


def _set_rows(sets: list[dict[str, Any]]) -> list[tuple[str, int, list[tuple[float | None, str, float | None]]]]:
    if not sets:
        return []
    rows = []
    for name, first in sets[0]["per_class"].items():
        cells = []
        for found in sets:
            mine = found["per_class"][name]
            interval = "" if mine["low"] is None else f"{percent(mine['low'])} to {percent(mine['high'])}"
            cells.append((mine["coverage"], interval, mine["size"]))
        rows.append((name, first["n"], cells))
    return rows


def _novelty(novelty: Mapping[str, Any] | None) -> str:
    if novelty is None:
        return "Too few images to tell new kinds from known ones."
    return f"{_rejected(novelty)}{_CENTRE if novelty.get('centre') else ''}"


def _rejected(novelty: Mapping[str, Any]) -> str:
    unit, least = "groups" if novelty["grouped"] else "images", 1.0 / (1.0 + novelty["units"])
    if least > novelty["alpha"]:
        return (
            f"With {novelty['units']:,.0f} {unit} to compare with, no image can be called novel at "
            f"{percent(novelty['alpha'])}: nothing is rejected as novel by default. The least level that can reject is "
            f"{percent(least)} (“graticule predict --novelty-alpha”)."
        )
    return (
        f"“graticule predict” rejects an image whose novelty is that of the rarest {percent(novelty['alpha'])} of "
        f"usual images or beyond, measured on {novelty['units']:,.0f} {unit} that the measure was not fitted on."
    )


def _labels(labels: Mapping[str, Any] | None) -> str | None:
    if not labels:
        return None
    n = labels["n_suspected"]
    told = "No label is" if n == 0 else "1 label is" if n == 1 else f"{n:,} labels are"
    interval = "" if labels["low"] is None else f" ({percent(labels['low'])} to {percent(labels['high'])})"
    return (
        f"{told} more likely wrong than right. About {percent(labels['share'])}{interval} of all labels are wrong, by "
        "the images that the model is surest of. “graticule label-errors” lists them with pictures."
    )


def risk_figure(acceptance: Mapping[str, Any], accepted: int, errors: int) -> Markup:
    """Share of errors among the accepted against the share accepted, with its band and the rule's place.

    `accepted` and `errors` count what the rule accepts of these images.
    """
    curve, rule = acceptance["curve"], acceptance["rule"]
    left, top, width, height = 48.0, 8.0, 400.0, 220.0
    bottom = top + height
    highs = [h for h in curve["high"] if h is not None]
    # the first points rest on few images: their upper limits would flatten the rest
    ceiling = max([*curve["risk"], *(sorted(highs)[: max(1, len(highs) * 3 // 4)]), 1.2 * (1 - rule["target"])])
    ticks = nice_ticks(0.0, ceiling)

    def place(coverage: float, risk: float) -> tuple[float, float]:
        return left + width * coverage, bottom - height * min(risk, ticks[-1]) / ticks[-1]

    body = []
    for tick in ticks:
        y = place(0, tick)[1]
        body += [line(left, y, left + width, y, "grid"), text(left - 6, y + 4, f"{100 * tick:g}", "end")]
    body += [text(place(tick, 0)[0], bottom + 15, f"{100 * tick:g}") for tick in (0.0, 0.25, 0.5, 0.75, 1.0)]
    rows = [row for row in zip(*(curve[k] for k in ("coverage", "low", "high")), strict=True) if row[1] is not None]
    if rows:
        there = [place(c, high) for c, _, high in rows]
        back = [place(c, low) for c, low, _ in reversed(rows)]
        body.append(f'<path class="band" d="M{_points(there + back)}z"/>')
    y = place(0, 1 - rule["target"])[1]
    body.append(line(left, y, left + width, y, "chance"))
    drawn = [place(c, r) for c, r in zip(curve["coverage"], curve["risk"], strict=True)]
    body += [line(left, bottom, left + width, bottom, "axis"), f'<path class="join" d="M{_points(drawn)}"/>']
    if accepted:
        x, y = place(acceptance["coverage"], errors / accepted)
        body.append(dot(x, y, 4.5, "point", f"{accepted:,} accepted, {errors:,} of them wrong"))
    body.append(text(left + width / 2, bottom + 31, "accepted, percent of the images"))
    middle = top + height / 2
    body.append(text(11, middle, "errors among them, percent", extra=f' transform="rotate(-90 11 {middle:g})"'))
    return svg(left + width + 16, bottom + 38, "Errors among accepted images against the share accepted", body)


def _points(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.5g},{y:.5g}" for x, y in places)
