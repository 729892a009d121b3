"""A function in worker processes: order, workers that end or are killed, limits of time and memory, Ctrl-C, scripts."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ProcessPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from graticule.errors import NO_MEMORY, OptionError
from graticule.workers.ends import children_shielded_from_ctrl_c
from graticule.workers.pool import WorkerPool, in_workers
from graticule.workers.process import FileLimits

SHORT = FileLimits(seconds=0.5, wall_seconds=60)
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


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module with a function that does to its worker what its item says, importable in worker processes too."""
    (tmp_path / "odd_work.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import odd_work  # type: ignore[import-not-found]

    yield odd_work
    del sys.modules["odd_work"]


def begun(odd: ModuleType, item: str) -> int:
    """How often an item was begun."""
    return str(odd.DIARY.read_text()).splitlines().count(item)


def lost(cause: str) -> str:
    return f"lost: {cause}"


def workers_of(pid: int | str = "self") -> set[int]:
    """Worker processes of a process that are alive."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
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


@pytest.mark.parametrize(("workers", "at_once"), [(1, 1), (2, 4), (3, 100)])
def test_results_come_in_order(odd: ModuleType, workers: int, at_once: int) -> None:
    items = [f"item {i}" for i in range(11)]
    found = in_workers(odd.act, items, lost, workers=workers, at_once=at_once)
    assert list(found) == [item.upper() for item in items]


@needs_proc
def test_without_items_no_process_is_started(odd: ModuleType) -> None:
    with WorkerPool(2) as pool:
        assert list(pool.map(odd.act, [], lost)) == []
        assert pool.submit(odd.act, [], lost).result() == []
        assert not workers_of()


def test_items_are_taken_as_they_are_needed(odd: ModuleType) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "more"

    with WorkerPool(1) as pool:
        found = pool.map(odd.act, endless(), lost, at_once=2)
        assert [next(found) for _ in range(20)] == ["MORE"] * 20
        assert taken <= 20 + 2 * 4
        found.close()


def test_an_image_error_and_a_lack_of_memory_are_answers_in_words(odd: ModuleType) -> None:
    found = list(in_workers(odd.act, ["a", "image:cut off", "memory:", "b"], lost, workers=1))
    assert found == ["A", "lost: cut off", f"lost: {NO_MEMORY}", "B"]


def test_a_defect_is_raised_with_the_traceback_of_the_worker(odd: ModuleType) -> None:
    with WorkerPool(1) as pool:
        bad = pool.submit(odd.act, ["a", "defect:seven", "b"], lost)
        good = pool.submit(odd.act, ["c"], lost)
        full = pool.submit(odd.act, ["full:disk"], lost)
        with pytest.raises(RuntimeError, match=r"(?s)in act.*ZeroDivisionError: seven") as caught:
            bad.result()
        assert "'defect:seven'" in caught.value.__notes__[0]
        with pytest.raises(OSError, match="No space left"):
            full.result()
        assert good.result() == ["C"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("item", "cause", "tries"),
    [
        ("kill:SIGKILL", "worker process was killed 4 times (SIGKILL)", 4),
        ("kill:SIGSEGV", "the decoder crashed on this file (SIGSEGV)", 2),
        ("exit:3", "the decoder crashed on this file (exit code 3)", 2),
        ("burn:", "took longer than 0.5 s of processor time to decode", 2),
    ],
)
def test_an_item_that_ends_its_worker_is_named_and_the_others_are_kept(
    odd: ModuleType, item: str, cause: str, tries: int
) -> None:
    with WorkerPool(2, limits=SHORT) as pool:
        futures = [pool.submit(odd.act, items, lost) for items in (["a"], ["b", item, "c"], ["d", "e"], [item])]
        found = [future.result() for future in futures]
    assert [found[0], found[2]] == [["A"], ["D", "E"]]
    assert [found[1][0], found[1][2]] == ["B", "C"]
    assert all(cause in text and text.startswith("lost: ") for text in (found[1][1], found[3][0]))
    assert begun(odd, item) == 2 * tries
    # what was answered before is not asked again, and the rest of the chunk costs nobody a second try
    assert [begun(odd, other) for other in "abcde"] == [1] * 5


def test_time_on_the_clock_does_not_count_as_long_as_it_is_not_far_too_long(odd: ModuleType) -> None:
    waits = list(in_workers(odd.act, ["sleep:1.5"], lost, workers=1, limits=SHORT))
    assert waits == ["SLEEP:1.5"]
    never = FileLimits(seconds=0.5, wall_seconds=2)
    found = list(in_workers(odd.act, ["a", "sleep:600", "b"], lost, workers=1, limits=never))
    assert found == ["A", "lost: was not read within 2 s", "B"]
    assert begun(odd, "sleep:600") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_suspect_is_tried_alone(odd: ModuleType) -> None:
    """While it is, no other item is begun: what it needs is all there for it."""
    items = ["once:flag", *(f"sleep:0.1{i}" for i in range(12))]
    with WorkerPool(3) as pool:
        futures = [pool.submit(odd.act, [item], lost) for item in items]
        assert [future.result() for future in futures] == [[item.upper()] for item in items]
    diary = odd.DIARY.read_text().splitlines()
    again = len(diary) - diary[::-1].index("once:flag")
    assert diary.count("once:flag") == 2
    assert diary[again] == "end"


@needs_proc
def test_workers_killed_at_any_moment_lose_nothing(odd: ModuleType) -> None:
    items = [f"sleep:0.0{i % 9}" if i % 3 else f"item {i}" for i in range(90)]
    chance, killed = random.Random(0), 0
    with WorkerPool(2) as pool:
        futures = [pool.submit(odd.act, items[i : i + 4], lost) for i in range(0, len(items), 4)]
        while not all(future.done() for future in futures):
            for pid in workers_of():
                os.kill(pid, signal.SIGKILL)
                killed += 1
            futures[min(killed, len(futures) - 1)].exception(timeout=60)
            time.sleep(chance.uniform(0, 0.05))
        found = [result for future in futures for result in future.result()]
    assert found == [item.upper() for item in items]
    assert killed >= 5


@needs_proc
def test_a_closed_pool_cancels_what_is_under_way_and_leaves_no_process(odd: ModuleType) -> None:
    threads = threading.active_count()
    with WorkerPool(2) as pool:
        futures = [pool.submit(odd.act, ["sleep:600"], lost) for _ in range(5)]
        assert until(lambda: odd.DIARY.exists())
        assert workers_of()
        start = time.monotonic()
    assert time.monotonic() - start < 10
    assert not workers_of()
    assert threading.active_count() == threads
    assert all(isinstance(future.exception(), CancelledError) for future in futures)
    assert isinstance(pool.submit(odd.act, ["a"], lost).exception(), CancelledError)


def test_a_system_without_room_for_a_process_is_told_as_such(odd: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", refuse)
    with WorkerPool(1) as pool, pytest.raises(OptionError, match=r"temporarily unavailable.*fewer --workers"):
        pool.submit(odd.act, ["a"], lost).result()


SCRIPT = """
import sys
from graticule.workers.pool import WorkerPool
from graticule.errors import OptionError

def lost(cause):
    return cause

def main():
    with WorkerPool(1) as pool:
        print("started", *pool.submit(abs, [-5], lost).result(), flush=True)
        pool.submit(input, ["ignored"], lost)
        sys.stdin.readline()
"""
GUARD = "if __name__ == '__main__':\n    main()\n"
TOLD = "try:\n    main()\nexcept OptionError as error:\n    print(error)\n"


def start_script(script: Path, text: str) -> subprocess.Popen[str]:
    script.write_text(text)
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@needs_proc
def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    process = start_script(tmp_path / "run.py", SCRIPT + GUARD)
    assert process.stdout is not None
    assert process.stdout.readline() == "started 5\n"
    workers = workers_of(process.pid)
    assert workers
    process.kill()
    process.communicate()
    assert until(lambda: not any(alive(pid) for pid in workers))


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
