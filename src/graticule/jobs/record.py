"""What run.json says of the data, the embedding and the reading, what summary.json begins with, and failures.csv."""

import csv
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.bundle import Tensors, bundle_hash, model_folder
from graticule.bundle_info import NetworkInfo
from graticule.features.samples import _MAX_NOTES, _MAX_SIZES, Samples, data_hash
from graticule.files import writing_text
from graticule.images.beyond import SPARED
from graticule.images.intensity import EIGHT
from graticule.images.reading import Reading
from graticule.manifest import escape_path
from graticule.networks.encoder import Encoder
from graticule.networks.pooling import pooling_words
from graticule.plain_text import safe_cell
from graticule.runs import machine, package_versions, utc_now


def describe_data(source: Path, samples: Samples, *, n_unlabelled: int, group_column: str | None) -> dict[str, Any]:
    """The "data" object of run.json."""
    manifest = samples.manifest
    group = manifest.group
    per_class: dict[str, int] | None = None
    if group is not None:
        pairs = {pair for pair in zip(manifest.label, group, strict=True) if pair[1]}
        per_class = {name: sum(label == name for label, _ in pairs) for name in manifest.classes}
    counts = Counter(manifest.label.tolist())
    sizes = Counter((item.width, item.height, item.mode) for item in samples.info)
    return {
        "source": escape_path(str(source.absolute())),
        "root": escape_path(str(manifest.root)),
        "sha256": data_hash(samples),
        "n": len(manifest),
        "n_unlabelled": n_unlabelled,
        "n_unreadable": len(samples.failures),
        "classes": {name: counts[name] for name in manifest.classes},
        "group_column": group_column,
        "n_groups": None if group is None else len(set(group) - {""}),
        "groups_per_class": per_class,
        "duplicates": describe_duplicates(samples),
        "image_sizes": [
            {"width": width, "height": height, "mode": mode, "n": n}
            for (width, height, mode), n in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MAX_SIZES]
        ],
    }


def describe_duplicates(samples: Samples) -> dict[str, Any]:
    """Exact duplicates: how many sets and images, and under two labels each image beside the first of its set."""
    component, answers = samples.duplicates, samples.manifest.answers
    counts = np.bincount(component, minlength=1)
    conflicts = []
    for number in np.flatnonzero(counts > 1):
        rows = np.flatnonzero(component == number)
        first = rows[0]
        conflicts += [
            [escape_path(samples.manifest.path[first]), escape_path(samples.manifest.path[row])]
            for row in rows[1:]
            if answers[row] != answers[first]
        ]
    return {
        "components": int((counts > 1).sum()),
        "images": int(counts[counts > 1].sum()),
        "conflicts": conflicts,
    }


def describe_embedding(encoder: Encoder, reading: Reading, samples: Samples, weights: dict[str, Any]) -> dict[str, Any]:
    """The "embedding" object of run.json; `weights` adds what the registry knows of the backbone."""
    return {
        "backbone": encoder.backbone,
        **weights,
        "input_size": encoder.preprocessing.size,
        "reading": reading.describe() | {"size_features": encoder.sizes},
        "pooling": pooling_words([name for name, _ in encoder.parts]),
        "views": encoder.views,
        "n_features": encoder.n_features,
        "model_sha256": encoder.model_sha256,
        "device": encoder.device.describe(),
        "decoded": samples.decoded,
        "cached": samples.cached,
        "seconds": round(samples.seconds, 2),
    }


def unreadable_warning(failures: Sequence[tuple[str, str]]) -> list[str]:
    """What the report says of files that could not be read: one sentence, or nothing."""
    if not failures:
        return []
    images = "1 image" if len(failures) == 1 else f"{len(failures):,} images"
    return [f"{images} could not be read and left out; see failures.csv"]


def write_failures(file: Path, failures: Iterable[tuple[str, str]]) -> None:
    """failures.csv: path, error."""
    with writing_text(file) as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "error"])
        writer.writerows([safe_cell(path), safe_cell(error)] for path, error in failures)


def reading_notes(samples: Samples, reading: Reading) -> list[str]:
    """What the report says of how images were read: values, info bars, and decisions of the reader, with counts."""
    notes = []
    if any(item.mode.partition(", ")[2] != EIGHT for item in samples.info):
        notes.append(f"pixel values were mapped to 8 bits: {reading.intensity_words}")
    notes += reading.notes
    bars, clipped = 0, 0
    told: Counter[str] = Counter()
    for facts in samples.facts():
        bars += facts.bar is not None
        clipped += max(facts.outside) > SPARED
        told.update(facts.notes)
    if clipped:
        notes.append(
            f"{clipped:,} of {len(samples.info):,} images have more than {SPARED:.1%} of their values outside the "
            "range that is read: these are clipped"
        )
    if bars:
        how = "cut off" if reading.preprocessing.info_bar == "crop" else "kept (--info-bar keep)"
        notes.append(f"an info bar was found in {bars:,} of {len(samples.info):,} images and {how}")
    notes += [f"{n:,} images: {note}" for note, n in told.most_common(_MAX_NOTES)]
    return notes


def circumstances(run: Path, images: Path, start: float) -> dict[str, Any]:
    """What was predicted with which model, version and time; `start` in seconds of `time.perf_counter`."""
    return {
        "verb": "predict",
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "wall_time_s": round(time.perf_counter() - start, 2),
        "images": escape_path(str(images.absolute())),
        "run": escape_path(str(run.absolute())),
        "bundle_sha256": bundle_hash(model_folder(run)),
        "packages": package_versions(),
    }


def made_here(start: float) -> dict[str, Any]:
    """Version, time and machine; `start` in seconds of `time.perf_counter`."""
    return {
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "wall_time_s": round(time.perf_counter() - start, 2),
        "packages": package_versions(),
        "platform": machine(),
    }


def describe_model(info: NetworkInfo, samples: Samples) -> dict[str, Any]:
    """The "embedding" object of an evaluation's run.json."""
    return {
        "backbone": info.backbone,
        "weights_sha256": info.weights_sha256,
        "licence": info.licence,
        "source": None,
        "input_size": info.preprocessing["size"],
        "views": info.views,
        "reading": {"selection": info.preprocessing["selection"]},
        "n_features": info.n_features,
        "decoded": samples.decoded,
        "cached": samples.cached,
        "seconds": round(samples.seconds, 2),
    }


def seen_in_training(samples: Samples, reference: Tensors) -> list[str]:
    """Images of the training data among the evaluated ones, and files left out."""
    known = {row.tobytes() for row in reference["pixel_sha256"]}
    seen = sum(bytes.fromhex(item.pixel_sha256) in known for item in samples.info)
    warnings = []
    if seen:
        warnings.append(
            f"{seen} of {len(samples.info)} images have the same pixels as training images: on them the figures are "
            "too good"
        )
    warnings += unreadable_warning(samples.failures)
    return warnings
