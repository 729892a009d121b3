"""Scripts that start workers: what stands outside the main guard is never done twice without a word."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.workers.script import SCRIPT, TOLD, start_script

from graticule.errors import OptionError
from graticule.workers.main_guard import UNGUARDED, check_main_guard, script_name


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


def started(monkeypatch: pytest.MonkeyPatch, file: Path | None) -> None:
    """As if this file were the running script."""
    main = ModuleType("__main__")
    if file is not None:
        main.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "__main__", main)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("main()\n", True),
        ("name = '__name__'\nmain()\n", True),
        ("if __name__ == '__main__':\n    main()\n", False),
        ("if '__main__' == __name__: main()\n", False),
        ("no python at all", False),
        ("\0", False),
    ],
)
def test_a_script_is_looked_at_before_it_starts_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, refused: bool
) -> None:
    script = tmp_path / "run.py"
    script.write_text(text)
    started(monkeypatch, script)
    assert script_name() == str(script)
    if refused:
        with pytest.raises(OptionError, match=r"run\.py starts worker processes, which import it again"):
            check_main_guard()
    else:
        check_main_guard()


def test_what_workers_do_not_import_needs_no_guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "__main__.py"
    package.write_text("main()\n")
    for file in (None, package, Path("ipython")):
        started(monkeypatch, file)
        check_main_guard()
    started(monkeypatch, None)
    assert script_name() == "the script"
    started(monkeypatch, tmp_path / "gone.py")
    with pytest.raises(OptionError, match="save it as a file"):
        check_main_guard()


def test_a_worker_that_does_the_scripts_work_again_ends_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit) as ended:
        check_main_guard()
    assert ended.value.code == UNGUARDED
