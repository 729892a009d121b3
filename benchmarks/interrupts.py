"""Press Ctrl-C at random moments of each verb, once, twice or three times, and look at how it ends.

python benchmarks/interrupts.py [--times 10] [--seed 0] [--verbs predict,train] [--within S]

The signal goes to the whole group of processes, as a terminal sends it. Counted: ends within 5 s, with exit code 130,
exactly one line that says so, no traceback of any process, and no process left. The moments lie within the time of an
undisturbed command, which is run first, or within S seconds of the start.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

LIMIT = 5.0
FINETUNE = "--method finetune --backbone test_efficientnet --weights none --epochs 8 --input-size 32 --device cpu"


@dataclass(frozen=True)
class End:
    """How a verb ended after Ctrl-C."""

    seconds: float
    code: int
    lines: int
    tracebacks: int
    left: bool
    said: str

    @property
    def good(self) -> bool:
        """Whether it ended as promised."""
        return (self.seconds <= LIMIT, self.code, self.lines, self.tracebacks, self.left) == (True, 130, 1, 0, False)


def draw_images(folder: Path, n: int, seed: int) -> None:
    """Three kinds of noise, n images each, 200 px."""
    rng = np.random.default_rng(seed)
    for kind, width in (("fine", 1), ("middle", 4), ("coarse", 10)):
        (folder / kind).mkdir(parents=True)
        for i in range(n):
            noise = rng.integers(0, 255, (200 // width, 200 // width), dtype=np.uint8)
            PIL.Image.fromarray(np.kron(noise, np.ones((width, width), np.uint8))).save(folder / kind / f"{i}.png")


def start(words: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "graticule", *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=env, text=True, start_new_session=True, **pipes)


def interrupted(words: list[str], env: dict[str, str], after: float, times: int) -> End | None:
    """The end of a verb that is interrupted after some seconds; None: it was done by then."""
    process = start(words, env)
    try:
        process.communicate(timeout=after)
        return None
    except subprocess.TimeoutExpired:
        pressed = time.monotonic()
    for number in range(times):
        time.sleep(0.2 if number else 0)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[1] + "\nnever ended"
    seconds = time.monotonic() - pressed
    return End(
        seconds, process.returncode, said.count("interrupted;"), said.count("Traceback"), left_over(process.pid), said
    )


def undisturbed(words: list[str], out: Path, env: dict[str, str]) -> float:
    """Seconds that a verb takes when it is left in peace, with a cache of its own."""
    begun = time.monotonic()
    process = start([*words, "--out", str(out)], env | {"GRATICULE_CACHE": f"{out}-cache"})
    _, told = process.communicate()
    assert process.returncode == 0, told
    return time.monotonic() - begun


def left_over(group: int) -> bool:
    """Whether a process of the group is left some seconds later; ends it."""
    deadline = time.monotonic() + LIMIT
    try:
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--within", type=float, metavar="S")
    parser.add_argument("--verbs", default="predict,train,finetune,audit,explain")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would verbs
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        env = {**os.environ, "GRATICULE_CACHE": str(folder / "cache")}
        draw_images(folder / "known", 30, 0)
        draw_images(folder / "new", 60, 1)
        run, known, new = (str(folder / name) for name in ("run", "known", "new"))
        subprocess.run(
            [sys.executable, "-m", "graticule", "train", known, "--out", run, "--views", "1"],
            env=env, check=True, capture_output=True,
        )  # fmt: skip
        verbs = {
            "predict": ["predict", run, new],
            "train": ["train", new],
            "finetune": ["train", known, *FINETUNE.split()],
            "audit": ["audit", new],
            "explain": ["explain", run, new],
        }
        for verb in given.verbs.split(","):
            whole = given.within or undisturbed(verbs[verb], folder / f"{verb}-whole", env)
            ends = []
            for number in range(given.times):
                env["GRATICULE_CACHE"] = str(folder / f"cache-{verb}-{number}")
                words = [*verbs[verb], "--out", str(folder / f"{verb}-{number}")]
                after, times = chance.uniform(0, 0.95) * whole, number % 3 + 1
                end = interrupted(words, env, after, times)
                if end is not None:
                    ends.append(end)
                    if not end.good:
                        print(f"{verb} after {after:.2f} s, {times} times: {end}", flush=True)
            slowest = max((end.seconds for end in ends), default=0.0)
            print(
                f"{verb}: {sum(end.good for end in ends)} of {len(ends)} ended as promised, slowest {slowest:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
