"""The page of a number explained: pictures with maps, and what the border has to do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graticule.report.explain.value_page import border_words, render_value_explanations

PIXEL = "data:image/png;base64,iVBORw0KGgo="


def document(share: float | None = 0.2) -> dict[str, Any]:
    row = {"path": "a<b>.png", "predicted": 0.4, "overlay": "maps/00000.png", "border_share": share}
    return {
        "graticule_version": "0.1.0", "created_utc": "2026-01-02T03:04:05Z", "run": "run", "target": "fraction",
        "unit": "", "scale": "linear", "method": "hirescam", "baseline": "training", "n": 3, "n_explained": 2,
        "border": {"share": share, "area": 0.23}, "rows": [row, row | {"predicted": 0.9}],
    }  # fmt: skip


def test_the_page_is_whole(parse: Callable[[str], Any]) -> None:
    about = document()
    page = parse(render_value_explanations(about, [row | {"picture": PIXEL, "map": PIXEL} for row in about["rows"]]))
    assert page.from_elsewhere() == []
    assert page.targets <= set(page.ids)
    assert "a<b>.png" in page.text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("share", "words"), [(0.2, "does not draw the eye"), (0.6, "cut or framed"), (None, "maps are empty")]
)
def test_words_on_the_border(share: float | None, words: str) -> None:
    assert words in border_words(document(share))
