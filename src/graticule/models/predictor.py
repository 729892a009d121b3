"""A bundle at work: files or pixels in, class probabilities out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graticule.bundle import Bundle
from graticule.data.decode import Decoded, ImageFile
from graticule.data.preprocess import Preprocessing
from graticule.models.cache import FeatureCache
from graticule.models.embed import Row, stream_rows
from graticule.models.encoder import Encoder
from graticule.models.scoring import Head, probabilities, unpack_heads

_BLOCK = 256


@dataclass(frozen=True)
class Scored:
    """Up to a few hundred files after prediction, in order.

    Attributes
    ----------
    info : list of n Decoded
        Hashes and, for unreadable files, the error.
    features : float32 array, shape (n, d)
    proba : float array, shape (n, K)
        NaN rows for unreadable files.
    """

    info: list[Decoded]
    features: NDArray[np.float32]
    proba: NDArray[np.float64]


@dataclass(frozen=True)
class Predictor:
    """An encoder with heads: what a bundle holds, ready to use."""

    classes: tuple[str, ...]
    encoder: Encoder
    heads: Sequence[Head]

    @classmethod
    def of(cls, bundle: Bundle, *, any_depth: bool = False) -> Predictor:
        """The predictor of a bundle; with `any_depth` it takes the full range of pixel kinds it was not trained on."""
        info = bundle.info
        preprocessing = Preprocessing.from_json(info.preprocessing)
        if any_depth:
            preprocessing = replace(preprocessing, intensity=replace(preprocessing.intensity, kinds=None))
        encoder = Encoder(
            backbone=info.backbone,
            model=bundle.model,
            preprocessing=preprocessing,
            views=info.views,
            n_features=info.n_features,
            output=info.output,
            sizes=info.sizes,
        )
        return cls(tuple(info.classes), encoder, unpack_heads(bundle.heads))

    def stream(
        self,
        files: Iterable[ImageFile],
        *,
        workers: int | None = None,
        batch_size: int = 8,
        cache: FeatureCache | None = None,
    ) -> Iterator[Scored]:
        """Score files block by block, in their order, in constant memory."""
        block: list[Row] = []
        for row in stream_rows(files, self.encoder, workers=workers, batch_size=batch_size, cache=cache):
            block.append(row)
            if len(block) == _BLOCK:
                yield self._score(block)
                block = []
        if block:
            yield self._score(block)

    def _score(self, rows: list[Row]) -> Scored:
        features = np.zeros((len(rows), self.encoder.n_features), np.float32)
        readable = np.array([row.features is not None for row in rows])
        for i, row in enumerate(rows):
            if row.features is not None:
                features[i] = row.features
        proba = np.full((len(rows), len(self.classes)), np.nan)
        if readable.any():
            proba[readable] = probabilities(self.heads, features[readable])
        return Scored([row.info for row in rows], features, proba)
