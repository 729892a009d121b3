"""The command line as a whole: quick help, exit codes, one message per user error."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graticule import __version__
from graticule.cli import app

HEAVY = ("torch", "sklearn", "scipy", "onnxruntime", "matplotlib", "pyarrow")


def _fresh(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "graticule", *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys, graticule.cli.app as app\n"
        f"sys.argv = ['graticule', *{words!r}]\n"
        "try:\n    app.main()\n"
        f"finally:\n    print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert time.perf_counter() - start < 5.0  # a second on an idle machine
    assert "Usage: graticule" in done.stdout
    assert "HEAVY []" in done.stdout


def test_python_dash_m_is_the_same_program(tmp_path: Path) -> None:
    done = _fresh("train", str(tmp_path / "nothing"), "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("graticule: ")
    assert "Traceback" not in done.stderr


def test_the_version_is_printed(graticule: Callable[..., Any]) -> None:
    assert graticule("--version").out == f"{__version__}\n"


@pytest.mark.parametrize(
    "words", [["nonsense"], ["train"], ["train", "x", "--out", "y", "--folds", "many"], ["train", "x", "--colour", "1"]]
)
def test_words_that_make_no_command_end_with_2(graticule: Callable[..., Any], words: list[str]) -> None:
    outcome = graticule(*words)
    assert outcome.code == 2
    assert "Usage: graticule" in outcome.err
    assert "Traceback" not in outcome.err


def _failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr("graticule.networks.catalogue.backbones", fail)


def test_a_defect_of_the_program_is_not_hidden(graticule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    _failing(monkeypatch, RuntimeError("a defect"))
    with pytest.raises(RuntimeError, match="a defect"):
        graticule("backbones")


def test_a_full_disk_is_told_as_such(graticule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    _failing(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "table.parquet"))
    assert graticule("backbones").message() == "table.parquet: No space left on device\n"


def test_ctrl_c_ends_with_the_shells_code_and_one_line(
    graticule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _failing(monkeypatch, KeyboardInterrupt())
    outcome = graticule("backbones")
    assert outcome.code == 130
    assert outcome.err == "interrupted; nothing is marked as finished\n"


def test_a_reader_that_stops_reading_is_no_error() -> None:
    done = subprocess.run(
        f"'{sys.executable}' -m graticule backbones --json | true; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "0\n"
    assert done.stderr == ""


def test_verbs_of_the_contract_exist() -> None:
    verbs = {command.name for command in app.app.registered_commands}
    assert verbs == {
        "audit",
        "explain",
        *("demo", "phantom", "embed", "train", "evaluate"),
        *("compare", "predict", "report", "backbones", "doctor"),
        *("label-errors", "review", "count"),
        *("orientation", "study", "synthesize"),
    }
    groups = {group.name: group.typer_instance for group in app.app.registered_groups}
    assert groups.keys() == {"labels"}
    assert {command.name for command in groups["labels"].registered_commands} == {
        "verify",
        "export",
        "import",
        "blind",
    }
