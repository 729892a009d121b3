"""Ctrl-C in real processes: one line, the shell's exit code, no traceback, nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.cli.interrupt import GRACE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals to a group of processes are not on Windows")
LINE = "interrupted; nothing is marked as finished\n"


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python in a group of its own, with Ctrl-C as a terminal leaves it."""
    # a shell's background job ignores Ctrl-C, and so would its children
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def popen(*words: object) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, *map(str, words)]
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    yield popen
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 different pictures: no machine embeds them with eight views before Ctrl-C is pressed."""
    folder = tmp_path_factory.mktemp("many") / "noise"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(400):
        PIL.Image.fromarray(rng.integers(0, 256, (32, 32), dtype=np.uint8)).save(folder / f"{i:03d}.png")
    return folder.parent


def press(process: subprocess.Popen[str], times: int) -> tuple[int, str]:
    """Press Ctrl-C; exit code, and what is said on stderr from then on."""
    for number in range(times):
        time.sleep(0.1 if number else 0)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def gone(group: int) -> bool:
    """Whether no process of a group is left, soon."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


SLOW_END = """
import sys, time
from graticule.cli import start

class Slow:  # as modules that tidy up for seconds while the interpreter ends, when no thread runs any more
    def __del__(self, sleep=time.sleep):
        sleep(50)

def verbs():
    sys.kept = Slow()
    sys.stdout.write("kept")
    raise KeyboardInterrupt

verb = sys.modules["graticule.cli.app"] = type(sys)("app")
verb.main = verbs
start.main()
"""


def test_a_slow_end_of_the_interpreter_is_left_out(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("-c", SLOW_END)
    said, told = process.communicate(timeout=40)
    assert (process.returncode, said, told) == (130, "kept", LINE)


@pytest.mark.parametrize(("times", "after"), [(1, 0.0), (2, 1.5), (3, 3.0)])
def test_a_verb_ends_with_one_line_and_its_workers_say_nothing(
    many: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]], times: int, after: float
) -> None:
    """At the start of the workers, which a signal hits while they import; and later."""
    process = start("-m", "graticule", "embed", many, "--out", tmp_path / "features.parquet", "--views", 8)
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said, "the verb tells of its first step"
    time.sleep(after)
    code, rest = press(process, times)
    assert code == 130, rest
    assert (said + rest).count("interrupted;") == 1
    assert rest.endswith(LINE)
    assert "Traceback" not in rest
    assert gone(process.pid)


STUCK = """
import hashlib, sys
from graticule.cli import app, start
def stuck():
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 2_000_000_000)  # in C, without a look at signals
app.main = stuck
start.main()
"""


@pytest.mark.parametrize("times", [1, 3])
def test_what_computes_in_c_and_does_not_notice_is_ended(
    start: Callable[..., subprocess.Popen[str]], times: int
) -> None:
    process = start("-c", STUCK)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    begun = time.monotonic()
    assert press(process, times) == (130, LINE)
    assert time.monotonic() - begun >= GRACE - 0.1  # it had its chance


def test_an_interrupt_while_the_command_line_is_imported_is_one_line(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    code = "import sys, os, signal\nfrom graticule.cli import start\n"
    code += "class Slow:\n    def find_spec(self, name, *_):\n        if name == 'graticule.cli.app':\n"
    code += "            os.kill(os.getpid(), signal.SIGINT)\n"
    code += "sys.meta_path.insert(0, Slow())\nstart.main()\n"
    assert press(start("-c", code), 0) == (130, LINE)


def test_a_process_that_was_told_to_ignore_ctrl_c_does(start: Callable[..., subprocess.Popen[str]]) -> None:
    code = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nfrom graticule.cli import app, start\n"
    code += "app.main = lambda: (signal.raise_signal(signal.SIGINT), print('went on'))\nstart.main()\n"
    process = start("-c", code)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "went on\n", "")
