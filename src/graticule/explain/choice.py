"""Which images `graticule explain` looks at: read, scored once, and chosen evenly over the predicted classes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from graticule.errors import ManifestError
from graticule.features.cache import FeatureCache
from graticule.features.samples import image_files, reasons_beyond
from graticule.heads.predictor import Predictor
from graticule.manifest import Manifest, escape_path
from graticule.progress import Reporter
from graticule.runs import cache_folder
from graticule.sources.sources import list_images, read_manifest
from graticule.sources.tables import TABLE_SUFFIXES, read_table

Item = TypeVar("Item")
TYPICAL, CONFUSED, DRAWN = "typical", "confused", "drawn"
_SHARE_OF_EXTREMES = 4  # up to a quarter of a class's images are its most typical, another its most confused


@dataclass(frozen=True)
class ScoredImages:
    """n images with what the model says of them.

    Attributes
    ----------
    manifest : Manifest
    proba : float array, shape (n, K)
        NaN rows for unreadable files.
    truth : int array, shape (n,)
        Class from folder or table; -1 where unknown.
    mean_features : float array, shape (d,)
        Of the readable images.
    failures : list of (path, error)
    beyond : list of n str
        Why an image is beyond what the model was trained on, or "".
    """

    manifest: Manifest
    proba: NDArray[np.float64]
    truth: NDArray[np.int64]
    mean_features: NDArray[np.float64]
    failures: list[tuple[str, str]]
    beyond: list[str] = field(default_factory=list)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Likeliest class of each image, -1 for unreadable files."""
        readable = ~np.isnan(self.proba).any(axis=1)
        return np.where(readable, np.nan_to_num(self.proba).argmax(axis=1), -1)

    @property
    def n_readable(self) -> int:
        """Images with scores."""
        return int((self.predicted >= 0).sum())

    @property
    def other_labels(self) -> list[str]:
        """Labels that are no class of the model."""
        return sorted({str(label) for label in self.manifest.label[self.truth < 0] if label})


def read_images(images: Path, root: Path | None) -> Manifest:
    """The images with their labels, where they come as a data set, else without.

    Raises
    ------
    ManifestError
        When there are no images, or a table with labels has a fault: its labels are not dropped in silence.
    """
    try:
        return read_manifest(images, root=root, group="none")
    except ManifestError:
        if _labels_asked(images / "manifest.csv" if images.is_dir() else images):
            raise
        return list_images(images, root=root)


def _labels_asked(table: Path) -> bool:
    """Whether a file is a table with a column of labels."""
    if table.suffix.lower() not in TABLE_SUFFIXES or not os.path.isfile(table):  # noqa: PTH113 - as in data.sources
        return False
    return "label" in read_table(table).columns


def score_images(
    predictor: Predictor, manifest: Manifest, *, workers: int | None, batch_size: int | None, reporter: Reporter
) -> ScoredImages:
    """Score every image through the feature cache.

    Raises
    ------
    ManifestError
        When no image can be read.
    """
    n, classes = len(manifest), predictor.classes
    proba = np.full((n, len(classes)), np.nan)
    total = np.zeros(predictor.encoder.n_features)
    failures, at = [], 0
    beyond: list[str] = []
    reporter.begin("scoring", n)
    with FeatureCache(cache_folder(), predictor.encoder.space()) as cache:
        for block in predictor.stream(image_files(manifest), workers=workers, batch_size=batch_size, cache=cache):
            beyond += reasons_beyond(block.info, predictor.encoder.preprocessing.intensity)
            proba[at : at + len(block.info)] = block.proba
            # rows of unreadable files are zero
            total += block.features.sum(axis=0, dtype=np.float64)
            for path, item in zip(manifest.path[at : at + len(block.info)], block.info, strict=True):
                if item.error:
                    failures.append((escape_path(path), item.error))
            at += len(block.info)
            reporter.advance(at)
    if len(failures) == n:
        path, error = failures[0]
        raise ManifestError(f"none of the {n} images can be read; the first: {path}: {error}")
    known = {name: k for k, name in enumerate(classes)}
    truth = np.array([known.get(str(label), -1) for label in manifest.label], dtype=np.int64)
    return ScoredImages(manifest, proba, truth, total / (n - len(failures)), failures, beyond)


def choose(scored: ScoredImages, limit: int, seed: int) -> list[tuple[int, str]]:
    """Rows to explain, classes taking turns, each with the reason why it was taken.

    Of each predicted class up to a quarter, and one at least, are its most typical images (highest score, and rightly
    so where labels are known), as many its most confused (of another label with the highest score; without labels those
    whose two best classes are closest), the others are drawn at random.

    Parameters
    ----------
    scored : ScoredImages
    limit : int
        Most images; 0 takes all.
    seed : int
    """
    predicted = scored.predicted
    generator = np.random.default_rng(seed)
    classes = [k for k in range(scored.proba.shape[1]) if (predicted == k).any()]
    limit = limit or len(predicted)
    share = -(-limit // len(classes))
    queues = {k: _queue(scored, np.flatnonzero(predicted == k), k, share, generator) for k in classes}
    return _in_turn(list(queues.values()), limit)


def draw_examined(scored: ScoredImages, n: int, seed: int) -> list[int]:
    """Rows of the costly checks, drawn at random from all that can be read, the predicted classes taking turns."""
    predicted = scored.predicted
    # a stream of its own: what is explained does not change what is examined
    generator = np.random.default_rng([seed, 1])
    classes = generator.permutation(np.unique(predicted[predicted >= 0]))
    return _in_turn([generator.permutation(np.flatnonzero(predicted == k)).tolist() for k in classes], n)


def _in_turn(queues: Sequence[Sequence[Item]], n: int) -> list[Item]:
    """The first of each queue, then the second of each, up to n."""
    turns = (item for turn in zip_longest(*queues, fillvalue=None) for item in turn if item is not None)
    return list(islice(turns, n))


def _queue(
    scored: ScoredImages, rows: NDArray[np.int64], k: int, share: int, generator: np.random.Generator
) -> list[tuple[int, str]]:
    """The images of one predicted class in the order in which they are taken."""
    extremes = max(1, min(share, len(rows)) // _SHARE_OF_EXTREMES)
    score = scored.proba[rows, k]
    truth = scored.truth[rows]
    falling = rows[np.argsort(-score, kind="stable")]
    right = [int(row) for row in falling if scored.truth[row] in (k, -1)]
    if (truth >= 0).any():
        doubtful = [int(row) for row in falling if scored.truth[row] not in (k, -1)]
    else:
        rivals = np.delete(scored.proba[rows], k, axis=1).max(axis=1)
        doubtful = [int(row) for row in rows[np.argsort(score - rivals, kind="stable")]]
    taken: dict[int, str] = {}
    for i in range(extremes):
        for some, reason in ((right, TYPICAL), (doubtful, CONFUSED)):
            if i < len(some):
                taken.setdefault(some[i], reason)
    for row in generator.permutation(rows):
        taken.setdefault(int(row), DRAWN)
    return list(taken.items())
