"""Files to features, streaming: worker processes decode while the network runs in threads of this process.

    files ──chunks──> cache? ──> decode (processes) ──> network (threads) ──> rows, in the order of the files

At most a few chunks are under way at a time, so memory does not grow with the number of files.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.features.cache import CachedFeatures, FeatureCache
from graticule.images.decode import Decoded, ImageFile, content_hash
from graticule.images.facts import Facts
from graticule.images.image import read_file
from graticule.images.pool import DecodePool
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network
from graticule.workers.pool import available_cores

Progress = Callable[[int], None]
_COMMIT_EVERY = 256
_PIXEL_HASH = re.compile("[0-9a-f]{64}")


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


def stream_rows(
    files: Iterable[ImageFile],
    encoder: Encoder,
    *,
    workers: int | None = None,
    batch_size: int = 8,
    cache: FeatureCache | None = None,
) -> Generator[FileRow, None, None]:
    """Embed files one after another, in their order, in memory that does not grow with their number.

    Parameters
    ----------
    files : iterable of ImageFile
    encoder : Encoder
    workers : int, optional
        Decoding processes and network threads, default the cores available.
    batch_size : int
        Files per chunk; results do not depend on it.
    cache : FeatureCache, optional
        Looked up first and filled with what is new.

    Yields
    ------
    FileRow
        One per file.
    """
    cores = max(1, workers or available_cores())
    known = None if cache is None or cache.empty else cache
    pending: deque[tuple[list[FileRow | None], Future[list[FileRow]] | None]] = deque()
    unsaved: list[tuple[str, CachedFeatures]] = []
    with DecodePool(cores, encoder.preprocessing) as pool, ThreadPoolExecutor(cores) as threads:
        # made in a thread, while the workers start
        network = threads.submit(Network, encoder.model, encoder.output)
        try:
            for chunk in _chunks(files, batch_size):
                rows = [_look_up(file, known, encoder) for file in chunk]
                missing = [file for file, row in zip(chunk, rows, strict=True) if row is None]
                embedding = None
                if missing:
                    embedding = threads.submit(_embed_chunk, pool.submit(missing), network, encoder)
                pending.append((rows, embedding))
                while len(pending) > 3 * cores:
                    yield from _sized(_finish(*pending.popleft(), cache, unsaved), encoder)
            while pending:
                yield from _sized(_finish(*pending.popleft(), cache, unsaved), encoder)
        finally:
            for _, future in pending:
                if future is not None:
                    future.cancel()
            pool.close()  # a thread that waits for it goes on, so that Ctrl-C is answered at once
            if cache is not None:
                cache.put(unsaved)


def _sized(rows: Iterable[FileRow], encoder: Encoder) -> Iterator[FileRow]:
    """Rows with the logarithms of width and height behind the network's features, where the encoder asks for them."""
    for row in rows:
        if encoder.sizes and row.features is not None:
            size = np.log2(np.array([row.info.width, row.info.height], np.float32))
            yield replace(row, features=np.concatenate([row.features, size]))
        else:
            yield row


def _chunks(files: Iterable[ImageFile], size: int) -> Iterator[tuple[ImageFile, ...]]:
    iterator = iter(files)
    while chunk := tuple(itertools.islice(iterator, size)):
        yield chunk


def _look_up(file: ImageFile, cache: FeatureCache | None, encoder: Encoder) -> FileRow | None:
    if cache is None:
        return None
    try:
        data = read_file(file.path)
        key = content_hash(data, file, encoder.preprocessing)
        entry = cache.get(key)
    except (ImageError, OSError):
        return None
    if entry is None or not encoder.accepts(entry.mode) or not _plausible(entry, encoder):
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    info = Decoded(sha256, entry.pixel_sha256, entry.width, entry.height, entry.mode, facts=entry.facts, key=key)
    return FileRow(entry.features, info, cached=True)


def _plausible(entry: CachedFeatures, encoder: Encoder) -> bool:
    """Whether a row of the cache could be ours: its digest proves only that it is whole, not who wrote it."""
    length = encoder.n_features - 2 * encoder.sizes
    if entry.features.shape != (length,) or not np.isfinite(entry.features).all():
        return False
    if not _PIXEL_HASH.fullmatch(entry.pixel_sha256) or min(entry.width, entry.height) < 1:
        return False
    try:
        Facts.from_bytes(entry.facts)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
    return True


def _embed_chunk(decoding: Future[list[Decoded]], network: Future[Network], encoder: Encoder) -> list[FileRow]:
    decoded = decoding.result()
    pixels = [item.pixels for item in decoded if item.pixels is not None]
    features = iter(network.result().averaged(np.stack(pixels), encoder.views) if pixels else ())
    return [
        FileRow(None if item.pixels is None else next(features), replace(item, pixels=None), cached=False)
        for item in decoded
    ]


def _finish(
    rows: list[FileRow | None],
    embedding: Future[list[FileRow]] | None,
    cache: FeatureCache | None,
    unsaved: list[tuple[str, CachedFeatures]],
) -> Iterator[FileRow]:
    """The rows of a chunk in order; new ones are remembered and now and then written to the cache."""
    new = iter(embedding.result() if embedding is not None else ())
    for row in rows:
        if row is not None:
            yield row
            continue
        fresh = next(new)
        if cache is not None and fresh.features is not None:
            info = fresh.info
            entry = CachedFeatures(fresh.features, info.pixel_sha256, info.width, info.height, info.mode, info.facts)
            unsaved.append((info.key, entry))
        yield fresh
    if cache is not None and len(unsaved) >= _COMMIT_EVERY:
        cache.put(unsaved)
        unsaved.clear()


def embed_files(
    files: Sequence[ImageFile],
    encoder: Encoder,
    *,
    workers: int | None = None,
    batch_size: int = 8,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Embedding:
    """Embed files into one matrix.

    Parameters
    ----------
    files : sequence of n ImageFile
    encoder : Encoder
    workers, batch_size, cache
        See `stream_rows`.
    progress : callable, optional
        Called with the number of files done.

    Returns
    -------
    Embedding
    """
    start = time.perf_counter()
    features = np.zeros((len(files), encoder.n_features), dtype=np.float32)
    readable = np.zeros(len(files), dtype=bool)
    info: list[Decoded] = []
    cached = 0
    # closed at once when interrupted, so that what is finished reaches the cache before the caller closes it
    with closing(stream_rows(files, encoder, workers=workers, batch_size=batch_size, cache=cache)) as rows:
        for i, row in enumerate(rows):
            if row.features is not None:
                features[i] = row.features
                readable[i] = True
            cached += row.cached
            info.append(row.info)
            if progress is not None:
                progress(i + 1)
    seconds = time.perf_counter() - start
    return Embedding(features, info, readable, len(files) - cached, cached, seconds)
