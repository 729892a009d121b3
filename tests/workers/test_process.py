"""What runs in a worker: answers, errors in words, limits, and an end with the process that started it."""

from __future__ import annotations

from pathlib import Path

from tests.workers.processes import alive, needs_proc, until, workers_of
from tests.workers.script import GUARD, SCRIPT, start_script


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
