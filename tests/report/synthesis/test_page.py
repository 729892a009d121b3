"""The page of generated images: whole without a network, names escaped, a frame around copies."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.synthesis.test_verdict import COPIES, GOOD

from graticule.report.synthesis.content import Sheet
from graticule.report.synthesis.page import render_judgement

ABOUT = {
    "graticule_version": "0",
    "created_utc": "2026-01-01T00:00:00Z",
    "command": "graticule synthesize --check made --trained-on data --out o",
    "images": "made",
    "trained_on": "data",
    "packages": {"numpy": "2"},
    "parents_known": False,
    "n_generated": 80,
    "n_real": 200,
    "canvas_px": 32,
    "warnings": ["a <b> warning"],
}


def page() -> str:
    label = "<oil> & air"
    gate = {"classes": [replace(GOOD, label=label).describe(), replace(GOOD, label="air", each=COPIES).describe()]}
    rows = [(Path("a"), Path("b"), 0.05, True), (Path("c"), Path("d"), 1.01, False)]
    sheets = [Sheet(label, rows, [Path("e")], []), Sheet("air", rows, [Path("e")], [Path("f")])]
    return render_judgement(ABOUT, gate, sheets, lambda file: np.zeros((9, 7, 3), np.uint8))


def test_names_are_escaped_and_nothing_is_loaded() -> None:
    text = page()
    assert "<oil>" not in text
    assert "&lt;oil&gt; &amp; air" in text
    assert "a &lt;b&gt; warning" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)


def test_copies_are_framed_and_the_limits_said() -> None:
    text = page()
    assert text.count('<li class="copy">') == 2
    assert text.count("Real, not seen by it") == 1
    assert "No table says which images the generator saw" in text
    assert "is not “nobody can be recognised”" in text
    assert "class weights" in text
    assert "anonym" not in text.lower()
