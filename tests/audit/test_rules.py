"""Recommendations of an audit: each rule by itself, its threshold from both sides, the order, and the clean case."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from graticule.audit.document import AuditDocument
from graticule.audit.rules import HARMS, NOTHING, recommend

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


FINDINGS: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("classes", "high", {"classes": {"fibre": 100}}, ("only the class “fibre”",)),
    ("classes", "high", {"classes": {}}, ("No image has a label",)),
    (
        "conflicts",
        "high",
        {"components": {"two_labels": families(exact=1, near=1)}},
        ("22 images in 2 families", "1 identical, 1 nearly so"),
    ),
    (
        "leaks",
        "high",
        {"leaks": [{"kind": "group", "parts": ["train", "test"], "what": "lot 7", "n": 12, "examples": []}]},
        ("1 group in train and test (12 images)", "“lot 7”", "--test-size 0.2 --group lot`"),
    ),
    (
        "leaks",
        "medium",
        {"leaks": [{"kind": "near-duplicate", "parts": ["train", "val"], "what": "a.png", "n": 2, "examples": []}]},
        ("1 set of nearly identical pictures in train and val",),
    ),
    (
        "leaks",
        "medium",
        {"leaks": [{"kind": "tuning", "parts": ["test"], "what": "7 models were scored", "n": 60, "examples": []}]},
        ("7 models were scored", "cross-validation"),
    ),
    ("shortcuts", "high", {"shortcuts": [shortcut()]}, ("“the file format”", "“plate”", "93 %", "chance 50 %")),
    ("shortcuts", "medium", {"shortcuts": [shortcut("brightness", "picture")]}, ("“brightness”", "93 %")),
    ("unreadable", "high", {"unreadable": [{"path": "x", "error": "y"}] * 15}, ("15 files",)),
    ("unreadable", "medium", {"unreadable": [{"path": "x", "error": "y"}] * 14}, ("14 files",)),
    (
        "components",
        "medium",
        {"components": {"largest": {"n": 21, "share": 0.21, "class": "plate"}}},
        ("21 % of class",),
    ),
    (
        "components",
        "medium",
        {"components": {"largest": {"n": 12, "share": 0.12, "class": "plate"}, "notes": ["12 images, 12%"]}},
        ("12 % of class “plate”", "--near-duplicates join", "--near-duplicates exact"),
    ),
    (
        "duplicates",
        "medium",
        {"components": families(exact=2, near=1)},
        ("33 images in 3 families of copies (2 identical, 1 nearly so)",),
    ),
    ("duplicates", "low", {"components": families(exact=2)}, ("22 images in 2 families", "(2 identical)")),
    ("duplicates", "medium", {"components": families(near=1)}, ("11 images in 1 family", "(1 nearly identical)")),
    ("pixel_sizes", "medium", {"instrument": pixel_sizes(fibre=100.0, plate=1500.0)}, ("100 nm to 1.5 µm", "“fibre”")),
    (
        "pixel_sizes",
        "low",
        {"instrument": {"per_class": {"fibre": {"n": 9, "min": 10.0, "median": 12.0, "max": 15.0, "instruments": {}}}}},
        ("10 nm to 15 nm", "--scale physical"),
    ),
    (
        "shapes",
        "low",
        {"sizes": [{"width": 64, "height": 64, "mode": "", "n": 1}, {"width": 96, "height": 64, "mode": "", "n": 1}]},
        ("1.00 to 1.50", "--size-features"),
    ),
    (
        "small_classes",
        "medium",
        {"classes": {"fibre": 4, "plate": 4}, "groups": None},
        ("Fewer than 5 images: “fibre” (4), “plate” (4)", "--folds 4"),
    ),
    (
        "small_classes",
        "medium",
        {"groups": {"column": "lot", "n": 23, "per_class": {"fibre": 10, "plate": 10, "sphere": 3}}},
        ("images or groups: “sphere” (3)", "--folds 3"),
    ),
    ("small_classes", "low", {"classes": {"fibre": 100, "plate": 29}, "groups": None}, ("“plate” (29)", "88 %")),
    ("few_groups", "medium", {"groups": {"column": "lot", "n": 9, "per_class": {}}}, ("Only 9 groups", "“lot”")),
    (
        "imbalance",
        "low",
        {"classes": {"fibre": 500, "plate": 100}, "groups": None},
        ("“fibre” 500, “plate” 100", "83 %"),
    ),
    ("synthetic", "low", {"n_synthetic": 40}, ("40 images marked as synthetic",)),
    (
        "deep_images",
        "medium",
        {
            "formats": [
                {"format": "TIFF", "compression": "", "bits": 16, "n": 20},
                {"format": "PNG", "compression": "", "bits": 8, "n": 280},
            ]
        },
        ("20 images deeper than 8 bits, mixed", "full range of the pixel type", "--intensity"),
    ),
    (
        "deep_images",
        "low",
        {"formats": [{"format": "TIFF", "compression": "", "bits": 12, "n": 300}]},
        ("300 images deeper",),
    ),
    ("pages", "low", {"notes": [{"note": "first of 3 pages", "n": 4, "examples": []}]}, ("4 files", "`--page`")),
    ("info_bars", "low", {"info_bars": {"n": 50, "per_class": {"fibre": 50}}}, ("50 % of “fibre”", "--info-bar crop")),
    (
        "burnt_in_marks",
        "medium",
        {"marks": marks(fibre=(40, 36), plate=(40, 4))},
        ("in 40 of 80 ultrasound frames", "90 % of “fibre”, 10 % of “plate”", "--marks mask", "graticule compare"),
    ),
    ("burnt_in_marks", "low", {"marks": marks(fibre=(40, 40), plate=(40, 38))}, ("in 78 of 80 ultrasound frames",)),
]


@pytest.mark.parametrize(
    ("rule", "harm", "parts", "words"), FINDINGS, ids=lambda value: value if value in HARMS else None
)
def test_each_finding_gives_its_advice_and_no_other(
    rule: str, harm: str, parts: dict[str, Any], words: tuple[str, ...]
) -> None:
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


BELOW: list[dict[str, Any]] = [
    {"components": {"largest": {"n": 20, "share": 0.2, "class": "plate"}, "notes": []}},
    {"instrument": pixel_sizes(fibre=100.0, plate=149.0)},
    {
        "sizes": [
            {"width": 64, "height": 64, "mode": "", "n": 1},
            {"width": 95, "height": 64, "mode": "", "n": 1},
            {"width": 640, "height": 640, "mode": "", "n": 1},
        ]
    },
    {"classes": {"fibre": 149, "plate": 30}, "groups": None},
    {"groups": {"column": "lot", "n": 10, "per_class": {"fibre": 5, "plate": 5, "sphere": 5}}},
    {"info_bars": {"n": 290, "per_class": {"fibre": 100, "plate": 100, "sphere": 90}}},
    {"marks": marks(fibre=(40, 0), plate=(40, 0))},
    {"marks": marks(fibre=(40, 40), plate=(40, 0)) | {"masked": True}},
    {"notes": [{"note": "the end chunk of the PNG file is missing", "n": 1, "examples": []}]},
    {"groups": None},
    {"warnings": ["groups were switched off with --group none"], "groups": None},
]


@pytest.mark.parametrize("parts", BELOW)
def test_just_below_a_threshold_nothing_is_said(parts: dict[str, Any]) -> None:
    assert [item["rule"] for item in advised(changed(**parts))] == [NOTHING]


def test_the_clean_case_says_what_was_checked() -> None:
    (advice,) = advised(CLEAN)
    assert advice["rule"] == NOTHING
    assert "300 images" in advice["why"]
    assert "1 cue " in advice["why"]
    assert "groups for their number" in advice["why"]
    assert "`graticule train DATA --out RUN`" in advice["do"]
    assert "cannot be checked" in advice["why"]


def test_a_document_with_nothing_in_it_is_no_error() -> None:
    assert [item["rule"] for item in advised({})] == ["classes"]
    assert [item["rule"] for item in advised({"classes": {"a": 50, "b": 50}, "n": 100})] == [NOTHING]


def test_a_missing_group_column_is_named_where_a_warning_names_one() -> None:
    hint = "there is no column group, but 'slide no': the figures are too good without --group slide no"
    (advice,) = advised(changed(groups=None, warnings=[hint]))
    assert advice["rule"] == "groups"
    assert "“slide no”" in advice["title"]
    assert "`--group 'slide no'`" in advice["do"]
    rules = [item["rule"] for item in advised(changed(groups=None, components=families(near=3)))]
    assert rules == ["groups", "duplicates"]
    with_groups = advised(changed(warnings=[hint]))
    assert [item["rule"] for item in with_groups] == [NOTHING]


def test_a_cue_is_advised_once_with_the_advice_of_its_strongest_class() -> None:
    rows = [
        shortcut("format", strength=0.5, **{"class": "fibre", "advice": "Weaker."}),
        shortcut("size", strength=0.6, advice="Cut them alike."),
        shortcut("format", strength=0.9, advice="Export all as PNG."),
        shortcut("brightness", "picture"),
        shortcut("border", "picture"),
    ]
    found = advised(changed(shortcuts=rows))
    assert [item["harm"] for item in found] == ["high", "high", "medium"]
    assert found[0]["title"] == "“the file format” gives the class away: “fibre”, “plate”"
    assert [item["do"] for item in found[:2]] == ["Export all as PNG.", "Cut them alike."]
    assert "“brightness”, “border”" in found[2]["title"]


def test_cues_that_tell_the_same_class_are_one_advice() -> None:
    rows = [
        shortcut("format", strength=0.9, advice="The format tells plate apart. Export alike."),
        shortcut("compression", strength=0.8, advice="The compression tells plate apart. Export alike."),
        shortcut("day", strength=0.7, advice="The day tells plate apart. Mix the days."),
    ]
    (advice,) = advised(changed(shortcuts=rows))
    assert advice["title"] == "“the file format”, “compression”, “day” give the class away: “plate”"
    assert advice["do"] == "The format tells plate apart. Export alike. The day tells plate apart. Mix the days."


def test_leaks_are_gathered_by_kind_and_parts() -> None:
    def leak(kind: str, what: str, *parts: str) -> dict[str, Any]:
        return {"kind": kind, "parts": list(parts), "what": what, "n": 3, "examples": []}

    rows = [leak("group", f"lot {i}", "train", "test") for i in range(7)]
    rows += [leak("group", "lot 9", "train", "val"), leak("duplicate", "x.png", "train", "val", "test")]
    found = advised(changed(leaks=rows))
    titles = [item["title"] for item in found]
    assert titles[0].startswith("7 groups in train and test (21 images): “lot 0”, ")
    assert titles[0].endswith("“lot 2” and 4 more")
    assert titles[1].startswith("1 set of identical pictures in train and val and test (3 images)")
    assert titles[2].startswith("1 group in train and val")
    assert [item["harm"] for item in found] == ["high", "high", "medium"]
    assert "--allow-leaks" in found[0]["do"]
    assert "--allow-leaks" not in found[2]["do"]


def test_everything_at_once_stands_in_order_of_harm() -> None:
    parts: dict[str, Any] = {}
    for _, _, change, _ in FINDINGS[2:]:
        for key, value in change.items():
            if isinstance(value, list) and key in parts:
                parts[key] = parts[key] + value
            elif key == "components":
                parts[key] = parts.get(key, {}) | value
            else:
                parts[key] = value
    parts |= {"classes": {"fibre": 500, "plate": 100, "sphere": 3}}
    parts |= {"groups": {"column": "lot", "n": 9, "per_class": {}}}
    parts |= {"info_bars": {"n": 400, "per_class": {"fibre": 400}}}
    found = advised(changed(**parts))
    harms = [HARMS.index(item["harm"]) for item in found]
    assert harms == sorted(harms)
    rules = [item["rule"] for item in found]
    assert rules[:5] == ["conflicts", "leaks", "shortcuts", "unreadable", "leaks"]
    assert rules.index("components") < rules.index("duplicates") < rules.index("pixel_sizes") < rules.index("imbalance")
    assert rules[-2:] == ["info_bars", "burnt_in_marks"]
    assert advised(changed(**parts)) == found


def test_the_document_is_left_as_it_was() -> None:
    document = changed(shortcuts=[shortcut()], components={**families(exact=1), "two_labels": families(exact=1)})
    before = copy.deepcopy(document)
    advised(document)
    assert document == before


def test_options_named_in_the_advice_exist() -> None:
    from graticule.cli.app import app

    known = {option for info in app.registered_commands for option in _options(info.callback)}
    named_options = set()
    for _, _, parts, _ in FINDINGS:
        for item in advised(changed(**parts)):
            named_options |= set(re.findall(r"--[a-z][a-z-]+", " ".join(item.values())))
    assert named_options
    assert named_options <= known


def _options(callback: Any) -> set[str]:
    import inspect
    import typing

    hints = typing.get_type_hints(callback, include_extras=True)
    found = {f"--{name.replace('_', '-')}" for name in inspect.signature(callback).parameters}
    for hint in hints.values():
        for extra in getattr(hint, "__metadata__", ()):
            found |= {text for text in getattr(extra, "param_decls", None) or () if text.startswith("--")}
    return found
