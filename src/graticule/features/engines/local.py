"""The engine of one machine: worker processes decode while the network runs in threads of this process.

    files ──chunks──> cache? ──> decode (processes) ──> network (threads) ──> rows, in the order of the files

At most a few chunks are under way at a time, so memory does not grow with the number of files.
"""

import itertools
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from graticule.features.cache import FeatureCache
from graticule.features.cached_rows import CachedRows
from graticule.features.rows import FileRow, rows_of
from graticule.images.decode import Decoded, ImageFile
from graticule.images.pool import DecodePool
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network
from graticule.workers.pool import available_cores

_AHEAD = 3  # chunks under way per core


def rows(
    files: Iterable[ImageFile],
    encoder: Encoder,
    *,
    workers: int | None = None,
    batch_size: int | None = None,
    cache: FeatureCache | None = None,
) -> Generator[FileRow, None, None]:
    """Embed files one after another, see `graticule.features.rows.Engine`; `workers` processes, and as many threads."""
    cores = max(1, workers or available_cores())
    known = CachedRows(cache, encoder)
    under_way: deque[tuple[list[FileRow | None], Future[list[FileRow]] | None]] = deque()
    decoding = DecodePool(cores, encoder.preprocessing, facts=cache is not None, orientation=encoder.orientation)
    with decoding as pool, ThreadPoolExecutor(cores) as threads:
        # made in a thread, while the workers start
        network = threads.submit(_network_of, encoder)
        try:
            for chunk in _chunks(files, batch_size or encoder.device.batch):
                found = [known.look_up(file) for file in chunk]
                missing = [file for file, row in zip(chunk, found, strict=True) if row is None]
                new = threads.submit(_embedded, pool.submit(missing), network, encoder) if missing else None
                under_way.append((found, new))
                while len(under_way) > _AHEAD * cores:
                    yield from _finished(*under_way.popleft(), known)
            while under_way:
                yield from _finished(*under_way.popleft(), known)
        finally:
            for _, future in under_way:
                if future is not None:
                    future.cancel()
            pool.close()  # a thread that waits for it goes on, so that Ctrl-C is answered at once
            known.write()


def _chunks(files: Iterable[ImageFile], size: int) -> Iterator[tuple[ImageFile, ...]]:
    iterator = iter(files)
    while chunk := tuple(itertools.islice(iterator, size)):
        yield chunk


def _network_of(encoder: Encoder) -> Network | None:
    return Network(encoder.model, encoder.output, encoder.device) if encoder.model else None


def _embedded(decoding: Future[list[Decoded]], network: Future[Network | None], encoder: Encoder) -> list[FileRow]:
    return rows_of(decoding.result(), network.result(), encoder)


def _finished(
    found: list[FileRow | None], embedding: Future[list[FileRow]] | None, known: CachedRows
) -> Iterator[FileRow]:
    """The rows of a chunk in order; new ones are kept."""
    new = iter(embedding.result() if embedding is not None else ())
    for row in found:
        if row is None:
            row = next(new)
            known.keep(row)
        yield row
