"""How a worker ended, and what that says of the file that it held."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from graticule.errors import OptionError
from graticule.workers.ends import End, cannot_start, children_shielded_from_ctrl_c, end_of
from graticule.workers.main_guard import UNGUARDED
from graticule.workers.process import LATE, FileLimits


@pytest.mark.skipif(sys.platform == "win32", reason="Windows blocks no signals")
def test_processes_that_are_shielded_come_up_without_ctrl_c() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    context = multiprocessing.get_context("spawn")
    with children_shielded_from_ctrl_c():
        pool = ProcessPoolExecutor(1, mp_context=context)
        blocked = pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, [])
    assert signal.SIGINT in blocked.result()
    pool.shutdown()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


LIMITS = FileLimits(seconds=7, wall_seconds=90)
KILL = getattr(signal, "SIGKILL", None)
posix = pytest.mark.skipif(KILL is None, reason="Windows has no such signals")


@pytest.mark.parametrize(
    ("end", "words", "tries", "cause"),
    [
        (End(3), "exit code 3", 2, "the decoder crashed on this file (exit code 3)"),
        (End(LATE), f"exit code {LATE}", 2, "took longer than 7 s of processor time to decode"),
        (End(-9, late=True), "SIGKILL", 2, "was not read within 90 s"),
        pytest.param(End(-9), "SIGKILL", 4, "was killed 4 times (SIGKILL), lastly", marks=posix),
        pytest.param(End(-11), "SIGSEGV", 2, "the decoder crashed on this file (SIGSEGV)", marks=posix),
        (End(-200), "signal 200", 2, "the decoder crashed on this file (signal 200)"),
    ],
)
def test_an_end_in_words(end: End, words: str, tries: int, cause: str) -> None:
    assert KILL is None or end.words == words
    assert end.tries == tries
    assert cause in end.cause(LIMITS)


@pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="Windows has no such timer")
def test_the_timer_of_processor_time_is_told_as_such() -> None:
    assert End(-signal.SIGPROF).cause(LIMITS) == End(LATE).cause(LIMITS)


def test_a_worker_that_never_began() -> None:
    with pytest.raises(OptionError, match="which import it again"):
        End(UNGUARDED).check_start(1)
    with pytest.raises(OptionError, match=r"cannot start \(exit code 1"):
        End(1).check_start(1)
    End(-9).check_start(19)  # killed: tried again
    with pytest.raises(OptionError, match=r"killed as they start .*20 times in a row.*fewer --workers"):
        End(-9).check_start(20)
    assert "out of room. Choose fewer --workers" in str(cannot_start(OSError("out of room")))


class Stuck:
    """A process that waits for a drive that does not answer."""

    exitcode = None
    killed = False

    def join(self, _: float) -> None:
        """It does not end."""

    def kill(self) -> None:
        self.killed = True


def test_a_process_that_does_not_end_is_killed_and_counts_as_such() -> None:
    stuck: Any = Stuck()
    assert end_of(stuck, late=True) == End(-9, late=True)
    assert stuck.killed
