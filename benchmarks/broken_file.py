"""A broken file among many: `train`, `predict` and `audit` complete, list it, and end with exit code 3.

python benchmarks/broken_file.py FOLDER_OF_CLASSES [--n 2000]
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, default=2000)
    options = parser.parse_args()
    classes = sorted(folder for folder in options.folder.iterdir() if folder.is_dir())
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for folder in classes:
            (place / "data" / folder.name).mkdir(parents=True)
            for file in sorted(folder.iterdir())[: options.n // len(classes)]:
                shutil.copy(file, place / "data" / folder.name)
        broken = next((place / "data" / classes[0].name).iterdir())
        broken.write_bytes(broken.read_bytes()[:2000])
        wanted = broken.relative_to(place / "data").as_posix()
        os.environ["GRATICULE_CACHE"] = str(place / "cache")
        for words in (
            ["audit", "data", "--out", "audit", "--views", "1"],
            ["train", "data", "--out", "train", "--views", "1"],
            ["predict", "train", "data", "--out", "predict"],
        ):
            start = time.perf_counter()
            command = [sys.executable, "-m", "graticule", *words]
            done = subprocess.run(command, cwd=place, capture_output=True, text=True)
            with (place / words[words.index("--out") + 1] / "failures.csv").open(encoding="utf-8") as stream:
                listed = [row["path"] for row in csv.DictReader(stream)]
            verdict = "as it should be" if (done.returncode, listed) == (3, [wanted]) else f"WRONG: {done.stderr}"
            seconds = time.perf_counter() - start
            print(f"{words[0]:8s} exit code {done.returncode}, listed {listed}, {seconds:.0f} s: {verdict}", flush=True)


if __name__ == "__main__":
    main()
