"""Decoding in worker processes: order, workers that die, decoders that hang, files that are no files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from graticule.data.decode import Decoded, ImageFile, decode_file
from graticule.data.pool import DecodePool
from graticule.data.preprocess import Preprocessing

WriteImages = Callable[..., list[Path]]
SETTINGS = Preprocessing(16)


def same(one: Decoded, other: Decoded) -> bool:
    plain = [(d.sha256, d.pixel_sha256, d.width, d.height, d.mode, d.error) for d in (one, other)]
    return plain[0] == plain[1] and np.array_equal(one.pixels, other.pixels)  # type: ignore[arg-type]


def decode_chunks(pool: DecodePool, chunks: list[list[Path]]) -> list[list[Decoded]]:
    listed = [[ImageFile(file) for file in chunk] for chunk in chunks]
    futures = [pool.submit(chunk) for chunk in listed]
    return [pool.result(future, chunk) for future, chunk in zip(futures, listed, strict=True)]


def children() -> set[int]:
    """Processes started by this one that are still alive."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@pytest.fixture
def odd_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module with paths whose opening kills the process or never ends, importable in worker processes too.

    `opened()` counts how often that happened.
    """
    (tmp_path / "odd_paths.py").write_text(
        "import multiprocessing, os, pathlib, signal\n"
        "Plain = type(pathlib.Path())\n"
        "count = pathlib.Path(__file__).with_name('count')\n"
        "def opened():\n"
        "    return count.stat().st_size\n"
        "def in_worker():\n"
        "    if multiprocessing.parent_process() is None:\n"
        "        return False\n"
        "    with count.open('a') as stream:\n"
        "        stream.write('x')\n"
        "    return True\n"
        "class DeadlyPath(Plain):\n"
        "    def __fspath__(self):\n"
        "        if in_worker():\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return super().__fspath__()\n"
        "class EndlessPath(Plain):\n"
        "    def __fspath__(self):\n"
        "        if in_worker():\n"
        "            sum(range(10**12))\n"  # in C, without giving the interpreter to another thread
        "        return super().__fspath__()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import odd_paths  # type: ignore[import-not-found]

    yield odd_paths
    del sys.modules["odd_paths"]


def test_pool_gives_what_one_process_gives_in_order(write_images: WriteImages, tmp_path: Path) -> None:
    files = [*write_images(5), tmp_path / "gone.png"]
    with DecodePool(2, SETTINGS) as pool:
        results = decode_chunks(pool, [files[:2], files[2:], []])
    assert [len(r) for r in results] == [2, 4, 0]
    decoded = [item for result in results for item in result]
    assert all(same(item, decode_file(ImageFile(file), SETTINGS)) for item, file in zip(decoded, files, strict=True))


def test_a_crash_names_the_guilty_file_only(write_images: WriteImages, odd_paths: ModuleType) -> None:
    files = write_images(4)
    with DecodePool(1, SETTINGS) as pool:
        results = decode_chunks(pool, [files[:2], [files[2], odd_paths.DeadlyPath(files[2]), files[3]]])
        (again,) = decode_chunks(pool, [files])
    assert [item.error for result in results for item in result] == ["", "", "", "the decoder crashed on this file", ""]
    assert odd_paths.opened() == 2  # only the second try shows which file of the chunk it was
    assert all(same(item, decode_file(ImageFile(file), SETTINGS)) for item, file in zip(again, files, strict=True))


def test_a_decoder_that_hangs_is_ended_and_named(write_images: WriteImages, odd_paths: ModuleType) -> None:
    files = write_images(3)
    start = time.monotonic()
    with DecodePool(1, SETTINGS, seconds_per_file=1.0) as pool:
        results = decode_chunks(pool, [files[:1], [files[1], odd_paths.EndlessPath(files[1]), files[2]]])
        (again,) = decode_chunks(pool, [files])
    errors = [item.error for result in results for item in result]
    assert errors == ["", "", "took longer than 1 s to decode", ""]
    assert [item.error for item in again] == ["", "", ""]
    assert odd_paths.opened() == 1  # a hang is known for one at once and costs its time once
    assert time.monotonic() - start < 60


def test_every_decoder_that_hangs_costs_its_time_once(write_images: WriteImages, odd_paths: ModuleType) -> None:
    files = write_images(2)
    endless = [odd_paths.EndlessPath(file) for file in files]
    with DecodePool(2, SETTINGS, seconds_per_file=1.0) as pool:
        results = decode_chunks(pool, [[endless[0], files[0], endless[1]], [], [files[1]]])
    late = "took longer than 1 s to decode"
    assert [[item.error for item in result] for result in results] == [[late, "", late], [], [""]]
    assert odd_paths.opened() == 2


def test_a_pool_leaves_nothing_behind(
    write_images: WriteImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    files = write_images(2)
    with DecodePool(1, SETTINGS) as pool:
        decode_chunks(pool, [files[:1], files[1:]])
        held = [file for file in scratch.rglob("*") if file.is_file()]
    assert held == list(scratch.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hold_up_a_worker(write_images: WriteImages, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    files = [*write_images(1), pipe, tmp_path]
    with DecodePool(1, SETTINGS) as pool:
        (decoded,) = decode_chunks(pool, [files])
    assert decoded[0].error == ""
    assert "not a regular file" in decoded[1].error
    assert "directory" in decoded[2].error


def test_a_worker_killed_from_outside_costs_no_file(write_images: WriteImages) -> None:
    files = write_images(3)
    before = children()
    with DecodePool(1, SETTINGS) as pool:
        decode_chunks(pool, [[]])
        for pid in children() - before:
            if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
        (decoded,) = decode_chunks(pool, [files])
    assert [item.error for item in decoded] == ["", "", ""]


SCRIPT = """
import os, sys, time
from pathlib import Path
from graticule.data.pool import DecodePool
from graticule.data.preprocess import Preprocessing
from graticule.errors import OptionError

def main():
    with DecodePool(1, Preprocessing(16)) as pool:
        pool.result(pool.submit([]), [])
        print("started", flush=True)
        time.sleep(60)
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT + "\nif __name__ == '__main__':\n    main()\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch)}
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    workers = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    assert workers
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(alive(pid) for pid in workers):
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)
    assert not list(scratch.glob("graticule-*"))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT + "\ntry:\n    main()\nexcept OptionError as error:\n    print(error)\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert '`if __name__ == "__main__":`' in done.stdout
    assert "started" not in done.stdout
