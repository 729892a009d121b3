"""Register candidate pairs of fingerprints, the hopeless ones only as far as needed.

Scores of all pairs ──> images that some pair gives hope ──> full registration of all pairs of these images
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from graticule.arrays import IntArray
from graticule.images.fingerprint import unpack
from graticule.split.duplicates.bands import Bands, bands_of
from graticule.split.duplicates.decision import SAME
from graticule.split.duplicates.registration import RIVAL, Hypotheses, Registration, hypotheses, refined_registration
from graticule.split.duplicates.symmetry import SYMMETRIES, each_symmetric

Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNK = 512
# Score before refinement below which a pair gives no hope: refinement adds about as much as a crop takes away. Of 4,200
# altered copies in sets of five kinds the lowest two in a thousand scored 0.69 or more.
HOPE = 0.55
_NEARLY_EQUAL = 0.95  # score from which pictures are compared as they lie


def on_all_cores(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results in order; for work that NumPy does outside the interpreter's lock."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # products of small matrices gain nothing from threads of their own
    with threadpool_limits(1), ThreadPoolExecutor(cores) as threads:
        yield from threads.map(work, items)


def match(
    fingerprints: NDArray[np.uint8], pairs: IntArray, progress: Progress | None = None, *, hope: float = HOPE
) -> Registration:
    """Registration of pairs of fingerprints, of which decisions and words can be made.

    Pairs of two images that no pair gives hope keep their score in place of the similarity: nothing depends on them.
    So do the rivals of pairs that are equal as they lie.

    Parameters
    ----------
    fingerprints : uint8 array, shape (n, FINGERPRINT_SIZE)
    pairs : int64 array, shape (m, 2)
        Sorted.
    progress : callable, optional
        Called with pairs scored and pairs to score.
    hope : float
        Score below which a pair gives its images no hope; -1: all pairs are registered.
    """
    parts = [pairs[start : start + _CHUNK] for start in range(0, len(pairs), _CHUNK)]
    done, guesses, found = 0, [], []
    for part, (guess, equal) in zip(parts, on_all_cores(lambda part: _score(fingerprints, part), parts), strict=True):
        guesses.append(guess)
        found.append(equal)
        done += len(part)
        if progress is not None:
            progress(done, len(pairs))
    guess, result = Hypotheses.join(guesses), Registration.join(found)
    hopeful = np.zeros(len(fingerprints), dtype=bool)
    hopeful[pairs[(guess.score[:, 0] >= hope) & (result.similarity < 1.0 - SAME)]] = True
    rest = np.flatnonzero(hopeful[pairs].any(axis=1) & (result.similarity < 1.0 - SAME))
    chunks = [rest[start : start + _CHUNK] for start in range(0, len(rest), _CHUNK)]

    def fully(rows: NDArray[np.int64]) -> Registration:
        bands, local = _local(fingerprints, pairs[rows])
        return refined_registration(bands, local, guess.of(rows))

    for rows, registration in zip(chunks, on_all_cores(fully, chunks), strict=True):
        result.put(rows, registration)
    return result


def _local(fingerprints: NDArray[np.uint8], pairs: IntArray) -> tuple[Bands, IntArray]:
    """Bands of the pictures that occur in pairs, each made once, and the pairs as rows of them."""
    rows, local = np.unique(pairs, return_inverse=True)
    return bands_of(unpack(fingerprints[rows])[0]), local.reshape(-1, 2).astype(np.int64)


def _score(fingerprints: NDArray[np.uint8], pairs: IntArray) -> tuple[Hypotheses, Registration]:
    """Scores, and registrations that hold where pictures are equal as they lie; elsewhere the score stands in."""
    bands, local = _local(fingerprints, pairs)
    guess = hypotheses(bands, local)
    score, symmetry = guess.score, guess.symmetry[:, 0].astype(np.int64)
    similarity = np.minimum(score[:, 0], 1.0 - 2 * SAME)
    alone = (score[:, 0] >= _NEARLY_EQUAL) & (score[:, 1] <= RIVAL * score[:, 0])
    still = np.flatnonzero(alone & ~guess.shift[:, 0].any(axis=1))
    a, b = local[still].T
    # mean 0 and deviation 1 make the mean product a correlation
    value = (bands.fine[a] * each_symmetric(bands.fine[b], symmetry[still])).mean(axis=(1, 2))
    similarity[still] = np.where(value >= 1.0 - SAME, value, similarity[still])
    by_symmetry = np.full((len(pairs), SYMMETRIES), -1.0, dtype=np.float32)
    by_symmetry[np.arange(len(pairs)), symmetry] = similarity
    return guess, Registration(similarity, symmetry, np.zeros((len(pairs), 4), dtype=np.float32), by_symmetry)
