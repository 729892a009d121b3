"""The crew of workers: a suspect is tried alone, workers that are killed lose nothing, batches settle in order."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import CancelledError
from types import ModuleType
from typing import NoReturn

import pytest
from tests.workers.processes import lost, needs_proc, workers_of

from graticule.errors import OptionError
from graticule.workers.crew import Batch, Crew
from graticule.workers.pool import WorkerPool
from graticule.workers.process import FileLimits


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


def test_a_system_without_room_for_a_process_is_told_as_such(odd: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", refuse)
    with WorkerPool(1) as pool, pytest.raises(OptionError, match=r"temporarily unavailable.*fewer --workers"):
        pool.submit(odd.act, ["a"], lost).result()


def test_a_batch_is_whole_when_its_last_item_is_settled_in_whatever_order() -> None:
    batch = Batch(str, ["a", "b", "c"], lost)
    for place in (2, 0):
        batch.settle(place, place)
        assert not batch.future.done()
    batch.settle(1, 1)
    assert batch.future.result() == [0, 1, 2]
    batch.fail(ValueError())  # too late
    assert batch.future.exception() is None


def test_a_batch_that_was_given_up_stays_so() -> None:
    batch = Batch(str, ["a"], lost)
    batch.fail(OSError("first"))
    batch.fail(ValueError("second"))
    batch.settle(0, "A")
    with pytest.raises(OSError, match="first"):
        batch.future.result()


def test_a_crew_without_work_starts_nothing_and_one_that_is_dismissed_takes_nothing() -> None:
    threads = threading.active_count()
    crew = Crew(2, FileLimits())
    nothing = Batch(str, [], lost)
    crew.take(nothing)
    assert nothing.future.result() == []
    assert threading.active_count() == threads
    crew.dismiss()
    crew.dismiss()
    late = Batch(str, ["a"], lost)
    crew.take(late)
    assert isinstance(late.future.exception(), CancelledError)


def test_batches_of_several_threads_get_their_own_results(odd: ModuleType) -> None:
    crew = Crew(2, FileLimits())
    batches = [Batch(odd.act, [f"{k} {i}" for i in range(5)], lost) for k in range(6)]
    threads = [threading.Thread(target=crew.take, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    found = [batch.future.result(60) for batch in batches]
    crew.dismiss()
    assert found == [[f"{k} {i}" for i in range(5)] for k in range(6)]
