"""A bundle at work: files or pixels in, class probabilities out."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.bundle import Bundle, ReferenceInfo
from graticule.errors import BundleError
from graticule.features.cache import FeatureCache
from graticule.features.engines import local
from graticule.features.rows import Engine, FileRow
from graticule.heads.calibration import Calibration
from graticule.heads.scoring import Head, member_probabilities, unpack_heads
from graticule.images.decode import Decoded, ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.networks.backbones import GRAPHS, STATISTICS, find_embedded
from graticule.networks.device_choice import on_device
from graticule.networks.encoder import Encoder, embedded_encoder

_BLOCK = 256


@dataclass(frozen=True)
class ScoredFiles:
    """Up to a few hundred files after prediction, in order.

    Attributes
    ----------
    info : list of n Decoded
        Hashes and, for unreadable files, the error.
    features : float32 array, shape (n, d)
    members : float array, shape (H, n, K)
        Scores by each head, not calibrated; NaN for unreadable files.
    proba : float array, shape (n, K)
        Calibrated mean of the members; NaN rows for unreadable files.
    reference : float32 array, shape (n, d'), or None
        Features in the space of the bundle's reference, where they were asked for.
    """

    info: list[Decoded]
    features: NDArray[np.float32]
    members: NDArray[np.float64]
    proba: NDArray[np.float64]
    reference: NDArray[np.float32] | None = None

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Files that could be read, shape (n,)."""
        return np.array([not item.error for item in self.info], dtype=bool)


@dataclass(frozen=True)
class Predictor:
    """An encoder with heads: what a bundle holds, ready to use.

    `reference` makes the features that novelty and nearest images are found by, where these are not the encoder's own.
    """

    classes: tuple[str, ...]
    encoder: Encoder
    heads: Sequence[Head]
    calibration: Calibration
    reference: Encoder | None = None

    @classmethod
    def of(cls, bundle: Bundle, *, any_depth: bool = False) -> Self:
        """The predictor of a bundle; with `any_depth` it takes the full range of pixel kinds it was not trained on.

        Raises
        ------
        BundleError
            When the heads, the calibration or the reference of the bundle cannot be used.
        """
        info = bundle.info
        encoder = Encoder(
            backbone=info.backbone,
            model=bundle.model,
            preprocessing=_reading(info.preprocessing, any_depth),
            views=info.views,
            n_features=info.n_features,
            output=info.output,
            sizes=info.sizes,
            parts=tuple(info.parts.items()),
        )
        return cls(
            tuple(info.classes),
            encoder,
            unpack_heads(bundle.heads, n_features=info.n_features, n_classes=len(info.classes)),
            Calibration.from_json(info.calibration or {"method": "none"}, len(info.classes)),
            None if info.reference is None else _reference_encoder(info.reference, any_depth),
        )

    def on(self, asked: str, batch_size: int | None = None) -> Self:
        """The same predictor with its networks on a device, see `graticule.networks.device_choice.on_device`."""
        reference = None if self.reference is None else on_device(self.reference, asked, batch_size)
        return replace(self, encoder=on_device(self.encoder, asked, batch_size), reference=reference)

    @property
    def device_notes(self) -> list[str]:
        """What happened to the devices of its networks, each sentence once."""
        networks = [self.encoder] if self.reference is None else [self.encoder, self.reference]
        return list(dict.fromkeys(note for network in networks for note in network.device.notes))

    def stream(
        self,
        files: Iterable[ImageFile],
        *,
        workers: int | None = None,
        batch_size: int | None = None,
        cache: FeatureCache | None = None,
        with_reference: bool = False,
        engine: Engine | None = None,
    ) -> Iterator[ScoredFiles]:
        """Score files block by block, in their order, in constant memory.

        `with_reference` also gives features in the space of the reference; for a fine-tuned network that takes a second
        pass of each image through the embedded network. Rows come from `engine`, by default that of this machine.
        """
        stream = engine or local.rows
        other: Iterable[ImageFile] = ()
        if with_reference and self.reference is not None:
            files, other = itertools.tee(files)
        rows = _blocks(stream(files, self.encoder, workers=workers, batch_size=batch_size, cache=cache))
        if not with_reference:
            yield from map(self.score, rows)
        elif self.reference is None:
            for scored in map(self.score, rows):
                yield replace(scored, reference=scored.features[:, self.encoder.alike])
        else:
            seen = _blocks(stream(other, self.reference, workers=workers, batch_size=batch_size))
            for block, beside in zip(rows, seen, strict=True):
                features = _stacked(beside, self.reference.n_features)[:, self.reference.alike]
                yield replace(self.score(block), reference=features)

    def score(self, rows: Sequence[FileRow]) -> ScoredFiles:
        """Scores of files that were embedded."""
        features = _stacked(rows, self.encoder.n_features)
        readable = np.array([row.features is not None for row in rows], dtype=bool)
        members = np.full((len(self.heads), len(rows), len(self.classes)), np.nan)
        if readable.any():
            members[:, readable] = member_probabilities(self.heads, features[readable])
        proba = np.full(members.shape[1:], np.nan)
        proba[readable] = self.calibration(members[:, readable].mean(axis=0))
        return ScoredFiles([row.info for row in rows], features, members, proba)

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Calibrated class probabilities, shape (n, K), of features of shape (n, d)."""
        blocks = [
            self.calibration(member_probabilities(self.heads, features[start : start + _BLOCK]).mean(axis=0))
            for start in range(0, len(features), _BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.classes)))


def _blocks(rows: Iterable[FileRow]) -> Iterator[list[FileRow]]:
    iterator = iter(rows)
    while block := list(itertools.islice(iterator, _BLOCK)):
        yield block


def _stacked(rows: Sequence[FileRow], n_features: int) -> NDArray[np.float32]:
    """Features of each row, zeros for unreadable files."""
    features = np.zeros((len(rows), n_features), np.float32)
    for i, row in enumerate(rows):
        if row.features is not None:
            features[i] = row.features
    return features


def _reading(document: dict[str, Any], any_depth: bool) -> Preprocessing:
    preprocessing = Preprocessing.from_json(document)
    if any_depth:
        return replace(preprocessing, intensity=replace(preprocessing.intensity, kinds=None))
    return preprocessing


def _reference_encoder(described: ReferenceInfo, any_depth: bool) -> Encoder:
    """The embedded network that made the features of the reference."""
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
