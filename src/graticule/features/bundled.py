"""A bundle's networks at work, whatever its model answers with: files to features, block by block."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.bundle_info import NetworkInfo, ReferenceInfo
from graticule.errors import BundleError
from graticule.features.cache import FeatureCache
from graticule.features.engines import local
from graticule.features.rows import Engine, FileRow
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.networks.backbones import GRAPHS, STATISTICS, find_embedded
from graticule.networks.encoder import Encoder, embedded_encoder

BLOCK = 256


@dataclass(frozen=True)
class FileBlock:
    """Up to a few hundred files after embedding, in order.

    Attributes
    ----------
    rows : list of n FileRow
    reference : float32 array, shape (n, d'), or None
        Features in the space of the bundle's reference, where they were asked for; zeros for unreadable files.
    """

    rows: list[FileRow]
    reference: NDArray[np.float32] | None = None


def encoder_of_bundle(info: NetworkInfo, model: bytes, *, any_depth: bool = False) -> Encoder:
    """The encoder of a bundle; with `any_depth` it takes the full range of pixel kinds it was not trained on."""
    return Encoder(
        backbone=info.backbone,
        model=model,
        preprocessing=_reading(info.preprocessing, any_depth),
        views=info.views,
        n_features=info.n_features,
        output=info.output,
        sizes=info.sizes,
        parts=tuple(info.parts.items()),
    )


def reference_of_bundle(info: NetworkInfo, *, any_depth: bool = False) -> Encoder | None:
    """The embedded network that made the features of the reference; None where they are the model's own.

    Raises
    ------
    BundleError
        When it is not embedded here, or another one.
    """
    described = info.reference
    return None if described is None else _reference_encoder(described, any_depth)


def embedded_blocks(
    files: Iterable[ImageFile],
    encoder: Encoder,
    reference: Encoder | None,
    *,
    with_reference: bool,
    workers: int | None = None,
    batch_size: int | None = None,
    cache: FeatureCache | None = None,
    engine: Engine | None = None,
) -> Iterator[FileBlock]:
    """Embed files block by block, in their order, in constant memory.

    `with_reference` also gives features in the space of the reference; with a network of its own (`reference`) that
    takes a second pass of each image. Rows come from `engine`, by default that of this machine.
    """
    stream = engine or local.rows
    other: Iterable[ImageFile] = ()
    if with_reference and reference is not None:
        files, other = itertools.tee(files)
    rows = _blocks(stream(files, encoder, workers=workers, batch_size=batch_size, cache=cache))
    if not with_reference:
        yield from map(FileBlock, rows)
    elif reference is None:
        for block in rows:
            yield FileBlock(block, stacked(block, encoder.n_features)[:, encoder.alike])
    else:
        seen = _blocks(stream(other, reference, workers=workers, batch_size=batch_size))
        for block, beside in zip(rows, seen, strict=True):
            yield FileBlock(block, stacked(beside, reference.n_features)[:, reference.alike])


def stacked(rows: Sequence[FileRow], n_features: int) -> NDArray[np.float32]:
    """Features of each row, zeros for unreadable files."""
    features = np.zeros((len(rows), n_features), np.float32)
    for i, row in enumerate(rows):
        if row.features is not None:
            features[i] = row.features
    return features


def _blocks(rows: Iterable[FileRow]) -> Iterator[list[FileRow]]:
    iterator = iter(rows)
    while block := list(itertools.islice(iterator, BLOCK)):
        yield block


def _reading(document: dict[str, Any], any_depth: bool) -> Preprocessing:
    preprocessing = Preprocessing.from_json(document)
    if any_depth:
        return replace(preprocessing, intensity=replace(preprocessing.intensity, kinds=None))
    return preprocessing


def _reference_encoder(described: ReferenceInfo, any_depth: bool) -> Encoder:
    spec = find_embedded(described.backbone)
    if spec is None:
        raise BundleError(f"the reference of the bundle was made with {described.backbone}, which is not embedded here")
    output = next((key[1] for key, value in GRAPHS.items() if value == described.model_sha256), STATISTICS)
    encoder = embedded_encoder(spec, views=described.views, output=output)
    if encoder.model_sha256 != described.model_sha256:
        raise BundleError(
            f"the reference of the bundle was made with another {spec.name} than this version has; train again, or use "
            "the version that the bundle names"
        )
    return encoder.reading(_reading(described.preprocessing, any_depth), sizes=described.sizes)
