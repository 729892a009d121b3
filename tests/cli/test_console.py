"""What the terminal gets: names from outside are shown and do nothing, in tables, notes, errors and JSON."""

from __future__ import annotations

import io
import json
import sys

import pytest
from rich.console import Console

from graticule.cli.console import Progress, Shown, bare, print_json, print_table, showing

EVIL = "a\x1b]0;title\x07\x9b2J\u202egpj.\x7f"
HARMLESS = "a\\x1b]0;title\\x07\\u009b2J\\u202egpj.\\x7f"


def test_names_do_nothing_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with showing():
        print_table(["class", "n"], [[EVIL, 3]])
        print(f"graticule: {EVIL}", file=sys.stderr)
        sys.stderr.writelines([EVIL, "\n"])
        with Progress() as progress:
            progress.step(EVIL)
            progress.begin(EVIL, 3)
            progress.note(EVIL)
    out, err = capsys.readouterr()
    for text, times in ((out, 1), (err, 5)):
        assert text.count(HARMLESS) == times
        assert all(character.isprintable() or character in "\n\t" for character in text)
    assert out.splitlines()[1].endswith("  3")


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    with showing():
        print_json({EVIL: [EVIL, "β-cell\n"]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"schema_version": 1, EVIL: [EVIL, "β-cell\n"]}
    assert "β-cell" in out
    assert all(character.isprintable() or character == "\n" for character in out)


def test_bars_still_move_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with showing(), Progress() as progress:
        assert Console(file=bare(sys.stderr)).is_terminal
        progress.begin(f"reading {EVIL}", 2)
        progress.note(EVIL)
        progress.advance(2)
    text = terminal.getvalue()
    assert "\x1b[" in text
    assert HARMLESS in text
    assert not {"\x07", "\x9b", "\u202e", "\x7f"} & set(text)


def test_streams_come_back() -> None:
    before = sys.stdout, sys.stderr
    with showing(), showing():
        assert isinstance(sys.stdout, Shown)
        assert not isinstance(bare(sys.stdout), Shown)
        assert sys.stdout.encoding == before[0].encoding
    assert (sys.stdout, sys.stderr) == before
