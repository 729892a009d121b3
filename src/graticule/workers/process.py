"""What runs in a worker process: one pure function over files, each within limits of memory and processor time.

The time that counts is the processor time of this process, so that neither the number of workers nor other programs
decide which files are read.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from graticule.errors import NO_MEMORY, GraticuleError, ImageError

LATE = 79  # exit code where no signal tells that the processor time of a file is used up
Answer = tuple[Literal["value", "lost", "error"], Any]
Work = tuple[Callable[[Any], Any], Sequence[Any]]


@dataclass(frozen=True)
class FileLimits:
    """What one file may cost a worker.

    Attributes
    ----------
    seconds : float
        Processor time, > 0.
    wall_seconds : float
        Time on the clock, for a file that waits for a drive that does not answer; so generous that a busy machine
        does not reach it.
    memory : int
        Bytes of the whole process; kept on Linux, where data is counted.
    """

    seconds: float = 30.0
    wall_seconds: float = 900.0
    memory: int = 4 * 2**30


def serve(link: Connection, limits: FileLimits) -> None:
    """Answer the work that comes over `link`, item by item in order, until it is closed."""
    _begin(limits)
    clock = _clock(limits.seconds)
    link.send(None)  # ready
    while True:
        try:
            work: Work = link.recv()
        except (EOFError, OSError):  # the pool is closed, or its process is gone
            return
        function, items = work
        for item in items:
            with clock:
                answer = _answer(function, item)
            try:
                link.send(answer)
            except MemoryError:
                link.send(("lost", NO_MEMORY))
            except OSError:
                return


class _Defect:
    """Within this context an exception that is no answer about a file is kept, for the process that must show it.

    Errors of the user and of the system (a full disk) go on as what they are; anything else is a defect.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        told = isinstance(error, GraticuleError | OSError)
        self.error = error if told else RuntimeError("in a worker: " + "".join(traceback.format_exception(error)))
        return True


def _answer(function: Callable[[Any], Any], item: Any) -> Answer:
    with _Defect() as defect:
        try:
            return "value", function(item)
        except ImageError as error:
            return "lost", error.cause
        except MemoryError:
            return "lost", NO_MEMORY
    return "error", defect.error


def _begin(limits: FileLimits) -> None:
    """Ctrl-C is the pool's to handle; the worker ends with the process that started it, and is the first to go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        allowed = limits.memory if hard == resource.RLIM_INFINITY else min(limits.memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))
        with contextlib.suppress(OSError):  # when memory runs out, a worker is ended rather than what holds the results
            Path("/proc/self/oom_score_adj").write_text("500")
    # what a library finds wrong with a file is told once, by the error of that file
    for library in ("tifffile", "pydicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def end_with_parent() -> None:
    """Wait for the process that started this one, and end with it; for a thread."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _clock(seconds: float) -> contextlib.AbstractContextManager[object]:
    return _SignalClock(seconds) if sys.platform != "win32" else ThreadClock(seconds)


class _SignalClock:
    """Ends the process by SIGPROF when the time is up, even while a decoder in C holds the interpreter."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        if sys.platform != "win32":
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})

    def __enter__(self) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, self._seconds)

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)


class ThreadClock:
    """The same where the system has no such timer (Windows): a thread looks at the processor time used so far.

    A decoder that never lets go of the interpreter is ended by the limit on the clock instead.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = float("inf")
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> None:
        self._until = time.process_time() + self._seconds

    def __exit__(self, *_: object) -> None:
        self._until = float("inf")

    def _watch(self) -> None:
        while True:
            time.sleep(min(0.25, self._seconds / 4))
            if time.process_time() > self._until:
                os._exit(LATE)
