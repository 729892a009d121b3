"""Write docs/commands.md from the commands themselves; a test compares the two.

The layout is made here and not taken from `--help`, which depends on the terminal's width and on the version of typer.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import typer

from graticule.cli.app import app

PAGE = Path(__file__).with_name("commands.md")
_WIDTH = 100
_INTRODUCTION = """\
# Commands

This page shows the help of every verb; `graticule VERB --help` prints the same in the terminal.
It is written by `python docs/write_commands.py` and compared with the program by a test.

Exit codes: 0 done; 1 a defect of the program; 2 something to mend, told in one message;
3 done, with failures listed (unreadable images). Ctrl-C, once or several times, ends with 130 within seconds
and with one line; nothing is then marked as finished, and a second `train` goes on from what was embedded by then.
Tables and JSON go to standard output, progress and messages to standard error.
"""


def verbs() -> dict[str, Any]:
    """The commands by name ("train", "labels verify"), in the order of the program's help."""
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= {name: command} if inner is None else {f"{name} {verb}": own for verb, own in inner.items()}
    return found


def is_option(parameter: Any) -> bool:
    """Whether a parameter is an option rather than an argument."""
    return bool(parameter.param_type_name == "option")


def word(parameter: Any) -> str:
    """How a parameter is written: "DATA", "--out DIR", "--json"."""
    if not is_option(parameter):
        return str(parameter.metavar)
    if parameter.is_flag:
        return str(parameter.opts[0])
    return f"{parameter.opts[0]} {parameter.metavar or 'N'}"


def _told(parameter: Any) -> str:
    text = str(parameter.help)
    if parameter.required:
        return f"{text} Required." if is_option(parameter) else text
    if parameter.default is None or parameter.default is False:
        return text
    return f"{text} Default: {parameter.default}."


def _listed(title: str, rows: list[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    indent = max(len(name) for name, _ in rows) + 4
    lines = ["", f"{title}:"]
    for name, text in rows:
        first = f"  {name}".ljust(indent)
        lines += textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * indent)
    return lines


def section(name: str, command: Any) -> str:
    """The help of one verb in Markdown."""
    arguments = [p for p in command.params if not is_option(p)]
    options = [p for p in command.params if is_option(p) and p.name != "help"]
    needed = [word(p) for p in options if p.required]
    usage = " ".join(["graticule", name, *(word(p) for p in arguments), *needed])
    if len(options) > len(needed):
        usage += " [OPTIONS]"
    lines = [f"## graticule {name}", "", str(command.help).strip(), "", "```text", usage]
    lines += _listed("Arguments", [(word(p), _told(p)) for p in arguments])
    lines += _listed("Options", [(word(p), _told(p)) for p in options])
    return "\n".join([*lines, "```", ""])


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *(section(name, command) for name, command in verbs().items())])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
