"""Write the table of image formats in docs/data.md from the catalogue of formats.

python docs/write_formats.py
"""

from __future__ import annotations

from pathlib import Path

from graticule.formats.catalogue import FORMATS

PAGE = Path(__file__).with_name("data.md")
HEAD = "| format | what is read |\n|---|---|\n"


def page() -> str:
    """The text of docs/data.md with its table of formats anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    rows = "".join(f"| {each.name} | {each.words} |\n" for each in FORMATS)
    return before + HEAD + rows + "\n" + rest.partition("\n\n")[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
