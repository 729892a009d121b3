"""Ctrl-C: once or several times, a verb ends within seconds, with one line and the shell's exit code.

The first Ctrl-C raises KeyboardInterrupt, so that what is finished is kept and processes are ended. Python raises it
only between two of its own steps: a fit or a network that computes for minutes in C would not notice. So a thread is
told by the signal itself, and ends the process where that has not happened in time. Whatever a verb leaves behind then
is what it leaves when it is killed: nothing that is marked as finished.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from types import FrameType

INTERRUPTED = 130  # the shell's convention for a process ended by Ctrl-C
GRACE = 3.0  # seconds

NOTHING_FINISHED = "nothing is marked as finished"
_SHOW_CURSOR = "\x1b[?25h"


@dataclass
class _Line:
    """What is said after Ctrl-C, and whether it was; of this process."""

    words: str = NOTHING_FINISHED
    said: bool = False


_line = _Line()


def say_after_interrupt(words: str) -> None:
    """Choose what stands behind "interrupted;": what is kept, and how to go on."""
    _line.words = words


def say_interrupted() -> None:
    """Write the line to stderr; of several processes that train together the first one speaks."""
    _line.said = True
    with contextlib.suppress(OSError, ValueError):  # a terminal that is gone
        sys.stderr.write(_text("\n"))
        sys.stderr.flush()


def _text(on_terminal: str) -> str:
    if os.environ.get("RANK", "0") != "0":
        return ""
    start = on_terminal if sys.stderr.isatty() else ""  # behind the ^C that a terminal shows
    return f"{start}interrupted; {_line.words}\n"


def watch_for_ctrl_c() -> None:
    """Answer Ctrl-C in this process from now on, until it ends. Called once, by the main thread.

    A process that was told to ignore it, as by nohup, goes on ignoring it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    heard, told = os.pipe()
    os.set_inheritable(heard, False)
    if os.name == "posix":
        os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_end_in_time, args=(heard,), name="ctrl-c", daemon=True).start()
    signal.signal(signal.SIGINT, _raise_once)
    atexit.register(_end_at_once)  # registered first, so it is called last: what others tidy up is done by then


def _end_at_once() -> None:
    """After an interrupt leave out how the interpreter ends: torch takes seconds, and no thread can cut it short."""
    if _line.said:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none
                stream.flush()
        os._exit(INTERRUPTED)


def _raise_once(number: int, frame: FrameType | None) -> None:
    # a second Ctrl-C must not break what the first one is tidying up
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_in_time(heard: int) -> None:
    while signal.SIGINT not in os.read(heard, 64):
        pass
    time.sleep(GRACE)
    if not _line.said:
        with contextlib.suppress(OSError, ValueError):
            # past the buffers of sys.stderr, which a thread that is stuck may hold; bars have hidden the cursor
            os.write(2, _text(f"\n{_SHOW_CURSOR}").encode())
    os._exit(INTERRUPTED)
