"""What the terminal gets: names from outside are shown and do nothing, in tables, notes, errors and JSON."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
import typer
from rich.console import Console

from graticule.cli.console import ProgressBars, SafeStream, bare, print_json, print_table, showing

EVIL = "a\x1b]0;title\x07\x9b2J\u202egpj.\x7f"
HARMLESS = "a\\x1b]0;title\\x07\\u009b2J\\u202egpj.\\x7f"


def test_names_do_nothing_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with showing():
        print_table(["class", "n"], [[EVIL, 3]])
        print(f"graticule: {EVIL}", file=sys.stderr)
        sys.stderr.writelines([EVIL, "\n"])
        with ProgressBars() as progress:
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


def encoded(encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    """A stream with an encoding, as PYTHONIOENCODING or a terminal gives one."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors, newline="")


def bytes_of(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


NAMES = ["β-cell", "µm", "細胞", "\U0001f52c", "no\udcff.png"]


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp932", "utf-8", "utf-16-le"])
def test_no_encoding_fails(monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str) -> None:
    out, err = encoded(encoding, errors), encoded(encoding, errors)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with showing():
        print_table(["class", "n"], [[name, 3] for name in NAMES])
        typer.echo("; ".join(NAMES))
        print(f"graticule: {NAMES}", file=sys.stderr)
        with ProgressBars() as progress:
            progress.note(" ".join(NAMES))
    for stream in (out, err):
        text = bytes_of(stream).decode(encoding)
        for name in NAMES:
            escaped = name.encode(encoding, "backslashreplace").decode(encoding)
            assert name in text or escaped in text, (name, text)
    if encoding == "ascii":
        assert bytes_of(out).isascii()
        assert b"\\u03b2-cell" in bytes_of(out)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    out = encoded(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    content = {name: [name] for name in (*NAMES, "é\xa0ÿ")}
    with showing():
        print_json(content)
    assert json.loads(bytes_of(out).decode(encoding)) == {"schema_version": 1, **content}


def test_a_choice_of_the_user_how_to_write_what_cannot_be_written_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    out = encoded("ascii", "replace")
    monkeypatch.setattr(sys, "stdout", out)
    with showing():
        typer.echo("β-cell")
    assert bytes_of(out) == b"?-cell\n"


class Gone(io.StringIO):
    """A stream whose reader has left, or whose disk is full."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def write(self, text: str) -> int:
        raise OSError(self.code, os.strerror(self.code))

    def flush(self) -> None:
        raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize("code", [errno.EPIPE, errno.EIO])
def test_a_reader_who_leaves_stops_nothing(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(sys, "stdout", Gone(code))
    monkeypatch.setattr(sys, "stderr", Gone(code))
    done = []
    with showing(), ProgressBars() as progress:
        progress.step("reading")
        print_table(["class"], [["a"]])
        sys.stdout.flush()
        done.append(1)
    assert done


def test_a_full_disk_is_an_error_of_stdout_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone(errno.ENOSPC))
    monkeypatch.setattr(sys, "stdout", Gone(errno.ENOSPC))
    with showing(), ProgressBars() as progress:
        progress.step("reading")
        with pytest.raises(OSError, match="No space") as caught:
            print_table(["class"], [["a"]])
    assert caught.value.filename == "standard output"


def test_closed_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with showing(), ProgressBars() as progress:
        progress.step("reading")
        print_table(["class"], [["a"]])
        print_json({})
        during = sys.stdout, sys.stderr
    assert None not in during  # what is said goes nowhere, and nothing fails for it
    assert (sys.stdout, sys.stderr) == (None, None)


def graticule(*words: str, more: dict[str, str], stdout: int | IO[bytes] = subprocess.PIPE) -> tuple[int, bytes, bytes]:
    """The command in a process of its own: exit code, stdout, stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONIO"))}
    done = subprocess.run(
        [sys.executable, "-m", "graticule", *words], stdout=stdout, stderr=subprocess.PIPE, env=kept | more
    )
    return done.returncode, done.stdout or b"", done.stderr


def test_the_command_under_narrow_encodings(tmp_path: Path) -> None:
    for more in ({"PYTHONIOENCODING": "cp1252"}, {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        code, out, err = graticule("audit", str(tmp_path / "β-cells-細胞"), more=more)
        assert (code, out) == (2, b"")
        assert b"Traceback" not in err
        assert b"-cells-" in err
        assert err.isascii(), "what the encoding lacks is escaped"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is needed: /dev/full")
def test_the_command_on_a_full_disk_and_into_a_closed_pipe() -> None:
    with Path("/dev/full").open("wb") as full:
        code, _, err = graticule("backbones", more={}, stdout=full)
    assert code == 2
    assert err == b"graticule: standard output: No space left on device\n"
    read, write = os.pipe()
    os.close(read)
    try:
        assert graticule("backbones", more={}, stdout=write)[::2] == (0, b"")
    finally:
        os.close(write)


def test_bars_still_move_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with showing(), ProgressBars() as progress:
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
        assert isinstance(sys.stdout, SafeStream)
        assert not isinstance(bare(sys.stdout), SafeStream)
        assert sys.stdout.encoding == before[0].encoding
    assert (sys.stdout, sys.stderr) == before
