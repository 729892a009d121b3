"""What runs in a worker: answers, errors in words, limits, and an end with the process that started it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.workers.processes import alive, needs_proc, until, workers_of
from tests.workers.script import GUARD, SCRIPT, start_script

from graticule.errors import NO_MEMORY
from graticule.workers import process
from graticule.workers.process import LATE, FileLimits


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


def test_a_worker_answers_item_by_item_until_its_pipe_is_closed(odd: ModuleType) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=process.serve, args=(theirs, FileLimits()), daemon=True)
    worker.start()
    theirs.close()
    assert ours.recv() is None  # ready
    ours.send((odd.act, ["a", "image:cut off", "memory:", "defect:seven", "full:disk", "b"]))
    answers = [ours.recv() for _ in range(6)]
    assert [kind for kind, _ in answers] == ["value", "lost", "lost", "error", "error", "value"]
    assert [answers[place][1] for place in (0, 1, 2, 5)] == ["A", "cut off", NO_MEMORY, "B"]
    assert isinstance(answers[3][1], RuntimeError)
    assert "ZeroDivisionError: seven" in str(answers[3][1])
    assert type(answers[4][1]) is OSError
    ours.close()
    worker.join(60)
    assert worker.exitcode == 0


@pytest.mark.parametrize(("work", "code"), [("sum(range(10**5))", 0), ("while True: sum(range(10**4))", LATE)])
def test_the_clock_of_systems_without_a_timer(work: str, code: int) -> None:
    text = f"from graticule.workers.process import ThreadClock\nwith ThreadClock(0.2):\n    {work}\n"
    assert subprocess.run([sys.executable, "-c", text], timeout=60, check=False).returncode == code


def test_the_clock_stands_still_between_files() -> None:
    text = (
        "import time\nfrom graticule.workers.process import ThreadClock\nclock = ThreadClock(0.2)\n"
        "for _ in range(4):\n    with clock:\n        end = time.process_time() + 0.08\n"
        "        while time.process_time() < end: pass\n"
    )
    assert subprocess.run([sys.executable, "-c", text], timeout=60, check=False).returncode == 0
