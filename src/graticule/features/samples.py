"""Steps that several verbs share: samples with their features, and what run.json says of them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import numbered, object_array
from graticule.errors import ManifestError
from graticule.features.cache import FeatureCache
from graticule.features.embed import embed_files
from graticule.features.rows import Embedding
from graticule.images.beyond import beyond
from graticule.images.decode import Decoded, ImageFile
from graticule.images.facts import Facts
from graticule.images.intensity import Intensity
from graticule.manifest import Manifest, escape_path
from graticule.networks.encoder import Encoder
from graticule.progress import Reporter
from graticule.runs import cache_folder

_MAX_SIZES = 20
_MAX_NOTES = 10


@dataclass(frozen=True)
class Samples:
    """Readable samples with their features, in the order of their paths.

    Attributes
    ----------
    manifest : Manifest
        n readable samples; its column `sha256` is the hash of each file's bytes, as they were read.
    features : float32 array, shape (n, d)
    whole, alike : slice
        The features that copies are found by, and those that images are compared by, see `Encoder`.
    info : list of n Decoded
    failures : list of (path, error)
        Samples that could not be read; they are in none of the above.
    decoded, cached : int
    seconds : float
    """

    manifest: Manifest
    features: NDArray[np.float32]
    whole: slice
    alike: slice
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
    def whole_features(self) -> NDArray[np.float32]:
        """The features that copies are found by, shape (n, d')."""
        return self.features[:, self.whole]

    @property
    def alike_features(self) -> NDArray[np.float32]:
        """The features that images are compared by, shape (n, d')."""
        return self.features[:, self.alike]

    @property
    def by_centre(self) -> bool:
        """Whether images are compared by what lies around their centre, rather than by all of the picture."""
        # whatever the network's features consist of, those of the whole lead
        return bool(self.alike.start != self.whole.start)

    @property
    def duplicates(self) -> NDArray[np.int64]:
        """Component of each sample by its decoded pixels: equal numbers are exact duplicates."""
        names = np.array([item.pixel_sha256 for item in self.info])
        return numbered(names)


def sorted_by_path(manifest: Manifest) -> Manifest:
    """The manifest in the order of its paths, so that no result depends on the order of the input."""
    return manifest.take(np.argsort(np.array([escape_path(p) for p in manifest.path]), kind="stable"))


def embed_samples(
    manifest: Manifest, encoder: Encoder, *, workers: int | None, batch_size: int | None, reporter: Reporter
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
        warnings = [*([cache.fault] if cache.fault else []), *encoder.device.notes]
    failures = [
        (escape_path(path), item.error)
        for path, item, fine in zip(manifest.path, result.info, result.readable, strict=True)
        if not fine
    ]
    if len(manifest) and not result.readable.any():
        path, error = failures[0]
        raise ManifestError(f"none of the {len(manifest)} images can be read; the first: {path}: {error}")
    return _readable(manifest, result, encoder, failures, warnings)


def reference_features(
    samples: Samples, reference: Encoder | None, *, workers: int | None, batch_size: int | None, reporter: Reporter
) -> NDArray[np.float32]:
    """Features in the space of the bundle's reference, shape (n, d').

    They are the encoder's own where the bundle embeds; a fine-tuned bundle takes a second pass. A file that cannot be
    read any more has NaN features.
    """
    if reference is None:
        return samples.alike_features
    seen = embed_samples(samples.manifest, reference, workers=workers, batch_size=batch_size, reporter=reporter)
    out = np.full((len(samples.manifest), seen.alike_features.shape[1]), np.nan, np.float32)
    place = {name: row for row, name in enumerate(samples.manifest.sample_id)}
    out[[place[name] for name in seen.manifest.sample_id]] = seen.alike_features
    return out


def image_files(manifest: Manifest) -> list[ImageFile]:
    """The files of a manifest with the pixel sizes that its table gives."""
    sizes = manifest.columns.get("pixel_size_nm")
    if sizes is None:
        return [ImageFile(file) for file in manifest.files()]
    return [ImageFile(file, float(size) if size else None) for file, size in zip(manifest.files(), sizes, strict=True)]


def _readable(
    manifest: Manifest, result: Embedding, encoder: Encoder, failures: list[tuple[str, str]], warnings: list[str]
) -> Samples:
    fine = result.readable
    everything = bool(fine.all())
    info = [item for item, keep in zip(result.info, fine, strict=True) if keep]
    read = manifest if everything else manifest.take(fine)
    hashes = object_array([item.sha256 for item in info])
    return Samples(
        manifest=replace(read, columns=read.columns | {"sha256": hashes}),
        features=result.features if everything else result.features[fine],
        whole=encoder.whole,
        alike=encoder.alike,
        info=info,
        failures=failures,
        decoded=result.decoded,
        cached=result.cached,
        seconds=result.seconds,
        warnings=warnings,
    )


def data_hash(samples: Samples) -> str:
    """Hash over the path, label (or number) and file hash of every sample."""
    h = hashlib.sha256()
    for path, answer, item in zip(samples.manifest.path, samples.manifest.answers, samples.info, strict=True):
        h.update(f"{escape_path(path)}\0{answer}\0{item.sha256}\n".encode())
    return h.hexdigest()


def reasons_beyond(info: Iterable[Decoded], intensity: Intensity) -> list[str]:
    """Why each image must not be judged for lying beyond the window of its model, "" for those that may."""
    if not intensity.windows:  # nothing lies outside the range of a type
        return [item.beyond for item in info]
    return [item.beyond or beyond(item.outside, intensity) for item in info]


def beyond_notes(reasons: Sequence[str]) -> list[str]:
    """What a report says of images beyond the window of the model: a sentence for each reason."""
    found = Counter(reason for reason in reasons if reason)
    return [
        f"{n:,} of {len(reasons):,} images: {reason} (more of their values lie outside the range that is read); "
        "`predict` rejects such images"
        for reason, n in sorted(found.items())
    ]
