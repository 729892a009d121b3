"""A bundle at work: files or pixels in, class probabilities out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from graticule.bundle import Bundle
from graticule.features.bundled import BLOCK, embedded_blocks, encoder_of_bundle, reference_of_bundle, stacked
from graticule.features.cache import FeatureCache
from graticule.features.rows import Engine, FileRow
from graticule.heads.calibration import Calibration
from graticule.heads.scoring import Head, member_probabilities, unpack_heads
from graticule.images.decode import Decoded, ImageFile
from graticule.networks.device_choice import on_device
from graticule.networks.encoder import Encoder


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
        return cls(
            tuple(info.classes),
            encoder_of_bundle(info, bundle.model, any_depth=any_depth),
            unpack_heads(bundle.heads, n_features=info.n_features, n_classes=len(info.classes)),
            Calibration.from_json(info.calibration or {"method": "none"}, len(info.classes)),
            reference_of_bundle(info, any_depth=any_depth),
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
        blocks = embedded_blocks(
            files,
            self.encoder,
            self.reference,
            with_reference=with_reference,
            workers=workers,
            batch_size=batch_size,
            cache=cache,
            engine=engine,
        )
        for block in blocks:
            yield replace(self.score(block.rows), reference=block.reference)

    def score(self, rows: Sequence[FileRow]) -> ScoredFiles:
        """Scores of files that were embedded."""
        features = stacked(rows, self.encoder.n_features)
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
            self.calibration(member_probabilities(self.heads, features[start : start + BLOCK]).mean(axis=0))
            for start in range(0, len(features), BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.classes)))
