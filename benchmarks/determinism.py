"""Same seed, other workers, other file order: identical predictions.

python benchmarks/determinism.py DATA_WITH_MANIFEST_CSV
"""

from __future__ import annotations

import csv
import hashlib
import os
import random
import sys
import tempfile
from pathlib import Path

from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions


def main() -> None:
    data = Path(sys.argv[1]).absolute()
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with tempfile.TemporaryDirectory() as scratch:
        digests = []
        for workers, shuffle in ((1, False), (2, False), (2, True)):
            if shuffle:
                random.Random(0).shuffle(rows)
            manifest = Path(scratch) / f"{workers}{shuffle}.csv"
            with manifest.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)
            os.environ["GRATICULE_CACHE"] = str(Path(scratch) / f"cache-{workers}{shuffle}")
            run = Path(scratch) / f"run-{workers}{shuffle}"
            train(manifest, run, TrainOptions(views=1, workers=workers, root=data))
            digests.append(hashlib.sha256((run / "predictions.parquet").read_bytes()).hexdigest()[:16])
            print(
                f"{workers} workers, {'shuffled' if shuffle else 'given'} order: predictions {digests[-1]}", flush=True
            )
    print("identical" if len(set(digests)) == 1 else "DIFFERENT")


if __name__ == "__main__":
    main()
