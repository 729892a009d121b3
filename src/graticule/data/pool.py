"""Decode image files in worker processes, in order, with bounded memory and time.

A decoder that crashes takes its worker with it, and one that hangs is ended with its worker: the files that the worker
held are tried again one by one in a process of their own, so the guilty one is named and the others are kept. A file
that hung is not tried again: the worker left word of it, so it costs its time once.
"""

from __future__ import annotations

import contextlib
import faulthandler
import itertools
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from graticule.data.decode import Decoded, ImageFile, decode_file
from graticule.data.preprocess import Preprocessing
from graticule.errors import OptionError

SECONDS_PER_FILE = 30.0
MEMORY_PER_WORKER = 4 * 2**30
_BEGUN = b"."


def _decode_chunk(files: list[ImageFile], preprocessing: Preprocessing, seconds: float, diary: Path) -> list[Decoded]:
    """Decode files; the diary gets a mark for each one begun, and the watchdog's words when the time of one is up."""
    decoded = []
    with _opened(diary) as stream:
        for file in files:
            with contextlib.suppress(OSError):  # a full disk
                stream.write(_BEGUN)
            # the watchdog is a thread in C: it ends the process even while a decoder holds the interpreter
            faulthandler.dump_traceback_later(seconds, exit=True, file=stream)
            try:
                decoded.append(decode_file(file, preprocessing))
            finally:
                faulthandler.cancel_dump_traceback_later()
    return decoded


def _opened(diary: Path) -> BinaryIO:
    """The diary, unbuffered; without it a file that hangs is tried a second time, and nothing else is lost."""
    try:
        return diary.open("wb", buffering=0)
    except OSError:
        return Path(os.devnull).open("wb", buffering=0)


def _file_that_hung(diary: Path) -> int | None:
    """Which file of a chunk, from 0, took too long; None when none did."""
    try:
        words = diary.read_bytes()
    except OSError:
        return None
    begun = len(words) - len(words.lstrip(_BEGUN))
    return begun - 1 if 0 < begun < len(words) else None


def _begin_worker(folder: str) -> None:
    """Ctrl-C is the parent's to handle; when the parent is killed the worker ends and removes the pool's folder."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
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


def _end_with_parent(folder: str) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
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
        self._folder = tempfile.TemporaryDirectory(prefix="graticule-", ignore_cleanup_errors=True)
        self._numbers = itertools.count()
        self._diaries: dict[Future[list[Decoded]], Path] = {}
        self._pool = self._start(workers)

    def _start(self, workers: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin_worker, initargs=(self._folder.name,)
        )

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)
        self._folder.cleanup()

    def submit(self, files: Sequence[ImageFile]) -> Future[list[Decoded]]:
        """Start decoding a chunk."""
        try:
            future, diary = self._send(self._pool, files)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._start(self._workers)
            future, diary = self._send(self._pool, files)
        self._diaries[future] = diary
        return future

    def result(self, future: Future[list[Decoded]], files: Sequence[ImageFile]) -> list[Decoded]:
        """Wait for a chunk, once; when its worker died or was ended, find out which file is to blame."""
        diary = self._diaries.pop(future)
        try:
            decoded = future.result()
        except BrokenProcessPool:
            return self._one_by_one(files, _file_that_hung(diary))
        diary.unlink(missing_ok=True)
        return decoded

    def _send(self, pool: ProcessPoolExecutor, files: Sequence[ImageFile]) -> tuple[Future[list[Decoded]], Path]:
        """A chunk on its way, and the diary its worker keeps."""
        diary = Path(self._folder.name, str(next(self._numbers)))
        future = pool.submit(_decode_chunk, list(files), self.preprocessing, self.seconds_per_file, diary)
        return future, diary

    def _one_by_one(self, files: Sequence[ImageFile], hung: int | None) -> list[Decoded]:
        """Each file in a worker that holds no other, but for the one that hung already."""
        late = Decoded(error=f"took longer than {self.seconds_per_file:g} s to decode")
        pool = self._started() if hung is None else None
        decoded: list[Decoded] = []
        try:
            for number, file in enumerate(files):
                if number == hung:
                    decoded.append(late)
                    continue
                pool = pool or self._started()
                future, diary = self._send(pool, [file])
                try:
                    decoded += future.result()
                except BrokenProcessPool:
                    crashed = _file_that_hung(diary) is None
                    decoded.append(Decoded(error="the decoder crashed on this file") if crashed else late)
                    pool.shutdown(wait=False)
                    pool = None
        finally:
            if pool is not None:
                pool.shutdown(wait=False)
        return decoded

    def _started(self) -> ProcessPoolExecutor:
        """One worker that is known to run, so that what breaks it later is a file."""
        pool = self._start(1)
        try:
            self._send(pool, [])[0].result()
        except BrokenProcessPool as error:
            pool.shutdown(wait=False)
            raise OptionError(
                'worker processes cannot start. In a script, put the calls below `if __name__ == "__main__":`; a '
                "script on standard input cannot use them"
            ) from error
        return pool
