"""Run folders: made once, marked last, refused when in use, and honest about failure."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from graticule import runs
from graticule.errors import OptionError, RunError
from graticule.files import sha256_file, write_bytes, write_text
from graticule.runs import (
    DONE,
    machine,
    output_folder,
    package_versions,
    read_json,
    require_finished,
    reserved,
    utc_now,
    write_json,
)


def finished(folder: Path) -> Path:
    with output_folder(folder, "run") as out:
        write_text(out / "metrics.json", "{}")
    return folder


def interrupted(folder: Path, error: BaseException) -> None:
    with output_folder(folder, "run"):
        (folder / "half.txt").write_text("half")
        raise error


def test_the_marker_is_written_last(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run"
    with output_folder(folder, "run") as out:
        assert out == folder
        assert not (folder / DONE).exists()
        (folder / "a").write_text("")
    assert (folder / DONE).is_file()
    assert require_finished(folder) == folder


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert require_finished(finished(folder))


def test_a_finished_run_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = finished(tmp_path / "run")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(RunError, match=f"{folder} holds a finished run already"), output_folder(folder, "run"):
        pytest.fail("the body must not run")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_an_interrupted_run_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        interrupted(folder, KeyboardInterrupt())
    with pytest.raises(RunError, match="interrupted evaluation"), output_folder(folder, "evaluation"):
        pass
    with pytest.raises(RunError, match="marker DONE is missing"):
        require_finished(folder)


def at_once(n: int, work: Callable[[int], object]) -> list[object]:
    """What each of n threads got when all began at the same moment; an error of the user is an outcome, too."""
    start = threading.Barrier(n)

    def begin(number: int) -> object:
        start.wait()
        try:
            return work(number)
        except RunError as error:
            return error

    with ThreadPoolExecutor(n) as threads:
        return list(threads.map(begin, range(n)))


@pytest.mark.parametrize("there", [False, True])
def test_of_many_that_begin_at_once_exactly_one_gets_the_folder(tmp_path: Path, there: bool) -> None:
    for number in range(20):
        folder = tmp_path / f"run-{number}" / "deep"
        if there:
            folder.mkdir(parents=True)

        def work(own: int, folder: Path = folder) -> int:
            with output_folder(folder, "run") as out:
                write_text(out / "result", str(own))
                time.sleep(0.02)
                write_text(out / f"more-{own}", "")
            return own

        won = [found for found in at_once(12, work) if isinstance(found, int)]
        assert len(won) == 1
        assert {file.name for file in folder.iterdir()} == {DONE, "result", f"more-{won[0]}"}
        assert (folder / "result").read_text() == str(won[0])


def test_one_who_fails_removes_nothing_of_another(tmp_path: Path) -> None:
    """Starts that fail at once leave no folder, and never take away one in which another has begun."""

    def work(own: int) -> int:
        with output_folder(folder, "run") as out:
            if own % 3:
                raise RunError("stop")
            write_text(out / "result", str(own))
            return own

    for number in range(30):
        folder = tmp_path / f"run-{number}"
        won = [found for found in at_once(12, work) if isinstance(found, int)]
        assert len(won) <= 1
        if won:
            assert require_finished(folder) == folder
            assert (folder / "result").read_text() == str(won[0])
        else:
            assert not folder.exists() or not any(folder.iterdir())


def test_a_folder_in_use_names_its_process(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    said = rf"in use by process {os.getpid()} on host .+ since \d{{4}}-\d\d-\d\dT"
    with output_folder(folder, "run") as out:
        (out / "half").write_text("")
        for resume in (False, True):
            with pytest.raises(RunError, match=said), output_folder(folder, "run", resume=resume):
                pytest.fail("the body must not run")
        assert {file.name for file in folder.iterdir()} == {"STARTED", "half"}
    assert require_finished(folder) == folder


BEGIN = """
import sys, time
from pathlib import Path
from graticule.runs import output_folder, reserved
folder = Path(sys.argv[1])
with output_folder(folder / "run", "run") as out, reserved(folder / "a.csv", "table", lambda: None):
    (out / "half").write_text("half")
    print("begun", flush=True)
    time.sleep(600)
"""


def test_a_killed_process_leaves_an_interrupted_folder_that_one_may_resume(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", BEGIN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "begun\n"
        with (
            pytest.raises(RunError, match=f"in use by process {process.pid} on"),
            output_folder(folder, "run", resume=True),
        ):
            pass
        with (
            pytest.raises(RunError, match=f"in use by process {process.pid} on"),
            reserved(tmp_path / "a.csv", "table", lambda: None),
        ):
            pass
    finally:
        process.kill()
        process.communicate()
    with (
        pytest.raises(RunError, match=rf"interrupted run .* begun by process {process.pid} on .* again\. Advice"),
        output_folder(folder, "run", advice="Advice"),
    ):
        pass
    assert (folder / "half").read_text() == "half"

    def resumed(own: int) -> int:
        with output_folder(folder, "run", resume=True) as out:
            assert (out / "half").read_text() == "half"
            time.sleep(0.05)
        return own

    outcomes = at_once(8, resumed)
    assert sum(isinstance(found, int) for found in outcomes) == 1
    assert require_finished(folder) == folder
    # what is made in one piece has nothing to resume: a marker without its process is in nobody's way
    with reserved(tmp_path / "a.csv", "table", lambda: None):
        pass
    assert {file.name for file in tmp_path.iterdir()} == {"run"}


def test_one_of_many_makes_a_file_and_the_others_are_told_before_they_work(tmp_path: Path) -> None:
    out = tmp_path / ("x" * 251 + ".csv")
    worked = []

    def check() -> None:
        if out.exists():
            raise RunError("exists already")

    def work(own: int) -> int:
        with reserved(out, "table", check):
            worked.append(own)
            time.sleep(0.05)
            write_bytes(out, str(own).encode(), new=True)
        return own

    outcomes = at_once(12, work)
    assert worked == [found for found in outcomes if isinstance(found, int)]
    assert out.read_text() == str(worked[0])
    assert all("in use by process" in str(found) or "exists" in str(found) for found in outcomes if found != worked[0])
    assert list(tmp_path.iterdir()) == [out]


def test_other_folders_and_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(RunError, match="is not empty"), output_folder(tmp_path, "run"):
        pass
    with pytest.raises(RunError, match="is a file"), output_folder(tmp_path / "thesis.tex", "run"):
        pass
    with pytest.raises(RunError, match="there is no run at"):
        require_finished(tmp_path / "absent")


def test_a_failure_leaves_no_marker(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(OptionError):
        interrupted(folder, OptionError("stop"))
    assert (folder / "half.txt").exists()
    assert not (folder / DONE).exists()


def test_an_early_failure_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(OptionError), output_folder(folder, "run"):
        raise OptionError("stop")
    assert not folder.exists()
    finished(folder)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_refuses(tmp_path: Path, code: int) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RunError, match=re.escape(os.strerror(code))):
        interrupted(folder, OSError(code, os.strerror(code)))
    assert not (folder / DONE).exists()


def test_a_disk_that_is_full_at_the_marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(runs, "write_text", full)
    with pytest.raises(RunError, match="not marked as finished"), output_folder(tmp_path / "run", "run"):
        pass
    with pytest.raises(RunError):
        require_finished(tmp_path / "run")


def test_a_disk_that_is_full_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="the run cannot be written to"), output_folder(tmp_path / "run", "run"):
        pytest.fail("the body must not run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(RunError, match="cannot be created: Not a directory"),
        output_folder(tmp_path / "file" / "run", "run"),
    ):
        pass


def test_defects_are_not_dressed_up(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), output_folder(tmp_path / "run", "run"):
        raise IsADirectoryError(errno.EISDIR, "a defect")


def test_text_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "note.txt"
    write_text(file, "first\n")
    assert file.read_bytes() == b"first\n"

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(file, "second\n")
    assert file.read_text() == "first\n"


def test_json(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_json(file, {"name": "µm", "value": 0.1, "none": None})
    assert next(iter(json.loads(file.read_text(encoding="utf-8")))) == "schema_version"
    assert read_json(file) == {"schema_version": 1, "name": "µm", "value": 0.1, "none": None}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(file, {"value": float("nan")})
    assert read_json(file)["value"] == 0.1


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"{", "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"[1]", "no JSON object"),
        (b'{"schema_version": 2}', "not of schema version 1"),
        (b"{}", "not of schema version 1"),
    ],
)
def test_json_that_cannot_be_used(tmp_path: Path, content: bytes, cause: str) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with pytest.raises(RunError, match=cause):
        read_json(file)
    with pytest.raises(RunError, match="No such file"):
        read_json(tmp_path / "absent.json")


def test_facts_about_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    assert sha256_file(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())
    assert {"python", "graticule", "numpy", "onnxruntime"} <= set(package_versions())
    assert "cores" in machine()


def test_a_process_killed_at_any_write_leaves_a_folder_to_resume_or_a_finished_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class _Killed(BaseException):
        """What no handler answers, as SIGKILL."""

    replace, unlink = Path.replace, Path.unlink
    for last in range(6):
        folder, steps = tmp_path / f"run-{last}", iter(range(last, -1, -1))

        def one_more(step: Any = steps) -> None:
            if next(step, 0) == 0:
                raise _Killed

        def killed_replace(self: Path, target: Path) -> Path:
            one_more()
            return replace(self, target)

        def killed_unlink(self: Path, missing_ok: bool = False) -> None:
            one_more()
            unlink(self, missing_ok)

        with monkeypatch.context() as patched:
            patched.setattr(runs, "_give_up", lambda folder, held, made: held.release(remove=False))
            patched.setattr(Path, "replace", killed_replace)
            patched.setattr(Path, "unlink", killed_unlink)
            with contextlib.suppress(_Killed), output_folder(folder, "run", resume=True):
                write_text(folder / "result", "kept")
        if (folder / "DONE").exists():
            assert require_finished(folder) == folder
            with pytest.raises(RunError, match="finished"), output_folder(folder, "run", resume=True):
                pass
        else:
            with output_folder(folder, "run", resume=True):
                pass
            assert require_finished(folder) == folder
