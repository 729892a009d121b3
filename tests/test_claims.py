"""A marker that one process has: made by one, told from what a dead process left, taken over by one."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from graticule import claims
from graticule.claims import Claim, Owner, Taken, claim
from graticule.errors import FileError


def held(found: Claim | Taken | None) -> Claim:
    assert isinstance(found, Claim)
    return found


def taken(found: Claim | Taken | None) -> Taken:
    assert isinstance(found, Taken)
    return found


def dead_process() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_one_has_it_and_the_next_after_it_is_given_back(tmp_path: Path) -> None:
    marker = tmp_path / "STARTED"
    mine = held(claim(marker))
    assert not mine.took_over
    for take_over in (False, True):
        other = taken(claim(marker, take_over=take_over))
        assert other.running
        assert (other.owner.pid, other.owner.host) == (os.getpid(), platform.node())
    mine.release(remove=True)
    assert not marker.exists()
    again = held(claim(marker))
    again.release(remove=False)
    assert not taken(claim(marker)).running
    over = held(claim(marker, take_over=True))
    assert over.took_over
    assert taken(claim(marker)).running
    over.release(remove=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"2026-07-01T10:00:00Z\n", b"{", b"[" * 1000, b"\0" * 1000, b'{"pid": "x"}'])
def test_a_marker_without_a_name_is_of_an_interrupted_process(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_PATIENCE", 0.05)
    marker = tmp_path / "STARTED"
    marker.write_bytes(content)
    found = taken(claim(marker))
    assert not found.running
    assert str(found.owner) == "a process that left no name"
    held(claim(marker, take_over=True)).release(remove=True)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a process is not looked up by its number")
def test_where_there_are_no_locks_the_process_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_lock", lambda stream: None)
    marker = tmp_path / "STARTED"
    mine = held(claim(marker))
    assert taken(claim(marker, take_over=True)).running
    mine.release(remove=False)
    marker.write_bytes(Owner(dead_process(), platform.node(), "then").to_bytes())
    assert not taken(claim(marker)).running
    held(claim(marker, take_over=True)).release(remove=True)
    marker.write_bytes(Owner(dead_process(), "another-host", "then").to_bytes())
    assert taken(claim(marker, take_over=True)).running, "nobody here can tell"


def test_what_a_marker_says_is_shown_without_control_characters() -> None:
    said = Owner.read(Owner(12, "host\x1b[31m\u202e", "2026").to_bytes())
    assert str(said) == "process 12 on host host?[31m? since 2026"
    assert Owner.read(Owner.here().to_bytes()).pid == os.getpid()
    assert not Owner(10**30, platform.node(), "").may_live() or os.name != "posix"


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_is_no_marker(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"years of work")
    (tmp_path / "STARTED").symlink_to(tmp_path / "victim")
    for take_over in (False, True):
        with pytest.raises(FileError, match="is a link"):
            claim(tmp_path / "STARTED", take_over=take_over)
    assert (tmp_path / "victim").read_bytes() == b"years of work"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        claim(tmp_path / "absent" / "STARTED")
