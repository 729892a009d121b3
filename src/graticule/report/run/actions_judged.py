"""Decisions held against labels in words: on an evaluation's images, and on the held-out part of a run."""

from collections.abc import Mapping
from typing import Any

from graticule.report.quantities import percent

KEPT = {
    "kept": "The whole interval lies at or above the {target} wanted: kept.",
    "open": "The {target} wanted lies inside the interval: whether it is kept these images do not show.",
    "missed": "The whole interval lies below the {target} wanted: not kept. These images differ from those that the "
    "rule was found on; do not accept answers on images of this kind unseen.",
}


def bracketed(figure: Mapping[str, Any]) -> str:
    """The interval of a figure in brackets, empty where there is none."""
    if figure.get("low") is None or figure.get("high") is None:
        return ""
    return f" ({percent(figure['low'])} to {percent(figure['high'])})"


def judged_answer(found: Mapping[str, Any]) -> str:
    """What became of the images, and how good what was accepted is."""
    acceptance, decisions = found["acceptance"], found["decisions"]
    taken, novel = (round(1000 * decisions[name]["value"]) for name in ("accept", "reject"))
    rest = f"{1000 - taken - novel:,} go to a person and {novel:,} are rejected as unlike the training images"
    if not acceptance["accepted"]:
        return f"Of 1,000 images like these none is accepted; {rest}."
    accuracy = acceptance["accuracy"]
    return (
        f"Of 1,000 images like these, about {taken:,} are accepted without a look, {percent(accuracy['value'])} of "
        f"them right{bracketed(accuracy)}; {rest}."
    )


def kept_words(acceptance: Mapping[str, Any]) -> str:
    """Whether the accuracy wanted is kept among the accepted."""
    target = percent(acceptance["rule"]["target"])
    if not acceptance["accepted"]:
        return ""
    if acceptance["target"] is None:
        return f"Wanted: {target}. Fewer than 10 groups have accepted images, so there is no interval to judge by."
    return KEPT[acceptance["target"]].format(target=target)


def judged_rule(found: Mapping[str, Any], status: Mapping[str, str]) -> str:
    """The rule that was applied, and how it fared."""
    rule, evidence, acceptance = found["acceptance"]["rule"], found["evidence"], found["acceptance"]
    return (
        f"{status[rule['status']]} (accuracy {percent(rule['target'])}, confidence {percent(rule['confidence'])}), "
        f"found on the {evidence['source']} of {evidence['n']:,} images: {rule['words']}. Here it accepts "
        f"{acceptance['accepted']:,} of {found['n']:,} images, {acceptance['errors']:,} of them wrong."
    )


def judged_novelty(novelty: Mapping[str, Any] | None) -> str:
    """How many images of known classes were taken for novel."""
    if novelty is None:
        return "Whether images are like the training images is not known here."
    share, alpha = novelty["share"], novelty["alpha"]
    words = (
        f"{novelty['rejected']:,} of {novelty['n']:,} images, all of known classes, were rejected as novel: "
        f"{percent(share['value'])}{bracketed(share)}, where {percent(alpha)} of usual images are expected at most."
    )
    if share["low"] is not None and share["low"] > alpha:
        words += " That is more: these images differ from the training images, in instrument, specimen or preparation."
    return words


def judged_calibration(calibration: Mapping[str, Any]) -> str:
    """What calibration did to the log loss on these images."""
    method, change = calibration["method"], calibration["log_loss_change"]
    if method == "none":
        return "Calibration: none; the scores are used as the model gave them."
    ends = "" if change["low"] is None else f" ({change['low']:+.4f} to {change['high']:+.4f})"
    return f"Calibration: {method}. It changes the log loss of these images by {change['value']:+.4f}{ends}."


def judged_sets(sets: list[Mapping[str, Any]]) -> list[str]:
    """One sentence on the prediction sets of each level."""
    sentences = []
    for found in sets:
        known = [(c["coverage"], name, c) for name, c in found["per_class"].items() if c["coverage"] is not None]
        if not known or found["coverage"] is None:
            continue
        least, name, figures = min(known, key=lambda row: row[:2])
        sentences.append(
            f"Sets at {percent(found['level'])} hold the true class of {percent(found['coverage'])}{bracketed(found)} "
            f"of the images, and of {percent(least)}{bracketed(figures)} of the class {name}, the lowest; "
            f"{found['size']:.2f} classes in the mean."
        )
    return sentences


def held_out_words(test: Mapping[str, Any] | None) -> list[str]:
    """The held-out part of a run: acceptance, novelty and sets; empty where it was not judged."""
    if not test or "acceptance" not in test:
        return []
    acceptance, novelty = test["acceptance"], test["novelty"]
    if not acceptance["accepted"]:
        words = [f"Of {test['n']:,} held-out images none was accepted."]
    else:
        accuracy = acceptance["accuracy"]
        words = [
            f"Of {test['n']:,} held-out images {acceptance['accepted']:,} were accepted, "
            f"{percent(accuracy['value'])} of them right{bracketed(accuracy)}. {kept_words(acceptance)}"
        ]
    if novelty is not None:
        words.append(judged_novelty(novelty))
    return words + judged_sets(test["sets"])


def specimen_content(specimens: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Verdicts on specimens: shares right, and the specimens judged wrongly."""
    if not specimens or not specimens["n_specimens"]:
        return None
    notes = []
    if specimens["n_mixed_labels"]:
        notes.append(f"{specimens['n_mixed_labels']:,} specimens have images of several classes and are not judged")
    if specimens["n_without"]:
        notes.append(f"{specimens['n_without']:,} images name no specimen")
    return {
        "n": specimens["n_specimens"],
        "rows": [
            ("Class of most images (a tie is no verdict)", specimens["majority"]),
            ("Highest mean score", specimens["mean_score"]),
        ],
        "wrong": specimens["wrong"],
        "notes": notes,
    }
