"""Steps that several verbs share: samples with their features, and what run.json says of them."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graticule.data.beyond import SPARED, beyond
from graticule.data.decode import Decoded, ImageFile
from graticule.data.facts import Facts
from graticule.data.intensity import EIGHT, Intensity
from graticule.data.reading import Reading
from graticule.errors import ManifestError, OptionError
from graticule.files import writing_text
from graticule.manifest import Manifest, escape_path, object_array
from graticule.models.cache import FeatureCache, cache_folder
from graticule.models.embed import Embedding, embed_files
from graticule.models.encoder import Encoder
from graticule.plain_text import safe_cell

_MAX_SIZES = 20
_MAX_NOTES = 10


class Reporter(Protocol):
    """How a job tells of its progress; the command line draws bars, the Python API is silent by default."""

    def step(self, text: str) -> None:
        """A new step has begun."""

    def begin(self, text: str, total: int) -> None:
        """A step of `total` items has begun."""

    def advance(self, done: int) -> None:
        """`done` items of the step are finished."""

    def note(self, text: str) -> None:
        """Something worth a line of its own, which stays."""


class Silent:
    """A reporter that says nothing."""

    def step(self, text: str) -> None:
        """Ignored."""

    def begin(self, text: str, total: int) -> None:
        """Ignored."""

    def advance(self, done: int) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""


@dataclass(frozen=True)
class Samples:
    """Readable samples with their features, in the order of their paths.

    Attributes
    ----------
    manifest : Manifest
        n readable samples; its column `sha256` is the hash of each file's bytes, as they were read.
    features : float32 array, shape (n, d)
    n_network : int
        How many of the features come from the network.
    info : list of n Decoded
    failures : list of (path, error)
        Samples that could not be read; they are in none of the above.
    decoded, cached : int
    seconds : float
    """

    manifest: Manifest
    features: NDArray[np.float32]
    n_network: int
    info: list[Decoded]
    failures: list[tuple[str, str]]
    decoded: int
    cached: int
    seconds: float
    warnings: list[str]

    def facts(self) -> Iterator[Facts]:
        """What decoding told of each sample, unpacked one at a time."""
        return (Facts.from_bytes(item.facts) for item in self.info)

    @property
    def network_features(self) -> NDArray[np.float32]:
        """The network's features alone, shape (n, n_network)."""
        return self.features[:, : self.n_network]

    @property
    def duplicates(self) -> NDArray[np.int64]:
        """Component of each sample by its decoded pixels: equal numbers are exact duplicates."""
        names = np.array([item.pixel_sha256 for item in self.info])
        return np.unique(names, return_inverse=True)[1].astype(np.int64)


def check_options(*, workers: int | None, batch_size: int, seed: int = 0, others: Sequence[str] = ()) -> None:
    """Raise one OptionError that lists every one of these options that is out of range, and `others`."""
    faults = [*others, *option_faults(workers, batch_size, seed)]
    if faults:
        raise OptionError("; ".join(faults))


def option_faults(workers: int | None, batch_size: int, seed: int) -> list[str]:
    """What is wrong with options that most verbs share."""
    faults = []
    if batch_size < 1:
        faults.append(f"--batch-size {batch_size}: allowed are whole numbers from 1")
    if workers is not None and workers < 1:
        faults.append(f"--workers {workers}: allowed are whole numbers from 1")
    if not 0 <= seed < 2**63:
        faults.append(f"--seed {seed}: allowed are whole numbers from 0 to {2**63 - 1}")
    return faults


def check_outside(out: Path, data: Path) -> None:
    """Refuse an outcome inside a folder of images: its files would be read as images the next time.

    Raises
    ------
    OptionError
    """
    if data.is_dir() and not (data / "manifest.csv").is_file() and out.resolve().is_relative_to(data.resolve()):
        raise OptionError(f"--out {out} lies inside the images {data}; choose a folder outside of it")


def sorted_by_path(manifest: Manifest) -> Manifest:
    """The manifest in the order of its paths, so that no result depends on the order of the input."""
    return manifest.take(np.argsort(np.array([escape_path(p) for p in manifest.path]), kind="stable"))


def embed_samples(
    manifest: Manifest, encoder: Encoder, *, workers: int | None, batch_size: int, reporter: Reporter
) -> Samples:
    """Embed the samples of a manifest through the cache and set the unreadable ones apart.

    Raises
    ------
    ManifestError
        When no image can be read at all.
    """
    reporter.begin("embedding", len(manifest))
    with FeatureCache(cache_folder(), encoder.space()) as cache:
        result = embed_files(
            image_files(manifest),
            encoder,
            workers=workers,
            batch_size=batch_size,
            cache=cache,
            progress=reporter.advance,
        )
        warnings = [cache.fault] if cache.fault else []
    failures = [
        (escape_path(path), item.error)
        for path, item, fine in zip(manifest.path, result.info, result.readable, strict=True)
        if not fine
    ]
    if len(manifest) and not result.readable.any():
        path, error = failures[0]
        raise ManifestError(f"none of the {len(manifest)} images can be read; the first: {path}: {error}")
    n_network = encoder.n_features - 2 * encoder.sizes
    return _readable(manifest, result, n_network, failures, warnings)


def image_files(manifest: Manifest) -> list[ImageFile]:
    """The files of a manifest with the pixel sizes that its table gives."""
    sizes = manifest.columns.get("pixel_size_nm")
    if sizes is None:
        return [ImageFile(file) for file in manifest.files()]
    return [ImageFile(file, float(size) if size else None) for file, size in zip(manifest.files(), sizes, strict=True)]


def _readable(
    manifest: Manifest, result: Embedding, n_network: int, failures: list[tuple[str, str]], warnings: list[str]
) -> Samples:
    fine = result.readable
    everything = bool(fine.all())
    info = [item for item, keep in zip(result.info, fine, strict=True) if keep]
    read = manifest if everything else manifest.take(fine)
    hashes = object_array([item.sha256 for item in info])
    return Samples(
        manifest=replace(read, columns=read.columns | {"sha256": hashes}),
        features=result.features if everything else result.features[fine],
        n_network=n_network,
        info=info,
        failures=failures,
        decoded=result.decoded,
        cached=result.cached,
        seconds=result.seconds,
        warnings=warnings,
    )


def describe_data(source: Path, samples: Samples, *, n_unlabelled: int, group_column: str | None) -> dict[str, Any]:
    """The "data" object of run.json."""
    manifest = samples.manifest
    group = manifest.group
    per_class: dict[str, int] | None = None
    if group is not None:
        pairs = set(zip(manifest.label, group, strict=True))
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
        "n_groups": None if group is None else len(set(group)),
        "groups_per_class": per_class,
        "duplicates": describe_duplicates(samples),
        "image_sizes": [
            {"width": width, "height": height, "mode": mode, "n": n}
            for (width, height, mode), n in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MAX_SIZES]
        ],
    }


def describe_duplicates(samples: Samples) -> dict[str, Any]:
    """Exact duplicates: how many sets and images, and under two labels each image beside the first of its set."""
    component = samples.duplicates
    counts = np.bincount(component, minlength=1)
    conflicts = []
    for number in np.flatnonzero(counts > 1):
        rows = np.flatnonzero(component == number)
        first = rows[0]
        conflicts += [
            [escape_path(samples.manifest.path[first]), escape_path(samples.manifest.path[row])]
            for row in rows[1:]
            if samples.manifest.label[row] != samples.manifest.label[first]
        ]
    return {
        "components": int((counts > 1).sum()),
        "images": int(counts[counts > 1].sum()),
        "conflicts": conflicts,
    }


def data_hash(samples: Samples) -> str:
    """Hash over the path, label and file hash of every sample."""
    h = hashlib.sha256()
    for path, label, item in zip(samples.manifest.path, samples.manifest.label, samples.info, strict=True):
        h.update(f"{escape_path(path)}\0{label}\0{item.sha256}\n".encode())
    return h.hexdigest()


def describe_embedding(encoder: Encoder, reading: Reading, samples: Samples, weights: dict[str, Any]) -> dict[str, Any]:
    """The "embedding" object of run.json; `weights` adds what the registry knows of the backbone."""
    return {
        "backbone": encoder.backbone,
        **weights,
        "input_size": encoder.preprocessing.size,
        "reading": reading.describe() | {"size_features": encoder.sizes},
        "pooling": "mean and standard deviation",
        "views": encoder.views,
        "n_features": encoder.n_features,
        "model_sha256": encoder.model_sha256,
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


def reasons_beyond(info: Iterable[Decoded], intensity: Intensity) -> list[str]:
    """Why each image must not be judged for lying beyond the window of its model, "" for those that may."""
    if not intensity.windows:  # nothing lies outside the range of a type
        return [item.beyond for item in info]
    return [
        item.beyond or (beyond(Facts.from_bytes(item.facts).outside, intensity) if item.facts else "") for item in info
    ]


def beyond_notes(reasons: Sequence[str]) -> list[str]:
    """What a report says of images beyond the window of the model: a sentence for each reason."""
    found = Counter(reason for reason in reasons if reason)
    return [
        f"{n:,} of {len(reasons):,} images: {reason} (more of their values lie outside the range that is read); "
        "`predict` rejects such images"
        for reason, n in sorted(found.items())
    ]


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
