"""Decode image files in worker processes, in order, with bounded memory and time.

A decoder that crashes takes its worker with it, and one that hangs is ended with its worker: the files that the worker
held are tried again one by one in a process of their own, so the guilty one is named and the others are kept.
"""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import TextIO

from graticule.data.decode import Decoded, ImageFile, decode_file
from graticule.data.preprocess import Preprocessing
from graticule.errors import OptionError

SECONDS_PER_FILE = 30.0
MEMORY_PER_WORKER = 4 * 2**30
_silent: TextIO | None = None


def _decode_chunk(files: list[ImageFile], preprocessing: Preprocessing, seconds: float) -> list[Decoded]:
    decoded = []
    for file in files:
        # the watchdog is a thread in C: it ends the process even while a decoder holds the interpreter
        if _silent is not None:
            faulthandler.dump_traceback_later(seconds, exit=True, file=_silent)
        decoded.append(decode_file(file, preprocessing))
        faulthandler.cancel_dump_traceback_later()
    return decoded


def _begin_worker() -> None:
    """Ctrl-C is the parent's to handle; when the parent is killed the worker ends too."""
    global _silent
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _silent = Path(os.devnull).open("w")  # noqa: SIM115 (open as long as the process)
    _limit_memory()
    # what a library finds wrong with a file is told once, by the error of that file
    for library in ("tifffile", "pydicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def _limit_memory() -> None:
    """Refuse a decoder more memory than any allowed picture needs (Linux counts data there, other systems do not)."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        allowed = MEMORY_PER_WORKER if hard == resource.RLIM_INFINITY else min(MEMORY_PER_WORKER, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))


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
    seconds_per_file : float
        A file that takes longer is given up, > 0.
    """

    def __init__(
        self, workers: int, preprocessing: Preprocessing, *, seconds_per_file: float = SECONDS_PER_FILE
    ) -> None:
        self.preprocessing = preprocessing
        self.seconds_per_file = seconds_per_file
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

    def submit(self, files: Sequence[ImageFile]) -> Future[list[Decoded]]:
        """Start decoding a chunk."""
        try:
            return self._send(self._pool, files)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._start(self._workers)
            return self._send(self._pool, files)

    def result(self, future: Future[list[Decoded]], files: Sequence[ImageFile]) -> list[Decoded]:
        """Wait for a chunk; when its worker died or was ended, find out which file is to blame."""
        try:
            return future.result()
        except BrokenProcessPool:
            return self._one_by_one(files)

    def _send(self, pool: ProcessPoolExecutor, files: Sequence[ImageFile]) -> Future[list[Decoded]]:
        return pool.submit(_decode_chunk, list(files), self.preprocessing, self.seconds_per_file)

    def _one_by_one(self, files: Sequence[ImageFile]) -> list[Decoded]:
        pool = self._started()
        decoded: list[Decoded] = []
        try:
            for file in files:
                start = time.monotonic()
                try:
                    decoded += self._send(pool, [file]).result()
                except BrokenProcessPool:
                    late = time.monotonic() - start >= self.seconds_per_file
                    cause = f"took longer than {self.seconds_per_file:g} s to decode" if late else ""
                    decoded.append(Decoded(error=cause or "the decoder crashed on this file"))
                    pool.shutdown(wait=False)
                    pool = self._started()
        finally:
            pool.shutdown(wait=False)
        return decoded

    def _started(self) -> ProcessPoolExecutor:
        """One worker that is known to run, so that what breaks it later is a file."""
        pool = self._start(1)
        try:
            self._send(pool, []).result()
        except BrokenProcessPool as error:
            pool.shutdown(wait=False)
            raise OptionError(
                'worker processes cannot start. In a script, put the calls below `if __name__ == "__main__":`; a '
                "script on standard input cannot use them"
            ) from error
        return pool
