"""Files in worker processes with limits: decoded for the network many at a time, or one looked at for a page."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from graticule.errors import ImageError
from graticule.images.decode import Decoded, ImageFile, decode_file
from graticule.images.preprocess import Preprocessing
from graticule.workers.pool import LIMITS, WorkerPool
from graticule.workers.process import FileLimits

Result = TypeVar("Result")
Decode = Callable[[ImageFile], Decoded]


class DecodePool:
    """Worker processes that decode chunks of files. Use as a context manager.

    Parameters
    ----------
    workers : int
        Processes, at least 1.
    preprocessing : Preprocessing
        Applied to every image.
    facts, orientation : bool
        Whether these are measured, see `decode_file`.
    limits : FileLimits
        Of one file; one that takes more is given up with an error.
    """

    def __init__(
        self,
        workers: int,
        preprocessing: Preprocessing,
        *,
        facts: bool = True,
        orientation: bool = False,
        limits: FileLimits = LIMITS,
    ) -> None:
        self._decode = partial(decode_file, preprocessing=preprocessing, facts=facts, orientation=orientation)
        self._pool = WorkerPool(workers, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
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


@dataclass(frozen=True)
class _Lost:
    cause: str


def answer_of(pool: WorkerPool, function: Callable[[Path], Result], file: Path) -> Result:
    """Result of a function of one file, computed in a worker of a pool.

    Raises
    ------
    ImageError
        When the file cannot be read, or ended its worker.
    """
    lossy: Callable[[Path], Result | _Lost] = function
    (found,) = pool.submit(lossy, [file], _Lost).result()
    if isinstance(found, _Lost):
        raise ImageError(str(file), found.cause)
    return found


def decoder(pool: WorkerPool, preprocessing: Preprocessing, *, facts: bool = True) -> Decode:
    """A function that decodes one file in a worker of a pool that does other things, too."""
    return partial(_decoded, pool, partial(decode_file, preprocessing=preprocessing, facts=facts))


def _decoded(pool: WorkerPool, decode: Decode, file: ImageFile) -> Decoded:
    return pool.submit(decode, [file], undecoded).result()[0]
