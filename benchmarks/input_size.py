"""What a smaller input and fewer views cost and lose, beside the network's own size.

    python benchmarks/input_size.py FOLDER [--sets flow_particles malaria_cells red_cells blood_cells]

FOLDER holds a data set per name. Each is trained twice with the same folds: as the training folds choose, and at the
network's own size (224 px) with the same number of views. Printed per set: the candidates, what each fold chose,
seconds, out-of-fold accuracy and macro F1 of both, and their paired differences with intervals.
"""

import argparse
import tempfile
from pathlib import Path

from graticule.jobs.compare import compare
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions

SETS = {"flow_particles": 2, "malaria_cells": 5, "red_cells": 5, "blood_cells": 5}


def main() -> None:
    """Print one block per set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    given = parser.parse_args()
    for name in given.sets:
        with tempfile.TemporaryDirectory() as scratch:
            chosen, own = Path(scratch) / "chosen", Path(scratch) / "own"
            first = train(given.folder / name, chosen, TrainOptions(folds=SETS[name]))
            told = first["embedding"]["choice"]
            views = first["embedding"]["views"]
            options = TrainOptions(folds=SETS[name], input_size=224, views=views)
            second = train(given.folder / name, own, options)
            print(
                f"{name}: {told['input_size']['candidates']} px, folds chose {told['input_size']['folds']}", flush=True
            )
            print(f"  {told['input_size']['why']}\n  views: {told['views']['why']}")
            for run, folder in ((first, chosen), (second, own)):
                print(f"  {run['embedding']['input_size']} px, {views} views: {run['wall_time_s']} s ({folder.name})")
            found = compare(chosen, own)
            for key in ("accuracy", "macro_f1"):
                print(
                    f"  {key}: {found['a'][key]}, {found['b'][key]}; difference {found['difference'][key]}", flush=True
                )


if __name__ == "__main__":
    main()
