"""Kill decode workers of `predict` at random moments, and compare its rows with those of a run left in peace.

python benchmarks/kills_predict.py [--kills 50] [--once] [--images 150] [--side 700] [--seed 0]
python benchmarks/kills_predict.py --load [--busy 8] [--images 60] [--side 700]

First form: within each of many runs a random worker gets SIGKILL at random moments, until there were `--kills` of them;
with `--once` each run has one kill, at a moment drawn from the time in which a run left in peace has workers.
Then a file that ends its worker every time is put among the others: it must be named, and the rest be answered.

With `--load`: the same images with 1, 2, 4 and 8 workers, each with nothing and with `--busy` processes beside it,
under a limit of processor time that the slow ones among the images exceed tenfold and the others by far do not reach.
Counted: how often the same files are refused, for the same reason.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow.parquet as pq

from graticule.images.decode import Decoded, ImageFile, decode_file
from graticule.images.pool import undecoded
from graticule.images.preprocess import Preprocessing
from graticule.workers.pool import in_workers
from graticule.workers.process import FileLimits

SECONDS = 1.0


def draw_images(folder: Path, n: int, side: int, seed: int) -> None:
    """Three kinds of noise, n images in all, slow to decode for their size."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        width = (1, 4, 10)[i % 3]
        kind = folder / ("fine", "middle", "coarse")[i % 3]
        kind.mkdir(parents=True, exist_ok=True)
        noise = rng.integers(0, 255, (side // width + 1, side // width + 1), dtype=np.uint8)
        pixels = np.kron(noise, np.ones((width, width), np.uint8))[:side, :side]
        PIL.Image.fromarray(pixels).save(kind / f"{i}.png")


def workers_of(pid: int) -> list[int]:
    """Worker processes of a process (Linux)."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                    found.append(int(child))
    except OSError:  # one ended meanwhile
        pass
    return found


def rows_of(folder: Path) -> str:
    """Hash of everything that predict wrote for the images."""
    rows = [pq.read_table(file).to_pylist() for file in sorted(folder.glob("predictions-*.parquet"))]
    return hashlib.sha256(repr(rows).encode() + (folder / "failures.csv").read_bytes()).hexdigest()


def lifetime_of_workers(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Run a command to its end; the seconds from its start to its first worker, and to the end of its last."""
    start, first, last = time.monotonic(), 0.0, 0.0
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if workers_of(process.pid):
            last = time.monotonic() - start
            first = first or last
        time.sleep(0.01)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return first, last


def killed_runs(folder: Path, kills: int, seed: int, once: bool) -> None:
    """Runs of predict whose workers are killed, each once or again and again."""
    chance = random.Random(seed)
    env = {**os.environ, "GRATICULE_CACHE": str(folder / "cache")}
    graticule = [sys.executable, "-m", "graticule"]
    run = str(folder / "run")
    train = [*graticule, "train", str(folder / "known"), "--out", run, "--views", "1"]
    subprocess.run(train, env=env, check=True, capture_output=True)
    predict = [*graticule, "predict", run, str(folder / "new"), "--workers", "2", "--out"]
    first, last = lifetime_of_workers([*predict, str(folder / "peace")], env)
    expected = rows_of(folder / "peace")
    print(f"left in peace: workers from {first:.1f} to {last:.1f} s", flush=True)
    done = equal = runs = hit = 0
    while done < kills:
        out = folder / f"run-{runs}"
        before = done
        process = subprocess.Popen([*predict, str(out)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and done < kills:
            time.sleep(chance.uniform(first, last) if once else chance.uniform(0, last / 4))
            with contextlib.suppress(IndexError, ProcessLookupError):  # none is there, or it has just ended
                os.kill(chance.choice(workers_of(process.pid)), signal.SIGKILL)
                done += 1
            if once:
                break
        _, said = process.communicate()
        runs += 1
        same = process.returncode == 0 and rows_of(out) == expected
        equal += same
        hit += done > before
        print(f"run {runs}: {done} kills so far, {hit} runs were hit, {equal} of {runs} runs with the same rows",
              flush=True)  # fmt: skip
        if not same:
            print(said.decode())


class DeadlyFile(type(Path())):  # type: ignore[misc]
    """A path whose reading ends its worker as the system does when memory runs out."""

    def __fspath__(self) -> str:
        if multiprocessing.parent_process() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return str(super().__fspath__())


def one_that_kills(folder: Path) -> None:
    """A file that ends its worker each time, among others."""
    files = [ImageFile(file) for file in sorted((folder / "new").rglob("*.png"))[:40]]
    settings = partial(decode_file, preprocessing=Preprocessing(224))
    expected = list(in_workers(settings, files, undecoded, workers=2))
    files.insert(17, ImageFile(DeadlyFile(files[17].path)))
    found = list(in_workers(settings, files, undecoded, workers=2))
    print(f"a file that kills: {found[17].error!r}")
    print(f"the {len(expected)} others equal: {[d.key for d in found[:17] + found[18:]] == [d.key for d in expected]}")


def burn(stop: float) -> None:
    """Use a core."""
    while time.time() < stop:
        sum(range(10_000))


def slow_decode(file: ImageFile, preprocessing: Preprocessing) -> Decoded:
    """Decode a file; every seventh again and again, as a decoder that does not come to an end."""
    decoded = decode_file(file, preprocessing)
    if int(file.path.stem) % 7 == 0:
        until = time.process_time() + 10 * SECONDS
        while time.process_time() < until:
            decoded = decode_file(file, preprocessing)
    return decoded


def under_load(folder: Path, most_busy: int) -> None:
    """The same files with any number of workers, on an idle and on a busy machine."""
    files = [ImageFile(file) for file in sorted((folder / "new").rglob("*.png"))]
    function = partial(slow_decode, preprocessing=Preprocessing(224))
    limits = FileLimits(seconds=SECONDS, wall_seconds=900)
    answers = {}
    for busy in (0, most_busy):
        for workers in (1, 2, 4, 8):
            beside = [
                multiprocessing.Process(target=burn, args=(time.time() + 3600,), daemon=True) for _ in range(busy)
            ]
            for process in beside:
                process.start()
            start = time.monotonic()
            found = list(in_workers(function, files, undecoded, workers=workers, limits=limits))
            for process in beside:
                process.kill()
            answers[busy, workers] = [(d.error, d.pixel_sha256) for d in found]
            refused = sum(bool(d.error) for d in found)
            print(f"{workers} workers, {busy} busy processes beside: {refused} of {len(found)} refused, "
                  f"{time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
    first = answers[0, 1]
    print(f"{sum(answer == first for answer in answers.values())} of {len(answers)} answers equal; "
          f"refused for {sorted({error for error, _ in first if error})}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--once", action="store_true", help="one kill in each run")
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--side", type=int, default=700)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--busy", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        draw_images(folder / "new", given.images, given.side, 1)
        if given.load:
            under_load(folder, given.busy)
            return
        draw_images(folder / "known", 90, 200, 0)
        killed_runs(folder, given.kills, given.seed, given.once)
        one_that_kills(folder)


if __name__ == "__main__":
    main()
