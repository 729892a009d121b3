"""Text that shows what it is: nothing acts on a terminal, in a spreadsheet or on a page, and nothing is lost."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from graticule.plain_text import restored_cell, safe_cell, visible

ACTING = [
    *(chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)),
    *(chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in
      ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")),
    "\u200e", "\u200f", "\u061c",
]  # fmt: skip


def test_everything_that_acts_is_written_out() -> None:
    for character in ACTING:
        shown = visible(f"a{character}b")
        assert shown.isprintable()
        assert shown.startswith("a\\")
        assert shown.endswith("b")


def test_golden_escapes() -> None:
    assert visible("\x1b[31mred\u202e\x9b") == "\\x1b[31mred\\u202e\\u009b"
    assert visible("two\n\tlines\r", lines=True) == "two\n\tlines\\x0d"
    assert visible("half \ud800", lines=True) == "half \\ud800"


@pytest.mark.parametrize("text", ["", "β-cell", "naïve 測試", "שלום", "مرحبا", "a\\b", "e\u0301", "1.5 µm²", "👩‍🔬"])
def test_other_text_stays(text: str) -> None:
    assert visible(text) == visible(text, lines=True) == safe_cell(text) == restored_cell(text) == text


@pytest.mark.parametrize(
    "text",
    ["=cmd|' /C calc'!A0", "+1", "-1.png", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＠a", "|x", "%x", "a\x1bb", "\u202ea",
     "'=x", "''", "'\\\\", "'\\x41", "=\\x41", "\\"],
)  # fmt: skip
def test_cells_are_harmless_and_come_back(text: str) -> None:
    cell = safe_cell(text)
    assert cell == text or cell.startswith("'")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert visible(cell, lines=True) == cell
    assert restored_cell(cell) == text


@pytest.mark.parametrize("text", ["'s-Gravenhage", "'", "'quoted'", "it's", "'a\\b"])
def test_apostrophes_of_the_user_stay(text: str) -> None:
    assert safe_cell(text) == restored_cell(text) == text


@pytest.mark.parametrize("value", [None, 0, -1, -1.5, True, 3.0])
def test_numbers_stay_numbers(value: object) -> None:
    assert safe_cell(value) is value


def test_random_text_comes_back_and_no_two_cells_are_equal() -> None:
    rng = np.random.default_rng(0)
    alphabet = ["'", "\\", "=", "-", "x", "u", "4", "1", "2", "0", "e", "\x1b", "\u202e", "\x85", "\n", "a"]
    texts = {"".join(rng.choice(alphabet, size=rng.integers(0, 8))) for _ in range(20_000)}
    cells = {safe_cell(text) for text in texts}
    assert len(cells) == len(texts)
    assert all(restored_cell(safe_cell(text)) == text for text in texts)
