"""Files to one matrix of features, by whatever engine makes the rows."""

import time
from collections.abc import Sequence
from contextlib import closing

import numpy as np

from graticule.features.cache import FeatureCache
from graticule.features.engines import local
from graticule.features.rows import Embedding, Engine, Progress
from graticule.images.decode import Decoded, ImageFile
from graticule.networks.encoder import Encoder


def embed_files(
    files: Sequence[ImageFile],
    encoder: Encoder,
    *,
    workers: int | None = None,
    batch_size: int | None = None,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> Embedding:
    """Embed files into one matrix.

    Parameters
    ----------
    files : sequence of n ImageFile
    encoder : Encoder
    workers, batch_size, cache
        See `Engine`; without a cache nothing is learnt of the images but their features.
    progress : callable, optional
        Called with the number of files done.
    engine : Engine, optional
        Default the one of this machine.
    """
    start = time.perf_counter()
    features = np.zeros((len(files), encoder.n_features), dtype=np.float32)
    readable = np.zeros(len(files), dtype=bool)
    info: list[Decoded] = []
    cached = 0
    made = (engine or local.rows)(files, encoder, workers=workers, batch_size=batch_size, cache=cache)
    # closed at once when interrupted, so that what is finished reaches the cache before the caller closes it
    with closing(made) as rows:
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
