"""The page of a number explained: pictures with their maps, parts and checks, whole in itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.report.explain.test_value_content import checks, document

from graticule.report.explain.value_page import render_value_explanations

PIXEL = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("parts", "baseline"),
    [(["network", "orientation"], "training"), (["network"], "images"), (["orientation"], None)],
)
def test_the_page_is_whole(parse: Callable[[str], Any], parts: list[str], baseline: str | None) -> None:
    about = document(parts=parts, baseline=baseline, checks={part: checks() for part in parts})
    if "orientation" not in parts or baseline is None:
        about |= {"told_by_family": None, "told": {"network": 0.1} if baseline else None}
        about["rows"] = [row | {"told": about["told"], "statistics": None} for row in about["rows"]]
    tiles = [row | {"picture": PIXEL, "maps": dict.fromkeys(parts, PIXEL)} for row in about["rows"]]
    page = parse(render_value_explanations(about, tiles))
    assert page.from_elsewhere() == []
    assert page.targets <= set(page.ids)
    text = page.text.replace("\u200b", "")
    assert "a<b>.png" in text
    assert ("Which part told how much" in text) == (len(parts) > 1)
    assert ("A square of the picture is left out" in text) == ("orientation" in parts)
    assert "None" not in text
