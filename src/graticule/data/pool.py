"""Decode image files for the network in worker processes with limits; what a file costs or breaks is its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from types import TracebackType

from graticule.data.decode import Decoded, ImageFile, decode_file
from graticule.data.preprocess import Preprocessing
from graticule.data.worker import Limits
from graticule.data.workers import LIMITS, WorkerPool


class DecodePool:
    """Worker processes that decode chunks of files. Use as a context manager.

    Parameters
    ----------
    workers : int
        Processes, at least 1.
    preprocessing : Preprocessing
        Applied to every image.
    limits : Limits
        Of one file; one that takes more is given up with an error.
    """

    def __init__(self, workers: int, preprocessing: Preprocessing, *, limits: Limits = LIMITS) -> None:
        self._decode = partial(decode_file, preprocessing=preprocessing)
        self._pool = WorkerPool(workers, limits=limits)

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, files: Sequence[ImageFile]) -> Future[list[Decoded]]:
        """Start decoding a chunk; every file gets a `Decoded`, be it with an error."""
        return self._pool.submit(self._decode, files, undecoded)

    def close(self) -> None:
        """End the workers at once; what is not finished is cancelled."""
        self._pool.close()


def undecoded(cause: str) -> Decoded:
    """What stands for a file that gave nothing."""
    return Decoded(error=cause)
