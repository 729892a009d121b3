"""Recommendations of an audit: thresholds from below, the order, and the clean case."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from tests.audit.clean import CLEAN, advised, changed, families, marks, pixel_sizes, shortcut
from tests.audit.test_rules_pictures import FINDINGS as OF_PICTURES
from tests.audit.test_rules_samples import FINDINGS as OF_SAMPLES

from graticule.audit.rules import HARMS, NOTHING

FINDINGS = [*OF_SAMPLES, *OF_PICTURES]
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
    assert rules[:6] == ["conflicts", "leaks", "shortcuts", "synthetic_parents", "unreadable", "leaks"]
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
