"""A bundle at work: files or features in, numbers out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.bundle import ValueBundle
from graticule.bundle_info import ValueBundleInfo
from graticule.features.bundled import embedded_blocks, encoder_of_bundle, reference_of_bundle, stacked
from graticule.features.rows import FileRow
from graticule.images.decode import Decoded, ImageFile
from graticule.networks.device_choice import on_device
from graticule.networks.encoder import Encoder
from graticule.regress.packing import unpack_values
from graticule.regress.scoring import ValueMember, member_values
from graticule.regress.target import Target


@dataclass(frozen=True)
class ValuedFiles:
    """Up to a few hundred files after prediction, in order.

    Attributes
    ----------
    info : list of n Decoded
        Hashes and, for unreadable files, the error.
    features : float32 array, shape (n, d)
    members : float array, shape (H, n)
        What each fold says, on the scale that is learnt; NaN for unreadable files.
    reference : float32 array, shape (n, d'), or None
        Features in the space of the bundle's reference.
    """

    info: list[Decoded]
    features: NDArray[np.float32]
    members: FloatArray
    reference: NDArray[np.float32] | None = None

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Files that could be read, shape (n,)."""
        return np.array([not item.error for item in self.info], dtype=bool)

    @property
    def learnt(self) -> FloatArray:
        """The model's answer on the scale that is learnt, shape (n,)."""
        return np.asarray(self.members.mean(axis=0), dtype=np.float64)


@dataclass(frozen=True)
class ValuePredictor:
    """An encoder with regressions: what a bundle holds, ready to use.

    `reference` makes the features that novelty and nearest images are found by, where these are not the encoder's own.
    """

    target: Target
    encoder: Encoder
    members: Sequence[ValueMember]
    reference: Encoder | None = None

    @classmethod
    def of(cls, bundle: ValueBundle, *, any_depth: bool = False) -> Self:
        """The predictor of a bundle; with `any_depth` it takes the full range of pixel kinds it was not trained on.

        Raises
        ------
        BundleError
            When the regressions or the reference of the bundle cannot be used.
        """
        info = bundle.info
        return cls(
            cls.target_of(info),
            encoder_of_bundle(info, bundle.model, any_depth=any_depth),
            unpack_values(bundle.heads, info.n_features),
            reference_of_bundle(info, any_depth=any_depth),
        )

    @staticmethod
    def target_of(info: ValueBundleInfo) -> Target:
        """The target of a bundle."""
        least, most = info.bounds
        return Target(info.target, info.unit, info.scale, least, most, info.per_pixel_size)

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
        self, files: Iterable[ImageFile], *, workers: int | None = None, batch_size: int | None = None
    ) -> Iterator[ValuedFiles]:
        """Numbers of files block by block, in their order, in constant memory, with features of the reference."""
        blocks = embedded_blocks(
            files, self.encoder, self.reference, with_reference=True, workers=workers, batch_size=batch_size
        )
        for block in blocks:
            yield replace(self.value(block.rows), reference=block.reference)

    def pixel_sizes(self, valued: ValuedFiles) -> FloatArray | None:
        """Pixel sizes (n,) of files in nm, NaN where unknown; None where they do not count."""
        if not self.target.per_pixel_size:
            return None
        return np.array([item.pixel_size_nm or np.nan for item in valued.info], dtype=np.float64)

    def value(self, rows: Sequence[FileRow]) -> ValuedFiles:
        """Numbers of files that were embedded."""
        features = stacked(rows, self.encoder.n_features)
        readable = np.array([row.features is not None for row in rows], dtype=bool)
        members = np.full((len(self.members), len(rows)), np.nan)
        if readable.any():
            members[:, readable] = member_values(self.members, features[readable])
        return ValuedFiles([row.info for row in rows], features, members)
