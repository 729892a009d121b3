"""The crew of workers: a suspect is tried alone, workers that are killed lose nothing, batches settle in order."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from types import ModuleType
from typing import NoReturn

import pytest
from tests.workers.processes import lost, needs_proc, workers_of

from graticule.errors import OptionError
from graticule.workers.pool import WorkerPool


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
