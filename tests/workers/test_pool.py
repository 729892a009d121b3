"""A function in worker processes: order, workers that end or are killed, limits of time and memory, Ctrl-C, scripts."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from types import ModuleType

import pytest
from tests.workers.processes import begun, lost, needs_proc, until, workers_of

from graticule.errors import NO_MEMORY
from graticule.workers.pool import WorkerPool, in_workers
from graticule.workers.process import FileLimits

SHORT = FileLimits(seconds=0.5, wall_seconds=60)


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
