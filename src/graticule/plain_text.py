r"""Text that shows what it is, wherever the program puts names that it did not make: terminals, tables, pages.

A name may hold characters that move the cursor, colour a terminal, end a line or turn the direction of what follows, so
that one file's name is read as another's. Such characters are written as escapes. A spreadsheet takes a cell that
begins with one of some characters for a formula and runs it. Such a cell is marked, so that `restored_cell` gives the
text back.
"""

import re
from typing import Any

# C0, delete, C1, the line and paragraph separators; marks, embeddings, overrides and isolates of direction
# (Unicode Standard Annex 9)
CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{CONTROLS}]")
_CONTROL_IN_LINES = re.compile(f"(?![\n\t])[{CONTROLS}\ud800-\udfff]")
# what makes a spreadsheet take a cell for a formula, the full-width forms too
_FORMULA = tuple("=+-@\t\r\n＝＋－＠|%")
_ESCAPED = re.compile(r"\\(?:(\\)|x([0-9a-f]{2})|u([0-9a-f]{4}))")
_TO_ESCAPE = re.compile(f"[\\\\{CONTROLS}]")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\\":
        return "\\\\"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text for people, with `\x1b`, `\u202e` and the like in place of what would act instead of show.

    Parameters
    ----------
    text : str
    lines : bool
        Keep line breaks and tabs: for messages of several lines. Halves of surrogate pairs, which no terminal can
        write, become escapes too.
    """
    return (_CONTROL_IN_LINES if lines else _CONTROL).sub(_escape, text)


def safe_cell(value: Any) -> Any:
    """A value as a cell of a CSV file that people open in a spreadsheet; numbers and most text stay as they are.

    Text that a spreadsheet would run as a formula, that holds control characters other than line breaks, or that reads
    like a marked cell, gets an apostrophe in front, and backslash escapes.
    """
    if not isinstance(value, str):
        return value
    acts = value.startswith(_FORMULA) or _CONTROL_IN_LINES.search(value)
    return f"'{_TO_ESCAPE.sub(_escape, value)}" if acts or _is_marked(value) else value


def restored_cell(text: str) -> str:
    """The text that `safe_cell` was given; other cells, with an apostrophe of their own too, stay as they are."""
    if not _is_marked(text):
        return text
    return _ESCAPED.sub(lambda found: "\\" if found[1] else chr(int(found[2] or found[3], 16)), text[1:])


def _is_marked(text: str) -> bool:
    return text[:1] == "'" and (text[1:].startswith((*_FORMULA, "'")) or _ESCAPED.search(text, 1) is not None)


def plural(n: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
