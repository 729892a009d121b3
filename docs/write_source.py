"""Write docs/source.md: every file of the source and what it is for, from their docstrings.

python docs/write_source.py
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1] / "src" / "graticule"
PAGE = Path(__file__).with_name("source.md")
TOP = "The tables that travel, and what all rooms share."
HEAD = """# The source

Every file of `src/graticule/` and what it is for; written by `python docs/write_source.py`. A folder imports from those
before it only, in the order given in [CONTRIBUTING.md](../CONTRIBUTING.md). `tests/` mirrors it.
"""


def first_sentence(file: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def folders() -> list[Path]:
    """Every folder with source, the top first, then in the order of the alphabet."""
    return sorted({file.parent for file in ROOT.rglob("*.py")})


def page() -> str:
    """The text of docs/source.md."""
    parts = [HEAD]
    for folder in folders():
        name = "graticule" if folder == ROOT else folder.relative_to(ROOT).as_posix()
        about = (
            "The tables that travel, and what all rooms share."
            if folder == ROOT
            else first_sentence(folder / "__init__.py")
        )
        rows = [
            f"| `{file.name}` | {first_sentence(file).replace('|', chr(92) + '|')} |"
            for file in sorted(folder.glob("*.py"))
            if file.name != "__init__.py" or folder == ROOT
        ]
        parts.append("\n".join([f"## {name}/", "", about, "", "| file | is for |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
