"""Run folders: made once, marked last, refused when in use, and honest about failure."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from graticule import runs
from graticule.errors import OptionError, RunError
from graticule.files import sha256_file, write_text
from graticule.runs import (
    DONE,
    machine,
    output_folder,
    package_versions,
    read_json,
    require_finished,
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
        (b"[1]", "not of schema version 1"),
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
            patched.setattr(runs, "_remove_if_empty", lambda folder: None)
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
