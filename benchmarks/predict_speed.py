"""Images per second of `predict` against another version of the program, in alternation, and whether the answers agree.

    python benchmarks/predict_speed.py BEFORE DATA [--size 224] [--views 1] [--rounds 7] [--folds 2] [--limit N]

BEFORE is the `src` folder of another checkout, DATA a data set that `train` takes. A model is trained by that version
on a network input of `--size` pixels, then both versions predict the images of DATA in turns, each in a process of its
own with an empty cache, so that other work on the machine hits both. Told are images per second from the first to the
last row (without the start of Python), their ratio in each round, how many times as much processor time (start
included) the other version took, and the columns that differ: none should.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

import graticule

TRAIN = """
import sys
from dataclasses import replace
from pathlib import Path

import graticule.jobs.train.job as job
from graticule.jobs.train.options import TrainOptions

named = job.encoder_of


def at_size(*given, **options):
    encoder = named(*given, **options)
    return replace(encoder, preprocessing=replace(encoder.preprocessing, size=int(sys.argv[3])))


job.encoder_of = at_size
if __name__ == "__main__":
    job.train(Path(sys.argv[1]), Path(sys.argv[2]), TrainOptions(views=int(sys.argv[4]), folds=int(sys.argv[5])))
"""
PREDICT = """
import os
import sys
import time
from pathlib import Path

from graticule.jobs.predict import predict
from graticule.progress import Silent


class Clock(Silent):
    first = 0.0

    def advance(self, done):
        self.last, self.done = time.perf_counter(), done
        if not self.first:
            self.first, self.begun = self.last, done


if __name__ == "__main__":
    clock = Clock()
    predict(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), reporter=clock)
    print((clock.done - clock.begun) / (clock.last - clock.first), sum(os.times()[:4]))
"""


def run(program: Path, source: Path, cache: Path, *arguments: object) -> str:
    """What a program says with a version of the package."""
    environment = os.environ | {"PYTHONPATH": str(source), "GRATICULE_CACHE": str(cache)}
    command = [sys.executable, str(program), *map(str, arguments)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def listed(data: Path, limit: int | None, file: Path) -> Path:
    """A list of the image files of a data set."""
    images = sorted(path for path in data.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".tif", ".tiff"))
    file.write_text("\n".join(map(str, images[:limit])))
    return file


def differing(first: Path, second: Path) -> list[str]:
    """Columns that are not equal in two predict outputs, value by value."""
    one, other = (pq.read_table(folder / "predictions-00000.parquet") for folder in (first, second))
    if one.schema != other.schema or one.num_rows != other.num_rows:
        return ["(other columns or rows)"]
    return [name for name in one.column_names if not one[name].equals(other[name])]


def main() -> None:
    """Train once, predict in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("data", type=Path)
    for name, default in (("size", 224), ("views", 1), ("rounds", 7), ("folds", 2), ("limit", None)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    versions = {"before": asked.before.resolve(), "now": Path(graticule.__file__).resolve().parent.parent}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for name, program in (("train.py", TRAIN), ("predict.py", PREDICT)):
            (work / name).write_text(program)
        settings = (asked.size, asked.views, asked.folds)
        run(work / "train.py", versions["before"], work / "cache", asked.data, work / "run", *settings)
        images = listed(asked.data, asked.limit, work / "images.txt")
        ratios, works = [], []
        for number in range(asked.rounds):
            speed, work_time = {}, {}
            for name in sorted(versions, reverse=bool(number % 2)):
                out = work / f"{name}-{number}"
                found = run(work / "predict.py", versions[name], work / "empty", work / "run", images, out)
                speed[name], work_time[name] = map(float, found.split())
            ratios.append(speed["now"] / speed["before"])
            works.append(work_time["before"] / work_time["now"])
            told = f"before {speed['before']:6.1f}  now {speed['now']:6.1f} images/s  ratio {ratios[-1]:.2f}"
            told += f"  processor time {work_time['before']:.1f}  {work_time['now']:.1f} s  ratio {works[-1]:.2f}"
            print(told, flush=True)
        other = differing(work / "before-0", work / "now-0")
        middle = statistics.median(ratios)
        print(f"{asked.data.name}, {asked.size} px, {asked.views} views, {asked.rounds} rounds: ratio {middle:.2f}")
        print(f"from {min(ratios):.2f} to {max(ratios):.2f}; columns that differ: {', '.join(other) or 'none'}")
        print(f"processor time: ratio {statistics.median(works):.2f}, from {min(works):.2f} to {max(works):.2f}")


if __name__ == "__main__":
    main()
