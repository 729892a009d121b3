"""Rules on samples: each by itself, with the words that must stand in it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.audit.clean import advised, changed, check_advice, families

from graticule.audit.rules import NOTHING

# rule, harm, changed parts, words that must stand in it
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
        "synthetic_parents",
        "high",
        {"without_parents": "40 synthetic images do not say which real images they were made from"},
        ("`train` refuses", "40 synthetic images do not say"),
    ),
    (
        "synthetic_gate",
        "medium",
        {"unproven": "4 of 40 synthetic images were not accepted by a gate (no gate: 4)"},
        ("`train` refuses", "4 of 40 synthetic images were not accepted", "synthesize --check"),
    ),
]


@pytest.mark.parametrize(("rule", "harm", "parts", "words"), FINDINGS)
def test_each_finding_gives_its_advice_and_no_other(
    rule: str, harm: str, parts: dict[str, Any], words: tuple[str, ...]
) -> None:
    check_advice(rule, harm, parts, words)


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
