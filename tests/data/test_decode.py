"""Decoding in worker processes: order, hashes, unreadable files, and workers that die."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from graticule.data.decode import Decoded, DecodePool, decode_file
from graticule.data.images import read_image
from graticule.data.preprocess import Preprocessing, prepare

WriteImages = Callable[..., list[Path]]
SETTINGS = Preprocessing(16)


def same(one: Decoded, other: Decoded) -> bool:
    plain = [(d.sha256, d.pixel_sha256, d.width, d.height, d.mode, d.error) for d in (one, other)]
    return plain[0] == plain[1] and np.array_equal(one.pixels, other.pixels)  # type: ignore[arg-type]


def children() -> set[int]:
    """Processes started by this one that are still alive."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with a path whose reading kills the process, importable in worker processes too."""
    (tmp_path / "deadly_path.py").write_text(
        "import os, pathlib, signal\n"
        "class DeadlyPath(type(pathlib.Path())):\n"
        "    def read_bytes(self):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import deadly_path  # type: ignore[import-not-found]

    monkeypatch.delitem(sys.modules, "deadly_path", raising=False)
    monkeypatch.setitem(sys.modules, "deadly_path", deadly_path)
    return deadly_path


def test_a_decoded_file(write_images: WriteImages) -> None:
    (file,) = write_images(1)
    decoded = decode_file(file, SETTINGS)
    assert decoded.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert decoded.pixel_sha256 == read_image(file).digest()
    assert (decoded.width, decoded.height, decoded.mode, decoded.error) == (24, 20, "RGB, 8 bit", "")
    np.testing.assert_array_equal(decoded.pixels, prepare(read_image(file), SETTINGS))


def test_unreadable_files_keep_what_is_known(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    decoded = decode_file(broken, SETTINGS)
    assert decoded.sha256 == hashlib.sha256(b"not a picture").hexdigest()
    assert decoded.pixels is None
    assert "neither JPEG, PNG nor TIFF" in decoded.error
    assert str(broken) not in decoded.error
    gone = decode_file(tmp_path / "gone.png", SETTINGS)
    assert (gone.sha256, gone.pixels, gone.error) == ("", None, "No such file or directory")


def test_pool_gives_what_one_process_gives_in_order(write_images: WriteImages, tmp_path: Path) -> None:
    files = [*write_images(5), tmp_path / "gone.png"]
    with DecodePool(2, SETTINGS) as pool:
        chunks = [files[:2], files[2:], []]
        futures = [pool.submit(chunk) for chunk in chunks]
        results = [pool.result(future, chunk) for future, chunk in zip(futures, chunks, strict=True)]
    assert [len(r) for r in results] == [2, 4, 0]
    decoded = [item for result in results for item in result]
    assert all(same(item, decode_file(file, SETTINGS)) for item, file in zip(decoded, files, strict=True))


def test_a_crash_names_the_guilty_file_only(write_images: WriteImages, deadly: ModuleType) -> None:
    files = write_images(4)
    chunks = [files[:2], [files[2], deadly.DeadlyPath(files[2]), files[3]]]
    with DecodePool(1, SETTINGS) as pool:
        futures = [pool.submit(chunk) for chunk in chunks]
        results = [pool.result(future, chunk) for future, chunk in zip(futures, chunks, strict=True)]
        again = pool.result(pool.submit(files), files)
    assert [item.error for result in results for item in result] == ["", "", "", "the decoder crashed on this file", ""]
    assert all(same(item, decode_file(file, SETTINGS)) for item, file in zip(again, files, strict=True))


def test_a_worker_killed_from_outside_costs_no_file(write_images: WriteImages) -> None:
    files = write_images(3)
    before = children()
    with DecodePool(1, SETTINGS) as pool:
        pool.result(pool.submit([]), [])
        for pid in children() - before:
            if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
        decoded = pool.result(pool.submit(files), files)
    assert [item.error for item in decoded] == ["", "", ""]


SCRIPT = """
import os, sys, time
from pathlib import Path
from graticule.data.decode import DecodePool
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
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
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
