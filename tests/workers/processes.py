"""A function that does to its worker what its item says, and a look at the processes that are alive."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the workers")


MODULE = """
import os, signal, time
from pathlib import Path
from graticule.errors import ImageError

DIARY = Path(__file__).with_name("diary")

def note(word):
    with DIARY.open("a") as stream:
        stream.write(word + "\\n")

def act(item):
    note(item)
    kind, _, word = item.partition(":")
    if kind == "kill":
        os.kill(os.getpid(), getattr(signal, word))
    elif kind == "exit":
        os._exit(int(word))
    elif kind == "burn":
        sum(range(10**12))  # in C, without giving the interpreter to another thread
    elif kind == "sleep":
        time.sleep(float(word))
    elif kind == "image":
        raise ImageError("a.png", word)
    elif kind == "memory":
        raise MemoryError
    elif kind == "defect":
        raise ZeroDivisionError(word)
    elif kind == "full":
        raise OSError(28, "No space left on device", word)
    elif kind == "once":  # ends its worker the first time only
        flag = DIARY.with_name(word)
        if not flag.exists():
            flag.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.3)
    note("end")
    return item.upper()
"""


def begun(odd: ModuleType, item: str) -> int:
    """How often an item was begun."""
    return str(odd.DIARY.read_text()).splitlines().count(item)


def lost(cause: str) -> str:
    return f"lost: {cause}"


def workers_of(pid: int | str = "self") -> set[int]:
    """Worker processes of a process that are alive."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread or process that ends meanwhile has none
            for child in (task / "children").read_text().split():
                if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                    found.add(int(child))
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(true: object, seconds: float = 60) -> bool:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(true) and true():
            return True
        time.sleep(0.02)
    return False
