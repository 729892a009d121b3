"""Decode image files in worker processes, in order, with bounded memory.

A worker reads a file once, hashes the bytes it decodes, hashes the pixels, and returns the network input. A decoder
that crashes takes its worker with it: the files it held are tried again one by one in a process of their own, so the
guilty one is named and the others are kept.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from graticule.data.images import decode_image
from graticule.data.preprocess import Preprocessing, prepare
from graticule.errors import ImageError, OptionError


@dataclass(frozen=True)
class Decoded:
    """One file after decoding: either pixels or an error.

    Attributes
    ----------
    sha256, pixel_sha256 : str
        Hash of the file's bytes and of the decoded pixels; empty where there are none.
    width, height : int
        Size as stored, pixels; 0 when unreadable.
    mode : str
        Such as "grey, 8 bit".
    pixels : uint8 array, shape (size, size, 3), or None
        The network input.
    error : str
        Why the file cannot be read, or "".
    """

    sha256: str = ""
    pixel_sha256: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    pixels: NDArray[np.uint8] | None = None
    error: str = ""


def decode_file(file: Path, preprocessing: Preprocessing) -> Decoded:
    """Read, hash and prepare one file; an unreadable one gives a `Decoded` with its error."""
    sha = ""
    try:
        data = file.read_bytes()
        sha = hashlib.sha256(data).hexdigest()
        image = decode_image(data, str(file))
    except ImageError as error:
        return Decoded(sha256=sha, error=error.cause)
    except OSError as error:
        return Decoded(error=error.strerror or str(error))
    return Decoded(
        sha256=sha,
        pixel_sha256=image.digest(),
        width=image.width,
        height=image.height,
        mode=image.mode,
        pixels=prepare(image, preprocessing),
    )


def _decode_chunk(files: list[Path], preprocessing: Preprocessing) -> list[Decoded]:
    return [decode_file(file, preprocessing) for file in files]


def _begin_worker() -> None:
    """Ctrl-C is the parent's to handle; when the parent is killed the worker ends too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # what tifffile finds wrong with a file is told once, by the error of that file
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class DecodePool:
    """Worker processes that decode chunks of files. Use as a context manager.

    Parameters
    ----------
    workers : int
        Processes, at least 1.
    preprocessing : Preprocessing
        Applied to every image.
    """

    def __init__(self, workers: int, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._workers = workers
        self._pool = self._start(workers)

    @staticmethod
    def _start(workers: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def submit(self, files: Sequence[Path]) -> Future[list[Decoded]]:
        """Start decoding a chunk."""
        try:
            return self._pool.submit(_decode_chunk, list(files), self.preprocessing)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._start(self._workers)
            return self._pool.submit(_decode_chunk, list(files), self.preprocessing)

    def result(self, future: Future[list[Decoded]], files: Sequence[Path]) -> list[Decoded]:
        """Wait for a chunk; when its worker died, find out which file killed it."""
        try:
            return future.result()
        except BrokenProcessPool:
            return self._one_by_one(files)

    def _one_by_one(self, files: Sequence[Path]) -> list[Decoded]:
        pool = self._start(1)
        try:
            pool.submit(_decode_chunk, [], self.preprocessing).result()
            decoded = []
            for file in files:
                try:
                    decoded += pool.submit(_decode_chunk, [file], self.preprocessing).result()
                except BrokenProcessPool:
                    decoded.append(Decoded(error="the decoder crashed on this file"))
                    pool = self._start(1)
        except BrokenProcessPool as error:
            raise OptionError(
                'worker processes cannot start. In a script, put the calls below `if __name__ == "__main__":`; a '
                "script on standard input cannot use them"
            ) from error
        finally:
            pool.shutdown(wait=False)
        return decoded
