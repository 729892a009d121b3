"""Burnt-in marks as a cue: planted ones are flagged, absent or equally spread ones are not, over seeds.

    python benchmarks/marks.py [--seeds 20] [--n 30]

Each seed makes n ultrasound frames of a cyst and of a solid mass, in pairs of one patient, which are the groups. Five
spreads of marks over the two classes are held against the search for shortcuts that `audit` and `train` make.
"""

from __future__ import annotations

import argparse

import numpy as np

from graticule.arrays import object_array
from graticule.audit.shortcuts import find_shortcuts
from graticule.audit.standard_cues import ImageFacts, standard_cues
from graticule.images.burnt_in.ultrasound import find_marks, is_ultrasound, mark_shares
from graticule.images.cues import MARKS, measure_cues
from graticule.phantoms.ultrasound import CLASSES, FRAMES_PER_PATIENT, UltrasoundFrame, phantom_frame

SHAPE = (336, 448)
BARE, TEXT, FULL = range(3)
SPREADS = {
    "all frames of one class": (1.0, 0.0, FULL, BARE),
    "60 % of one class, 15 % of the other": (0.6, 0.15, FULL, BARE),
    "text everywhere, calipers in one class": (1.0, 0.0, FULL, TEXT),
    "no marks": (0.0, 0.0, FULL, BARE),
    "all frames": (1.0, 1.0, FULL, BARE),
    "half of the frames of either class": (0.5, 0.5, FULL, BARE),
}
PLANTED = 3


def cues_of(pixels: np.ndarray) -> np.ndarray:
    """The cues of one frame as decoding measures them."""
    return measure_cues(pixels, None, mark_shares(find_marks(pixels)) if is_ultrasound(pixels) else None)


def measured(seed: int, n: int) -> np.ndarray:
    """Cues of 2 n frames bare, with text beside the scan, and with all marks; shape (3, 2 n, N_CUES)."""
    rows = []
    for class_index in range(len(CLASSES)):
        for index in range(n):
            bare, full = (frame(class_index, index, seed, marked) for marked in (False, True))
            text = np.where(full.sector[:, :, None], bare.pixels, full.pixels)
            rows.append([cues_of(pixels) for pixels in (bare.pixels, text, full.pixels)])
    return np.asarray(rows).transpose(1, 0, 2)


def frame(class_index: int, index: int, seed: int, marked: bool) -> UltrasoundFrame:
    """One frame of the family "ultrasound", small."""
    return phantom_frame(class_index, index, seed, marked=marked, shape=SHAPE)[0]


def flagged(cues: np.ndarray, n: int, spread: tuple[float, float, int, int], seed: int) -> tuple[bool, float]:
    """Whether the marks are flagged, and the balanced accuracy of the cue alone (NaN where it is constant)."""
    share_first, share_second, marked, other = spread
    rng = np.random.default_rng([seed, 7])
    y = np.repeat([0, 1], n)
    bears = np.concatenate([rng.permutation(n) < round(share * n) for share in (share_first, share_second)])
    chosen = cues[np.where(bears, marked, other), np.arange(2 * n)]
    size = len(chosen)
    empty = object_array([""] * size)
    facts = ImageFacts(
        width=np.full(size, float(SHAPE[1])),
        height=np.full(size, float(SHAPE[0])),
        bits=np.full(size, 8.0),
        channels=np.full(size, 3.0),
        file_format=object_array(["PNG"] * size),
        compression=empty,
        instrument=empty,
        pixel_size_nm=np.full(size, np.nan),
        measured=chosen.astype(float),
        modified=np.full(size, np.nan),
    )
    group = object_array([f"{k}-{i // FRAMES_PER_PATIENT}" for k in (0, 1) for i in range(n)])
    found, _ = standard_cues(facts, object_array([CLASSES[k] for k in y]))
    result = find_shortcuts(found, y, CLASSES, group, seed=seed)
    accuracy = [row.accuracy for row in result.associations if row.cue == "burnt-in marks"]
    return any(row.cue == "burnt-in marks" for row in result.flagged), accuracy[0] if accuracy else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--n", type=int, default=30, help="frames per class")
    arguments = parser.parse_args()
    outcome: dict[str, list[tuple[bool, float]]] = {name: [] for name in SPREADS}
    missed = 0
    for seed in range(arguments.seeds):
        cues = measured(seed, arguments.n)
        looked, outside, inside = np.moveaxis(cues[..., MARKS], -1, 0)
        missed += int((looked == 0).sum() + (outside[BARE] + inside[BARE] > 0).sum() + (outside[FULL] == 0).sum())
        for name, spread in SPREADS.items():
            outcome[name].append(flagged(cues, arguments.n, spread, seed))
        print(f"seed {seed} done", flush=True)
    frames = 3 * 2 * arguments.n * arguments.seeds
    print(f"frames not recognised, marked though bare, or bare though marked: {missed} of {frames}")
    for number, (name, found) in enumerate(outcome.items()):
        hits = sum(hit for hit, _ in found)
        accuracy = np.array([value for _, value in found])
        told = "cue constant" if np.isnan(accuracy).all() else f"median accuracy {np.nanmedian(accuracy):.2f}"
        want = "to be flagged" if number < PLANTED else "not to be flagged"
        print(f"{name} ({want}): flagged in {hits} of {len(found)}, {told}")


if __name__ == "__main__":
    main()
