"""Kill a fine-tuning run at random moments, resume it, and compare the model with that of a run left in peace.

python benchmarks/kills.py [--runs 10] [--kills 5] [--seed 0]

A tiny network on drawn pictures; each run is killed (SIGKILL, which nothing can answer) `--kills` times before it may
end. Files of the model must be equal bit for bit.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import PIL.Image

WORKER = """
import sys
from pathlib import Path
from graticule.finetune import loop
loop.CHECKPOINT_SECONDS = 0.2
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions

if __name__ == "__main__":
    options = TrainOptions(method="finetune", backbone="test_efficientnet", weights="none", folds=2, epochs=60,
                           input_size=32, batch_size=8, device="cpu", resume=True, workers=1, near_duplicates="exact")
    train(Path(sys.argv[1]), Path(sys.argv[2]), options)
"""


def draw_images(folder: Path) -> None:
    """Two kinds of noise, 24 images each."""
    rng = np.random.default_rng(0)
    for kind, width in (("fine", 1), ("coarse", 6)):
        (folder / kind).mkdir(parents=True)
        for i in range(24):
            noise = rng.integers(0, 255, (36 // width, 36 // width), dtype=np.uint8)
            PIL.Image.fromarray(np.kron(noise, np.ones((width, width), np.uint8))).save(folder / kind / f"{i}.png")


def model_files(run: Path) -> dict[str, bytes]:
    """The weights: network and head, and the scores of the folds."""
    return {name: (run / name).read_bytes() for name in ("model/model.onnx", "model/head.safetensors")} | {
        "predictions": (run / "predictions.parquet").read_bytes()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        draw_images(folder / "images")
        worker = folder / "worker.py"
        worker.write_text(WORKER)
        env = {**os.environ, "GRATICULE_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(worker), str(folder / "images")]
        start = time.monotonic()
        subprocess.run([*command, str(folder / "peace")], check=True, env=env)
        whole = time.monotonic() - start
        expected = model_files(folder / "peace")
        equal = kills = mid = 0
        for number in range(given.runs):
            run = folder / f"run-{number}"
            for _ in range(given.kills):
                process = subprocess.Popen([*command, str(run)], env=env)
                try:
                    process.wait(timeout=chance.uniform(0.1, 0.9) * whole)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    kills += 1
                    mid += any((run / "work").glob("*.checkpoint")) if run.exists() else 0
                if (run / "DONE").exists():
                    shutil.rmtree(run)
            subprocess.run([*command, str(run)], check=True, env=env)
            equal += model_files(run) == expected
            print(f"run {number + 1}: {kills} kills so far, {mid} within training, {equal} models equal", flush=True)
            shutil.rmtree(run)
    print(f"{kills} kills, {mid} of them within the training of a fold; {equal} of {given.runs} models equal")


if __name__ == "__main__":
    main()
