"""Input sizes and numbers of views, compared on the training images of each fold."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.errors import ManifestError
from graticule.features.samples import Samples
from graticule.heads.input_judge import InputJudge
from graticule.heads.input_size import gains, most_chosen, smallest_as_good
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.networks.options import DEFAULT_VIEWS
from graticule.progress import Reporter
from graticule.split.division import Division
from graticule.workers.pool import available_cores

MOST_IMAGES = 2000
# eight views cost twice what four cost, so fewer images are asked about them
MOST_FOR_MANY_VIEWS = 600
# standard errors by which more views must gain: beyond the usual number, every later image pays for what chance may
# have shown, so that the gain has to be beyond its 95 % interval
ERRORS, ERRORS_FOR_MANY_VIEWS = 1.0, 1.96

Embed = Callable[[Manifest, Encoder], Samples]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class InputChoice:
    """What the folds chose of one thing.

    Attributes
    ----------
    candidates : tuple of int
        What there was to choose from, one: nothing.
    value : int
        What the run takes.
    why : str
        In words.
    folds : tuple of int
        What each fold chose; empty where nothing was chosen.
    n_images : int
        Images that took part.
    """

    candidates: tuple[int, ...]
    value: int
    why: str
    folds: tuple[int, ...] = ()
    n_images: int = 0

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "candidates": list(self.candidates),
            "chosen": self.value,
            "folds": list(self.folds),
            "images": self.n_images,
            "why": self.why,
        }


def sized(encoder: Encoder, size: int, views: int) -> Encoder:
    """The encoder with another input size and number of views."""
    return replace(encoder, views=views, preprocessing=replace(encoder.preprocessing, size=size))


@dataclass
class InputSearch:
    """Candidates on the training images of each fold.

    Attributes
    ----------
    first : Samples
        All samples, by `encoder`.
    encoder : Encoder
    division : Division
    embed : callable
    judge : InputJudge
    seed : int
    reporter : Reporter
    """

    first: Samples
    encoder: Encoder
    division: Division
    embed: Embed
    judge: InputJudge
    seed: int
    reporter: Reporter
    _known: dict[tuple[int, int], tuple[IntArray, NDArray[np.float32]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        folds = self.division.folds
        self.grouped = self.first.manifest.group is not None
        copies = self.division.copies
        self.copies = folds.component if not self.grouped else self.first.duplicates if copies is None else copies
        everyone = np.arange(len(folds.part))
        self._known[self._key(self.encoder)] = everyone, self.first.whole_features

    def size(self, sizes: tuple[int, ...]) -> InputChoice:
        """The input size that most folds chose."""
        rows = self._drawn(MOST_IMAGES)
        features = [self._features(rows, sized(self.encoder, size, 1)) for size in sizes]
        folds, by_group = self._by_fold(rows, features, smallest_as_good)
        if not folds:
            return InputChoice(sizes, sizes[-1], "the network's own: too few images to choose a size inside the folds")
        value = most_chosen([sizes[index] for index in folds])
        own = sizes[-1]
        price = f"{value} px: the network looks at {(own / value) ** 2:.2g} times fewer pixels than at {own} px"
        if value == own:
            price = f"{own} px, the network's own: smaller inputs told less"
        chosen = tuple(sizes[index] for index in folds)
        return InputChoice(sizes, value, f"{price}; {_said(chosen, value, ' px')}{by_group}", chosen, len(rows))

    def views(self, size: int, candidates: tuple[int, ...]) -> InputChoice:
        """The number of views that most folds chose: more only where they gain over fewer."""
        value, n_images, by_group = candidates[0], 0, ""
        chosen: tuple[int, ...] = ()
        for more in candidates[1:]:
            rows = self._drawn(MOST_IMAGES if more <= DEFAULT_VIEWS else MOST_FOR_MANY_VIEWS)
            features = [self._features(rows, sized(self.encoder, size, views)) for views in (value, more)]
            errors = ERRORS if more <= DEFAULT_VIEWS else ERRORS_FOR_MANY_VIEWS
            found, by_group = self._by_fold(rows, features, partial(_second_gains, errors=errors))
            if not found:
                return InputChoice(candidates, DEFAULT_VIEWS, "as usual: too few images to choose inside the folds")
            chosen, n_images = tuple(more if index else value for index in found), len(rows)
            taken = most_chosen(chosen)
            if taken == value:
                break
            value = taken
        price = (
            f"{value} views: the network runs {value} times per image" if value > 1 else "1 view: more gained nothing"
        )
        return InputChoice(candidates, value, f"{price}; {_said(chosen, value, '')}{by_group}", chosen, n_images)

    def samples(self, rows: IntArray, encoder: Encoder) -> Samples:
        """Samples of some rows by another encoder.

        Raises
        ------
        ManifestError
            When a file that could be read cannot be read any more.
        """
        found = self.embed(self.first.manifest.take(rows), encoder)
        if found.failures:
            path, error = found.failures[0]
            raise ManifestError(
                f"{path} could be read at first and cannot be read any more: {error}. Do files change while training "
                "runs? Start again when they do not"
            )
        return found

    def _drawn(self, most: int) -> IntArray:
        return self.judge.drawn(np.flatnonzero(self.division.folds.part == "cv"), most, self.seed)

    def _features(self, rows: IntArray, encoder: Encoder) -> NDArray[np.float32]:
        """What the judge sees of some rows, embedded where that is new: moments over the picture, which are few."""
        key = self._key(encoder)
        known, features = self._known.get(key, (np.zeros(0, np.int64), np.zeros((0, 0), np.float32)))
        if not np.isin(rows, known).all():
            # moments of the network's maps: what is measured beside it would only cost time
            plain = encoder.without_orientation() if encoder.orientation else encoder
            known, features = rows, self.samples(rows, plain).whole_features.copy()
            self._known[key] = known, features
        return features[np.searchsorted(known, rows)]

    def _by_fold(
        self,
        rows: IntArray,
        features: Sequence[NDArray[np.float32]],
        pick: Callable[[NDArray[np.float64], NDArray[np.float64], IntArray], int],
    ) -> tuple[list[int], str]:
        """The index of the candidate that each fold chose on its training rows; empty where one could not."""
        folds = self.division.folds
        self.reporter.step("choosing the network's input")
        fold, component, alone = folds.fold[rows], folds.component[rows], False
        tasks = []
        for f in range(folds.k):
            train = np.flatnonzero(fold != f) if folds.k > 1 else np.arange(len(rows))
            copies, group = self.copies[rows[train]], component[train] if self.grouped else None
            inner, units = self.judge.inner_folds(rows[train], group, copies, self.seed)
            if not inner:
                return [], ""
            alone |= self.grouped and units is copies
            tasks.append((train, inner, units))

        def one(task: tuple[int, int]) -> NDArray[np.float64]:
            train, inner, _ = tasks[task[0]]
            return self.judge.losses(features[task[1]][train], rows[train], inner)

        pairs = [(f, candidate) for f in range(len(tasks)) for candidate in range(len(features))]
        with ThreadPoolExecutor(available_cores()) as threads:
            losses = dict(zip(pairs, threads.map(one, pairs), strict=True))
        chosen = []
        for f, (train, _, units) in enumerate(tasks):
            told = np.stack([losses[f, c] for c in range(len(features))])
            chosen.append(pick(told, self.judge.weights(rows[train]), units))
        return chosen, ", with images of one group on both sides, as the groups are too few to divide" if alone else ""

    @staticmethod
    def _key(encoder: Encoder) -> tuple[int, int]:
        return encoder.preprocessing.size, encoder.views


def _second_gains(losses: NDArray[np.float64], weights: NDArray[np.float64], units: IntArray, errors: float) -> int:
    return int(gains(losses[0], losses[1], weights, units, errors))


def _said(chosen: Sequence[int], value: int, unit: str) -> str:
    """How many folds chose what the run takes, and what the others chose."""
    if len(chosen) == 1:
        return "chosen on the training part"
    others = sorted(set(chosen) - {value})
    told = f"{sum(c == value for c in chosen)} of {len(chosen)} folds chose it"
    return told + (f", others chose {' and '.join(f'{other}{unit}' for other in others)}" if others else "")
