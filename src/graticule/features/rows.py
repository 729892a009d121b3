"""What embedding makes of files: a row each, the matrix of them, and the seam that every engine fills."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graticule.features.cache import FeatureCache
from graticule.images.decode import Decoded, ImageFile
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network

Progress = Callable[[int], None]


@dataclass(frozen=True)
class FileRow:
    """One file after embedding.

    Attributes
    ----------
    features : float32 array, shape (n_features,), or None
        None when the file is unreadable; `info.error` then says why.
    info : Decoded
        Hashes, size, mode and facts; its pixels are dropped.
    cached : bool
        Whether the features came from the cache, without decoding.
    """

    features: NDArray[np.float32] | None
    info: Decoded
    cached: bool


@dataclass(frozen=True)
class Embedding:
    """Features of n files.

    Attributes
    ----------
    features : float32 array, shape (n, n_features)
        Zero rows for unreadable files.
    info : list of n Decoded
    readable : bool array, shape (n,)
    decoded, cached : int
        Files that were decoded, and files whose features were taken from the cache.
    seconds : float
        Wall time.
    """

    features: NDArray[np.float32]
    info: list[Decoded]
    readable: NDArray[np.bool_]
    decoded: int
    cached: int
    seconds: float


class Engine(Protocol):
    """From files to rows: how and on which machines is the engine's own affair, the rows are the same bit for bit."""

    def __call__(
        self,
        files: Iterable[ImageFile],
        encoder: Encoder,
        *,
        workers: int | None = None,
        batch_size: int | None = None,
        cache: FeatureCache | None = None,
    ) -> Generator[FileRow, None, None]:
        """Embed files one after another, in memory that does not grow with their number.

        Parameters
        ----------
        files : iterable of ImageFile
            Taken as they are needed.
        encoder : Encoder
        workers : int, optional
            Files that are worked at together, default the cores available.
        batch_size : int, optional
            Files per chunk; results do not depend on it. By default as the encoder's device likes it.
        cache : FeatureCache, optional
            Looked up first and filled with what is new. Only with one are facts measured, which it keeps.

        Yields
        ------
        FileRow
            One per file, in the order of the files. Closed before its end, it leaves nothing at work, and what was
            yielded is in the cache.
        """


def rows_of(decoded: Sequence[Decoded], network: Network | None, encoder: Encoder) -> list[FileRow]:
    """Rows of decoded files, whose pixels go through the network together, where the encoder has one."""
    pixels = [item.pixels for item in decoded if item.pixels is not None]
    features: Iterator[NDArray[np.float32]] = iter(np.zeros((len(pixels), 0), np.float32))
    if network is not None and pixels:
        features = iter(network.averaged(np.stack(pixels), encoder.views))
    return [
        FileRow(
            None if item.pixels is None else with_size(_with_orientation(next(features), item), item, encoder),
            replace(item, pixels=None, orientation=None),
            cached=False,
        )
        for item in decoded
    ]


def _with_orientation(features: NDArray[np.float32], info: Decoded) -> NDArray[np.float32]:
    """The network's features and, where they were measured, orientation statistics behind them."""
    return features if info.orientation is None else np.concatenate([features, info.orientation])


def with_size(features: NDArray[np.float32], info: Decoded, encoder: Encoder) -> NDArray[np.float32]:
    """Features and, where the encoder asks for them, the logarithms of width and height behind them."""
    if not encoder.sizes:
        return features
    return np.concatenate([features, np.log2(np.array([info.width, info.height], np.float32))])
