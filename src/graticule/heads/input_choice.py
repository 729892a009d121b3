"""The choice of the network's input size and of the number of views for one data set, inside the training folds.

The images are divided first, by features at the smallest input that throws no pixel away, which are cheap. Each fold
then looks at its training images among at most `MOST_IMAGES`, and takes the smallest input that is as good as the
best; the run takes what most folds chose. The number of views is chosen alike, at that size. Images set aside (test,
calibration) and those that only train take no part.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import class_codes
from graticule.errors import ManifestError, OptionError
from graticule.features.samples import Samples, image_files
from graticule.heads.input_size import (
    candidate_sizes,
    choice_folds,
    drawn,
    gains,
    held_out_losses,
    most_chosen,
    smallest_as_good,
)
from graticule.images.sides import longer_sides
from graticule.manifest import Manifest
from graticule.networks.backbones import find_embedded
from graticule.networks.encoder import Encoder
from graticule.networks.options import DEFAULT_VIEWS, VIEWS, InputOptions
from graticule.networks.pooling import part_lengths
from graticule.options import number_of
from graticule.progress import Reporter
from graticule.split.division import Division
from graticule.workers.pool import available_cores

MOST_IMAGES = 2000
# fewer tell nothing apart, and the smallest would win for want of evidence
LEAST_IMAGES = 300
# eight views cost twice what four cost, so fewer images are asked about them
MOST_FOR_MANY_VIEWS = 600

Embed = Callable[[Manifest, Encoder], Samples]
Divide = Callable[[Samples, Encoder], Division]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Chosen:
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


@dataclass(frozen=True)
class Embedded:
    """Samples at the input that was chosen.

    Attributes
    ----------
    encoder : Encoder
        With the chosen size and number of views.
    samples : Samples
    division : Division
    chosen : dict of Chosen
        "input_size" and "views"; empty for a network that is trained.
    """

    encoder: Encoder
    samples: Samples
    division: Division
    chosen: dict[str, Chosen] = field(default_factory=dict)

    def describe(self) -> dict[str, Any] | None:
        """For run.json."""
        return {name: chosen.describe() for name, chosen in self.chosen.items()} or None


def embed_as_chosen(
    manifest: Manifest,
    encoder: Encoder,
    options: InputOptions,
    embed: Embed,
    divide: Divide,
    *,
    seed: int,
    workers: int | None,
    reporter: Reporter,
) -> Embedded:
    """Embed a data set at the input size and with the views that pay.

    Parameters
    ----------
    manifest : Manifest
        Labelled samples.
    encoder : Encoder
        On the network's own size.
    options : InputOptions
    embed : callable
        Samples of a manifest by an encoder.
    divide : callable
        The division of samples.
    seed : int
    workers : int, optional
        Processes that decode.
    reporter : Reporter

    Raises
    ------
    ManifestError
        When a file that could be read cannot be read any more.
    OptionError
        When the network does not take the size that was asked for.
    """
    sizes, why_sizes = _sizes(manifest, encoder, options, workers)
    views, why_views = _views(options, encoder, len(manifest))
    # where there is no choice of sizes, the features of the usual number of views will most likely be wanted
    first = sized(encoder, sizes[0], views[0] if len(views) == 1 else 1 if len(sizes) > 1 else DEFAULT_VIEWS)
    samples = embed(manifest, first)
    division = divide(samples, first)
    search = InputSearch(samples, first, division, embed, seed, reporter)
    if len(sizes) > 1:
        seen = candidate_sizes(np.array([max(item.width, item.height) for item in samples.info]), sizes[-1])
        size = search.size(tuple(side for side in sizes if side in seen))
    else:
        size = Chosen(sizes, sizes[0], why_sizes)
    many = search.views(size.value, views) if len(views) > 1 else Chosen(views, views[0], why_views)
    final = sized(encoder, size.value, many.value)
    if final != first:
        samples = replace(
            search.samples(np.arange(len(samples.manifest)), final),
            failures=samples.failures,
            warnings=samples.warnings,
        )
    return Embedded(final, samples, division, {"input_size": size, "views": many})


def sized(encoder: Encoder, size: int, views: int) -> Encoder:
    """The encoder with another input size and number of views."""
    return replace(encoder, views=views, preprocessing=replace(encoder.preprocessing, size=size))


def _sizes(
    manifest: Manifest, encoder: Encoder, options: InputOptions, workers: int | None
) -> tuple[tuple[int, ...], str]:
    """Candidates, the smallest first, and why there is only one."""
    own, asked = encoder.preprocessing.size, number_of(options.input_size)
    fixed = find_embedded(encoder.backbone) is None
    if asked is not None:
        if fixed and asked != own:
            raise OptionError(
                f"--input-size {asked}: the graph of {encoder.backbone} takes {own} px only; leave it out"
            )
        return (asked,), "as asked for"
    if encoder.preprocessing.scale_nm is not None:
        return (own,), "the network's own, on which the physical scale is laid"
    if fixed:
        return (own,), f"the network's own: the graph of {encoder.backbone} takes no other"
    if len(manifest) < LEAST_IMAGES:
        return (own,), f"the network's own: fewer than {LEAST_IMAGES} images, too few to choose"
    sides = longer_sides(image_files(manifest), encoder.preprocessing.selection, workers=workers)
    sizes = candidate_sizes(sides, own)
    return sizes, "the network's own: the images are too large for a smaller one that throws no pixel away"


def _views(options: InputOptions, encoder: Encoder, n: int) -> tuple[tuple[int, ...], str]:
    """Candidates, the smallest first, and why there is only one."""
    asked = number_of(options.views)
    if asked is not None:
        return (asked,), "as asked for"
    if encoder.preprocessing.marks == "mask":
        return (1,), "pictures of ultrasound have an up and a down"
    if n < LEAST_IMAGES:
        return (DEFAULT_VIEWS,), f"as usual: fewer than {LEAST_IMAGES} images, too few to choose"
    return VIEWS, ""


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
    seed : int
    reporter : Reporter
    """

    first: Samples
    encoder: Encoder
    division: Division
    embed: Embed
    seed: int
    reporter: Reporter
    _known: dict[tuple[int, int], tuple[IntArray, NDArray[np.float32]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        manifest, folds = self.first.manifest, self.division.folds
        self.y = class_codes(manifest.label, manifest.classes)
        self.n_classes = len(manifest.classes)
        self.grouped = manifest.group is not None
        copies = self.division.copies
        self.copies = folds.component if not self.grouped else self.first.duplicates if copies is None else copies
        everyone = np.arange(len(self.y))
        self._known[self._key(self.encoder)] = everyone, self._moments(self.first, self.encoder)

    def size(self, sizes: tuple[int, ...]) -> Chosen:
        """The input size that most folds chose."""
        rows = self._drawn(MOST_IMAGES)
        features = [self._features(rows, sized(self.encoder, size, 1)) for size in sizes]
        folds, by_group = self._by_fold(rows, features, smallest_as_good)
        if not folds:
            return Chosen(sizes, sizes[-1], "the network's own: too few images to choose a size inside the folds")
        value = most_chosen([sizes[index] for index in folds])
        own = sizes[-1]
        price = f"{value} px: the network looks at {(own / value) ** 2:.2g} times fewer pixels than at {own} px"
        if value == own:
            price = f"{own} px, the network's own: smaller inputs told less"
        chosen = tuple(sizes[index] for index in folds)
        return Chosen(sizes, value, f"{price}; {_said(chosen, value, ' px')}{by_group}", chosen, len(rows))

    def views(self, size: int, candidates: tuple[int, ...]) -> Chosen:
        """The number of views that most folds chose: more only where they gain over fewer."""
        value, n_images, by_group = candidates[0], 0, ""
        chosen: tuple[int, ...] = ()
        for more in candidates[1:]:
            rows = self._drawn(MOST_IMAGES if more <= DEFAULT_VIEWS else MOST_FOR_MANY_VIEWS)
            features = [self._features(rows, sized(self.encoder, size, views)) for views in (value, more)]
            found, by_group = self._by_fold(rows, features, _second_gains)
            if not found:
                return Chosen(candidates, DEFAULT_VIEWS, "as usual: too few images to choose inside the folds")
            chosen, n_images = tuple(more if index else value for index in found), len(rows)
            taken = most_chosen(chosen)
            if taken == value:
                break
            value = taken
        price = (
            f"{value} views: the network runs {value} times per image" if value > 1 else "1 view: more gained nothing"
        )
        return Chosen(candidates, value, f"{price}; {_said(chosen, value, '')}{by_group}", chosen, n_images)

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
        return drawn(self.y, np.flatnonzero(self.division.folds.part == "cv"), most, self.seed)

    def _features(self, rows: IntArray, encoder: Encoder) -> NDArray[np.float32]:
        """What the judge sees of some rows, embedded where that is new."""
        key = self._key(encoder)
        known, features = self._known.get(key, (np.zeros(0, np.int64), np.zeros((0, 0), np.float32)))
        if not np.isin(rows, known).all():
            known, features = rows, self._moments(self.samples(rows, encoder), encoder)
            self._known[key] = known, features
        return features[np.searchsorted(known, rows)]

    def _by_fold(
        self,
        rows: IntArray,
        features: Sequence[NDArray[np.float32]],
        judge: Callable[[NDArray[np.float64], IntArray, IntArray], int],
    ) -> tuple[list[int], str]:
        """The index of the candidate that each fold chose on its training rows; empty where one could not."""
        folds = self.division.folds
        self.reporter.step("choosing the network's input")
        fold, component, alone = folds.fold[rows], folds.component[rows], False
        tasks = []
        for f in range(folds.k):
            train = np.flatnonzero(fold != f) if folds.k > 1 else np.arange(len(rows))
            y, copies = self.y[rows[train]], self.copies[rows[train]]
            inner, units = choice_folds(y, component[train] if self.grouped else None, copies, self.seed)
            if not inner:
                return [], ""
            alone |= self.grouped and units is copies
            tasks.append((train, y, inner, units))

        def one(task: tuple[int, int]) -> NDArray[np.float64]:
            train, y, inner, _ = tasks[task[0]]
            return held_out_losses(features[task[1]][train], y, inner, self.n_classes)

        pairs = [(f, candidate) for f in range(len(tasks)) for candidate in range(len(features))]
        with ThreadPoolExecutor(available_cores()) as threads:
            losses = dict(zip(pairs, threads.map(one, pairs), strict=True))
        chosen = []
        for f, (_, y, _, units) in enumerate(tasks):
            chosen.append(judge(np.stack([losses[f, c] for c in range(len(features))]), y, units))
        return chosen, ", with images of one group on both sides, as the groups are too few to divide" if alone else ""

    @staticmethod
    def _key(encoder: Encoder) -> tuple[int, int]:
        return encoder.preprocessing.size, encoder.views

    @staticmethod
    def _moments(samples: Samples, encoder: Encoder) -> NDArray[np.float32]:
        """The first part of the network's features: enough to tell sizes apart, and quick to judge."""
        weights = encoder.weights
        first = next(iter(part_lengths(weights.channels, weights.parts[:1]).values()), 0) if weights.channels else 0
        return samples.network_features[:, : first or None]


def _second_gains(losses: NDArray[np.float64], y: IntArray, units: IntArray) -> int:
    return int(gains(losses[0], losses[1], y, units))


def _said(chosen: Sequence[int], value: int, unit: str) -> str:
    """How many folds chose what the run takes, and what the others chose."""
    if len(chosen) == 1:
        return "chosen on the training part"
    others = sorted(set(chosen) - {value})
    told = f"{sum(c == value for c in chosen)} of {len(chosen)} folds chose it"
    return told + (f", the others {' or '.join(f'{other}{unit}' for other in others)}" if others else "")
