"""The pictures of `graticule explain` of a number: what the model says of all, which are taken, and each one traced."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray, IntArray
from graticule.bundle import ValueBundle
from graticule.explain.checks import EXAMINED
from graticule.explain.image import look, results_in_order
from graticule.explain.options import ExplainOptions
from graticule.explain.traced import Traced, TracedValue, statistics_of_parts, whole_and_rest
from graticule.explain.value_checks import ValueSubject, value_checks
from graticule.images.decode import ImageFile
from graticule.images.pool import Decode, decoder
from graticule.images.preprocess import Preprocessing
from graticule.manifest import escape_path
from graticule.networks.pooling import ORIENTATION
from graticule.progress import Reporter
from graticule.regress.predictor import ValuePredictor
from graticule.workers.pool import WorkerPool, available_cores

# images whose mean may stand for that of the training images
_FEWEST_AVERAGED = 5
Parts = Sequence[BoolArray | None]


@dataclass(frozen=True)
class Numbers:
    """What a model says of n files.

    Attributes
    ----------
    learnt : float array, shape (n,)
        On the scale that is learnt; NaN for unreadable files.
    numbers : float array, shape (n,)
        In the target's unit.
    mean, deviation : float arrays, shape (d,)
        Of the features of the readable files.
    failures : list of (path, error)
    """

    learnt: FloatArray
    numbers: FloatArray
    mean: FloatArray
    deviation: FloatArray
    failures: list[tuple[str, str]]

    @property
    def known(self) -> IntArray:
        """Places of the readable files."""
        return np.flatnonzero(np.isfinite(self.learnt))

    @property
    def spread(self) -> float:
        """Standard deviation of what is learnt; 1 where all files are told alike."""
        found = float(self.learnt[self.known].std())
        return found if found > 0 else 1.0


def predicted_numbers(
    predictor: ValuePredictor, files: Sequence[ImageFile], options: ExplainOptions, reporter: Reporter
) -> Numbers:
    """What the model says of each file, in one pass."""
    learnt, numbers = np.full(len(files), np.nan), np.full(len(files), np.nan)
    failures, done = list[tuple[str, str]](), 0
    # sums from the first image on lose no digits to a mean that is large beside the spread
    first: FloatArray | None = None
    total = square = np.zeros(predictor.encoder.n_features)
    for block in predictor.stream(files, workers=options.workers, batch_size=options.batch_size):
        rows = np.arange(done, done + len(block.info))
        learnt[rows] = block.learnt
        numbers[rows] = predictor.target.restored(block.learnt, predictor.pixel_sizes(block))
        failures += [
            (escape_path(str(file.path)), one.error)
            for file, one in zip(files[done : done + len(rows)], block.info, strict=True)
            if one.error
        ]
        readable = block.features[block.readable].astype(np.float64)
        if len(readable):
            first = readable[0] if first is None else first
            total = total + (readable - first).sum(axis=0)
            square = square + ((readable - first) ** 2).sum(axis=0)
        done += len(block.info)
        reporter.advance(done)
    n = max(1, int(np.isfinite(learnt).sum()))
    mean = total / n
    deviation = np.sqrt(np.maximum(square / n - mean**2, 0))
    return Numbers(learnt, numbers, mean if first is None else mean + first, deviation, failures)


def average_of(bundle: ValueBundle, numbers: Numbers) -> tuple[FloatArray | None, str | None]:
    """Features of an average picture, shape (d,), and of what: "training" images, or these "images" where the bundle
    keeps none and there are enough of them."""
    mean = bundle.reference.get("mean_features")
    if mean is None:
        mean = bundle.reference["features"].mean(axis=0, dtype=np.float64)
    # the reference may keep fewer features than the model looks at
    if len(mean) == bundle.info.n_features:
        return np.asarray(mean, np.float64), "training"
    return (numbers.mean, "images") if len(numbers.known) >= _FEWEST_AVERAGED else (None, None)


def evenly(numbers: Numbers, limit: int) -> IntArray:
    """Rows evenly over the predicted numbers, the largest first."""
    order = numbers.known[np.argsort(-numbers.learnt[numbers.known], kind="stable")]
    return order if not limit or limit >= len(order) else order[_places(len(order), limit)]


def _places(n: int, wanted: int) -> IntArray:
    return np.unique(np.linspace(0, n - 1, wanted).round().astype(np.int64))


def traced_pictures(
    value: TracedValue,
    method: str,
    preprocessing: Preprocessing,
    files: Sequence[ImageFile],
    spread: float,
    options: ExplainOptions,
    reporter: Reporter,
) -> tuple[list[Traced | str], dict[str, Any]]:
    """Each file traced, or why it can no longer be read; and the checks on some of them, drawn at random."""
    cores = max(1, options.workers or available_cores())
    found: list[Traced | str] = []
    reporter.begin("explaining", len(files))
    with ThreadPoolExecutor(cores) as threads, WorkerPool(cores) as pool:
        decode = decoder(pool, preprocessing)
        trace = partial(_trace, value=value, method=method, preprocessing=preprocessing, decode=decode, pool=pool)
        for one in results_in_order(trace, files, threads, 4):
            found.append(one)
            reporter.advance(len(found))
        known = [ValueSubject(file, one) for file, one in zip(files, found, strict=True) if not isinstance(one, str)]
        drawn = np.sort(np.random.default_rng(options.seed).permutation(len(known))[:EXAMINED])
        statistics = partial(_statistics, pool, preprocessing)
        subjects = [known[i] for i in drawn]
        checks = value_checks(value, method, subjects, statistics, spread, threads, options.seed, reporter)
    return found, checks


def _trace(
    file: ImageFile,
    value: TracedValue,
    method: str,
    preprocessing: Preprocessing,
    decode: Decode,
    pool: WorkerPool,
) -> Traced | str:
    seen = look(file, decode, preprocessing)
    if isinstance(seen, str) or ORIENTATION not in value.parts:
        return seen if isinstance(seen, str) else value.trace(seen, None, method)
    rest = _statistics(pool, preprocessing, file, whole_and_rest())
    if rest is None:
        return "it could be read at first and cannot be read any more"
    return value.trace(seen, rest, method)


def _statistics(
    pool: WorkerPool, preprocessing: Preprocessing, file: ImageFile, parts: Parts
) -> NDArray[np.float32] | None:
    """Orientation statistics of parts of a file's picture, from a worker."""
    measure = partial(statistics_of_parts, preprocessing=preprocessing, parts=parts)
    lossy: Any = measure
    (found,) = pool.submit(lossy, [file], lambda _: None).result()
    return None if found is None else np.asarray(found, np.float32)
