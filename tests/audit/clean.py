"""An audit's document in which no rule finds anything, and the parts that make one speak."""

from __future__ import annotations

import copy
from typing import Any

from graticule.audit.document import AuditDocument
from graticule.audit.rules import recommend

CLEAN: dict[str, Any] = {
    "n": 300,
    "classes": {"fibre": 100, "plate": 100, "sphere": 100},
    "n_unlabelled": 0,
    "n_synthetic": 0,
    "groups": {"column": "lot", "n": 30, "per_class": {"fibre": 10, "plate": 10, "sphere": 10}},
    "sizes": [{"width": 64, "height": 64, "mode": "grey, 8 bit", "n": 300}],
    "formats": [{"format": "PNG", "compression": "deflate", "bits": 8, "n": 300}],
    "unreadable": [],
    "duplicates": [],
    "n_duplicates": {"exact": 0, "near": 0},
    "components": {"n": 0, "images": 0, "largest": None, "notes": []},
    "conflicts": [],
    "shortcuts": [],
    "associations": [
        {"cue": "format", "class": "plate", "strength": 0.01, "low": None, "high": None, "measure": "cramers_v"}
        | {"accuracy": 0.5, "accuracy_measure": "balanced accuracy", "chance": 0.5, "p_value": 1.0}
        | {"nature": "acquisition", "words": "the file format", "flagged": False}
    ],
    "leaks": [],
    "instrument": {"known": 0, "per_class": {}, "warnings": []},
    "info_bars": {"n": 0, "per_class": {}, "rows": None},
    "intensity": {"policy": "full range of the pixel type", "why": "8 bit"},
    "notes": [],
    "warnings": [],
}


def changed(**parts: Any) -> dict[str, Any]:
    """The clean document with some parts exchanged."""
    return copy.deepcopy(CLEAN) | parts


def advised(document: dict[str, Any]) -> list[dict[str, str]]:
    """The recommendations for a document, as plain values."""
    return [item.model_dump() for item in recommend(AuditDocument.model_validate(document))]


def families(exact: int = 0, near: int = 0) -> dict[str, Any]:
    """Counts of families of eleven images each."""
    n = exact + near
    return {"n": n, "images": 11 * n, "exact": exact, "near": near}


def shortcut(cue: str = "format", nature: str = "acquisition", strength: float = 0.8, **parts: Any) -> dict[str, Any]:
    row = {"cue": cue, "class": "plate", "strength": strength, "low": 0.7, "high": 0.9, "measure": "cramers_v"}
    row |= {"accuracy_measure": "balanced accuracy"}
    return row | {"accuracy": 0.93, "chance": 0.5, "p_value": 1e-6, "nature": nature, "advice": ""} | parts


def pixel_sizes(**medians: float) -> dict[str, Any]:
    per_class = {k: {"n": 9, "min": v, "median": v, "max": v, "instruments": {}} for k, v in medians.items()}
    return {"known": 9 * len(medians), "per_class": per_class, "warnings": []}


# rule, harm, changed parts, words that must stand in it
def marks(**classes: tuple[int, int]) -> dict[str, Any]:
    """Ultrasound frames of each class, and how many of them bear marks."""
    per_class = {
        name: {"frames": frames, "n": n, "area_outside": 0.01, "area_inside": 0.001}
        for name, (frames, n) in classes.items()
    }
    totals = {key: sum(row[key] for row in per_class.values()) for key in ("frames", "n")}
    return {**totals, "masked": False, "per_class": per_class}


def check_advice(rule: str, harm: str, parts: dict[str, Any], words: tuple[str, ...]) -> None:
    """One advice for the clean document with some parts exchanged: its rule, its harm, words, and how it is written."""
    (advice,) = advised(changed(**parts))
    assert (advice["rule"], advice["harm"]) == (rule, harm)
    text = " ".join(advice.values())
    for word in words:
        assert word in text
    for key in ("title", "why", "do"):
        assert len(advice[key]) > 10
        assert advice[key].count("`") % 2 == 0
    assert advice["why"].endswith(".")
    assert advice["do"].endswith(".")
