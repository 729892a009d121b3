"""Do maps of orientation statistics lie where the aligned structure is? Halves of aligned and of unaligned pictures.

    graticule phantom nanowires --out nw --n-per-class 180 --seed 3
    graticule train nw --target fraction --target-min 0 --target-max 1 --features orientation --out run
    graticule phantom nanowires --out new --n-per-class 60 --seed 77
    python benchmarks/orientation_maps.py run new

Pictures of a set that the model never saw, of which more than nine tenths are aligned, are put beside such of which
less than one tenth is, each giving one half; the aligned half lies left, right, above or below in turn. Counted is how
often the map of the number is higher over the aligned half.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import PIL.Image

from graticule.bundle import model_folder
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.directions.features import features_of_parts
from graticule.explain.image import Seen
from graticule.explain.traced import TracedValue, whole_and_rest
from graticule.networks.pooling import ORIENTATION
from graticule.regress.predictor import ValuePredictor
from graticule.statistics.intervals import share_limits

SIDE, TURNS = 256, 4


def square(file: Path) -> np.ndarray:
    """The middle of a picture above where an info bar may stand."""
    grey = np.asarray(PIL.Image.open(file).convert("L"))[: -SIDE // 6]
    top, left = (max(0, (edge - SIDE) // 2) for edge in grey.shape)
    return grey[top : top + SIDE, left : left + SIDE]


def main() -> None:
    """Print how often the aligned half is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--pairs", type=int, default=10)
    options = parser.parse_args()
    bundle = open_value_bundle(model_folder(options.run))
    predictor = ValuePredictor.of(bundle)
    value = TracedValue.of(predictor.encoder, predictor.members, None)
    with (options.new / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(float(row["fraction"]), options.new / row["path"]) for row in csv.DictReader(stream)]
    whole = [square(file) for fraction, file in rows if fraction > 0.9]
    none = [square(file) for fraction, file in rows if fraction < 0.1]
    seen = Seen(np.zeros((32, 32, 3), np.uint8), np.array([SIDE, SIDE], float), (SIDE, SIDE), None)
    found = []
    for one, other in list(zip(whole, none, strict=False))[: options.pairs]:
        side = min(*one.shape, *other.shape)
        for turns in range(TURNS):
            # the seam runs up and down or across; the halves keep their own directions
            mask = np.rot90(np.arange(side)[None, :].repeat(side, 0) < side // 2, turns)
            picture = np.where(mask, one[:side, :side], other[:side, :side]).astype(np.float32)
            rest = features_of_parts(picture, whole_and_rest()).astype(np.float32)
            cells = value.trace(seen, rest, "occlusion").maps[ORIENTATION]
            g = len(cells)
            aligned = np.rot90(np.arange(g)[None, :].repeat(g, 0) < g // 2, turns)
            far = np.rot90(np.arange(g)[None, :].repeat(g, 0) > g // 2, turns)
            found.append(cells[aligned].mean() > cells[far].mean())
    low, high = share_limits(np.array(found), np.arange(len(found)) // TURNS)
    print(f"the aligned half is higher in {sum(found)} of {len(found)} pictures ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
