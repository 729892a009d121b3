"""How surely a planted cue of a number is named, and how often clean pictures are accused, as a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/value_cues.py [--seeds 20] [--specimens 15] [--each 4]

One set a seed: nanowire phantoms, a third with an info bar; the number is the aligned fraction. Planted: brightness
(levels are raised by the number), crop size (the picture is cut to a size that the number gives), bar (pictures with
a number in the upper half bear an info bar, the others none) and pixel size (as stated, a power of the number).
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, object_array
from graticule.audit.standard_cues import ImageFacts, standard_cues
from graticule.audit.value_cues import ValueAssociation, find_value_cues
from graticule.images.cues import measure_cues
from graticule.phantoms.infobar import MAKES, append_bar, drawn_settings
from graticule.phantoms.nanowires import NanowirePicture, render_nanowires

PLANTED = {"brightness": "brightness", "crop size": "image size", "bar": "info bar", "pixel size": "pixel size"}


def fraction_of(shot: NanowirePicture) -> float:
    """The aligned share of the wires' volume."""
    return float(shot.laid.volume[shot.laid.aligned].sum() / shot.laid.volume.sum())


def cues_of(
    shots: list[NanowirePicture],
    images: list[NDArray[np.uint8]],
    barred: NDArray[np.bool_],
    sizes: FloatArray,
    seed: int,
) -> list[ValueAssociation]:
    """What an audit says of pictures, with bars where they are to stand."""
    y = np.array([fraction_of(shot) for shot in shots])
    rng = np.random.default_rng(seed)
    measured, shapes = [], []
    for image, bar, size in zip(images, barred, sizes, strict=True):
        rows = None
        if bar:
            image, rows = append_bar(image, str(rng.choice(sorted(MAKES))), drawn_settings(rng, float(size)))
        measured.append(measure_cues(image, bar=rows))
        shapes.append(image.shape)
    n = len(shots)
    height, width = np.array(shapes, dtype=float).T
    facts = ImageFacts(
        width=width,
        height=height,
        bits=np.full(n, 8.0),
        channels=np.ones(n),
        file_format=object_array(["JPEG" if shot.quality else "PNG" for shot in shots]),
        compression=object_array([""] * n),
        instrument=object_array([shot.instrument for shot in shots]),
        pixel_size_nm=sizes,
        measured=np.stack(measured).astype(np.float64),
        modified=np.full(n, np.nan),
    )
    cues, _ = standard_cues(facts, object_array([""] * n))
    return find_value_cues(cues, y, object_array([shot.specimen for shot in shots]), seed=seed).associations


def planted(kind: str, shots: list[NanowirePicture], barred: NDArray[np.bool_], seed: int) -> list[ValueAssociation]:
    """What an audit says of pictures into which a cue was planted."""
    y = np.array([fraction_of(shot) for shot in shots])
    images = [shot.image for shot in shots]
    sizes = np.array([shot.pixel_size_nm for shot in shots])
    if kind == "brightness":
        images = [
            np.clip(100 + 0.3 * (image - image.mean()) + 100 * (value - 0.5), 0, 255).astype(np.uint8)
            for image, value in zip(images, y, strict=True)
        ]
    elif kind == "crop size":
        images = [image[: 120 + int(130 * v), : 120 + int(130 * v)] for image, v in zip(images, y, strict=True)]
    elif kind == "bar":
        barred = y > np.median(y)
    else:
        sizes = 10 ** (1 + y)
    return cues_of(shots, images, barred, sizes, seed)


def main() -> None:
    """Draw, plant, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--specimens", type=int, default=15)
    parser.add_argument("--each", type=int, default=4)
    options = parser.parse_args()
    accused: list[int] = []
    highest: list[float] = []
    found: dict[str, list[tuple[bool, float]]] = {kind: [] for kind in PLANTED}
    for seed in range(1000, 1000 + options.seeds):
        shots = [render_nanowires(i, options.each, seed) for i in range(options.specimens * options.each)]
        shots = [dataclasses.replace(shot, wire=shot.wire[:1]) for shot in shots]
        barred = np.random.default_rng(seed).random(len(shots)) < 0.32
        clean = cues_of(shots, [s.image for s in shots], barred, np.array([s.pixel_size_nm for s in shots]), seed)
        if any(row.flagged for row in clean):
            accused.append(seed)
            print(
                "accused", seed, [(row.cue, round(row.r2, 2), row.p_value) for row in clean if row.flagged], flush=True
            )
        highest.append(max(row.r2 for row in clean))
        for kind, cue in PLANTED.items():
            row = next(row for row in planted(kind, shots, barred, seed) if row.cue == cue)
            found[kind].append((row.flagged, row.r2))
    print(f"| planted | named, of {options.seeds} sets | grouped R2, median (least) |\n|---|---|---|")
    print(
        f"| nothing | {len(accused)} sets accused | highest cue {np.median(highest):.2f} (at most {max(highest):.2f}) |"
    )
    for kind, rows in found.items():
        r2 = [value for _, value in rows]
        print(f"| {kind} | {sum(named for named, _ in rows)} | {np.median(r2):.2f} ({min(r2):.2f}) |")


if __name__ == "__main__":
    main()
