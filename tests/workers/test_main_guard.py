"""Scripts that start workers: what stands outside the main guard is never done twice without a word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.workers.script import SCRIPT, TOLD, start_script


@pytest.mark.parametrize(
    "text",
    [SCRIPT + TOLD, "# no if __name__ == '__main__' here\n" + SCRIPT + TOLD, "name = '__name__'\n" + SCRIPT + TOLD],
)
def test_a_script_without_a_guard_is_told_so_and_nothing_else(tmp_path: Path, text: str) -> None:
    out, err = start_script(tmp_path / "run.py", text).communicate(timeout=60)
    assert '`if __name__ == "__main__":`' in out
    assert (out.count("\n"), err) == (1, "")


def test_a_guard_that_guards_nothing_is_found_by_the_worker(tmp_path: Path) -> None:
    text = SCRIPT + "print('again')\nif __name__ == 'other':\n    pass\n" + TOLD
    out, err = start_script(tmp_path / "run.py", text).communicate(timeout=60)
    assert out.count("again\n") == 2  # the worker came as far as its first use of workers
    assert out.count('`if __name__ == "__main__":`') == 1
    assert err == ""


def test_a_script_on_standard_input_is_told_what_to_do() -> None:
    done = subprocess.run([sys.executable, "-"], input=SCRIPT + TOLD, capture_output=True, text=True, timeout=60)
    assert "save it as a file" in done.stdout
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
