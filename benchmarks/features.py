"""Features of all parts against those of the whole picture alone, which earlier versions kept, on the same folds.

    python benchmarks/features.py FOLDER [--views 4] [--sets blood_cells red_cells ...]

FOLDER holds data sets, each with manifest.csv (path, label, optionally group). Both sides have the same pixels, views
and folds and the whole search for a head; the difference is paired, by group where there are groups. "beyond the pass"
is what the cross-validation took, against embedding the images that were not cached.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import class_codes
from graticule.evaluate.compare.runs import compare_many, flat
from graticule.features.samples import Samples, embed_samples, sorted_by_path
from graticule.heads.crossval import CrossValidation, Search, cross_validate
from graticule.networks.catalogue import encoder_of
from graticule.networks.pooling import WHOLE
from graticule.predictions import Predictions
from graticule.progress import Silent
from graticule.sources.sources import read_manifest
from graticule.split.folds import Folds, make_folds

FOLDS = {"flow_particles": 2}


def folds_of(samples: Samples, k: int) -> Folds:
    """Folds by group and by exact copies, as `train` makes them with --near-duplicates exact."""
    manifest = samples.manifest
    return make_folds(
        manifest.label, k=k, group=manifest.group, duplicates=samples.duplicates, sample_id=manifest.sample_id
    )


def predictions_of(samples: Samples, folds: Folds, found: CrossValidation) -> Predictions:
    """Out-of-fold scores as the table of a run."""
    manifest = samples.manifest
    return Predictions(
        manifest.sample_id, manifest.path, folds.part, folds.fold, manifest.label, manifest.classes, found.proba
    )


def fitted(
    samples: Samples, folds: Folds, features: NDArray[np.float32], parts: tuple[tuple[str, int], ...]
) -> CrossValidation:
    """Cross-validated heads on some of the features."""
    manifest = samples.manifest
    y = class_codes(manifest.label, manifest.classes)
    search = Search(len(manifest.classes), "auto", manifest.group is not None, 0, parts)
    return cross_validate(features, y, folds, search)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--sets", nargs="*", default=["blood_cells", "red_cells", "malaria_cells", "powder_sem"])
    options = parser.parse_args()
    print("| data | accuracy, macro F1: whole alone | all parts | difference (95 %) | beyond the pass | pass |")
    print("|---|---|---|---|---|---|")
    for name in options.sets:
        encoder = encoder_of("efficientnet_lite0", views=options.views)
        manifest = sorted_by_path(read_manifest(options.folder / name))
        samples = embed_samples(manifest, encoder, workers=None, batch_size=8, reporter=Silent())
        folds = folds_of(samples, FOLDS.get(name, 5))
        whole = fitted(samples, folds, samples.features[:, encoder.whole], ())
        parts = fitted(samples, folds, samples.features, encoder.parts)
        tables = tuple(predictions_of(samples, folds, found) for found in (whole, parts))
        result: dict[str, Any] = flat(compare_many(tables, samples.manifest.group))

        def value(side: str, metric: str, result: dict[str, Any] = result) -> str:
            figure = result[side][metric]
            return f"{figure['value'] if isinstance(figure, dict) else figure:.4f}"

        gain = result["difference"]["accuracy"]
        interval = "too few groups" if gain["low"] is None else f"{gain['low']:+.4f} to {gain['high']:+.4f}"
        print(
            f"| {name} | {value('a', 'accuracy')}, {value('a', 'macro_f1')} | {value('b', 'accuracy')}, "
            f"{value('b', 'macro_f1')} | {gain['value']:+.4f} ({interval}) | "
            f"{whole.seconds:.0f} s, {parts.seconds:.0f} s | {samples.seconds:.0f} s, {samples.cached} cached |",
            flush=True,
        )
        used = {part for choice in parts.choices for member in choice.members for part in member.settings.parts}
        print(f"  parts in use: {', '.join(sorted(used))}; {WHOLE} alone: {encoder.whole.stop} numbers", flush=True)


if __name__ == "__main__":
    main()
