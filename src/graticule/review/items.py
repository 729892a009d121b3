"""The images a review is about, whatever is asked of them: why a person should look, and in which order."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray, IntArray, StrArray
from graticule.decide.decisions import ACCEPT, NOVEL
from graticule.record.events import DOUBTFUL
from graticule.record.events import NOVEL as NONE_OF_THESE
from graticule.record.numbers import Quantity

UNSURE, NOVELTY, SUSPECT, CONTROL, OTHER = "unsure", "novel", "suspect", "control", "other"
KINDS = (SUSPECT, NOVELTY, UNSURE, CONTROL, OTHER)
MIN_PER_STRATUM = 10
_LISTS = ("sets", "nearest")


@dataclass(frozen=True)
class Items(ABC):
    """n different readable images with the model's opinion; an image is known by the SHA-256 of its file's bytes.

    What is asked of a person is a class (`ClassItems`) or a number (`NumberItems`).

    Attributes
    ----------
    sha256, path : object arrays of str, shape (n,)
        Path relative to the folder of images, escaped.
    novelty : float array, shape (n,)
        p-values, low = unlike the training images; NaN where unknown.
    decision, reason : object arrays of str, shape (n,)
        accept, review, reject or "" (the model has no evidence to decide on), and why.
    nearest : tuple of n tuples of str
        Paths of the nearest training images, escaped.
    group : object array of str, shape (n,)
        "" where there is none.
    suspicion : float array, shape (n,)
        Probability that what the data set says is wrong, for the images on the list of label errors; NaN elsewhere.
    sampling_prob : float array, shape (n,)
        Chance with which an accepted image was drawn into the control sample; NaN for images outside it.
    """

    # whether many images may be given the model's answer at once
    BULK: ClassVar[bool] = False
    # what each kind is called on the page
    WORDS: ClassVar[Mapping[str, str]] = {}

    sha256: StrArray
    path: StrArray
    novelty: FloatArray
    decision: StrArray
    reason: StrArray
    nearest: tuple[tuple[str, ...], ...]
    group: StrArray
    suspicion: FloatArray
    sampling_prob: FloatArray

    def __len__(self) -> int:
        return len(self.sha256)

    @property
    def kind(self) -> StrArray:
        """Why each image is shown, one of `KINDS`; the first that holds. Shape (n,)."""
        kinds = np.full(len(self), UNSURE, dtype=object)
        accepted = self.decision == ACCEPT
        kinds[accepted] = OTHER
        kinds[accepted & ~np.isnan(self.sampling_prob)] = CONTROL
        kinds[self.reason == NOVEL] = NOVELTY
        kinds[~np.isnan(self.suspicion)] = SUSPECT
        return kinds

    @property
    def accepted(self) -> BoolArray:
        """Images that the model would answer by itself, and whose own label is not in doubt, shape (n,)."""
        return np.asarray((self.decision == ACCEPT) & np.isnan(self.suspicion), dtype=bool)

    @property
    def score(self) -> FloatArray:
        """How sure the model is of its answer, 0 to 1, shape (n,); NaN where it gives no score."""
        return np.full(len(self), np.nan)

    @property
    @abstractmethod
    def quantity(self) -> Quantity | None:
        """What numbers are asked for; None: classes."""

    @property
    @abstractmethod
    def strata(self) -> StrArray:
        """Parts of the answers within which the control sample is drawn, shape (n,)."""

    @property
    @abstractmethod
    def stratum_names(self) -> tuple[str, ...]:
        """All strata that there may be, in the order in which they are shown."""

    @property
    @abstractmethod
    def promised_error(self) -> float | None:
        """Share of wrong answers among accepted images that the model itself says; None: it says nothing."""

    @abstractmethod
    def contradicts(self, place: int, value: str | None) -> bool:
        """Whether what a person says of an image, a value of the record, is not the model's answer."""

    @abstractmethod
    def gain(self, by: str) -> FloatArray:
        """What a look at each image is worth, shape (n,): errors mended ("gain"), or what it teaches ("margin")."""

    @abstractmethod
    def passing(self, label: str, low: float | None, high: float | None) -> BoolArray:
        """Images whose answer passes a filter, shape (n,): the class, "" for any, and the ends of a range.

        Raises
        ------
        OptionError
            When the filter cannot hold for any image.
        """

    @abstractmethod
    def said(self, value: str) -> str:
        """What a person hands in as an answer, as a value of the record.

        Raises
        ------
        LabelStoreError
            When it is none.
        """

    @abstractmethod
    def asked(self) -> dict[str, Any]:
        """What the page needs to ask for an answer."""

    @abstractmethod
    def opinion(self, place: int, *, blind: bool) -> dict[str, Any]:
        """What the model and the data set say of one image; where it is judged blind, nothing."""

    def settled(self, value: str) -> str:
        """As `said`, of an adjudication: that nobody can tell, or that no answer fits, is one too."""
        return value if value in (DOUBTFUL, NONE_OF_THESE) else self.said(value)

    def take(self, rows: IntArray | NDArray[np.bool_]) -> Self:
        """Rows by index or mask, in the order given."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        cut: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                cut[item.name] = value[rows]
            elif item.name in _LISTS:
                cut[item.name] = tuple(value[i] for i in rows.tolist())
        return replace(self, **cut)


def draw_control(items: Items, size: int, seed: int = 0) -> FloatArray:
    """Draw accepted images at random within each stratum, so that the error among accepted can be measured.

    Parameters
    ----------
    items : Items
    size : int
        Images wanted in all; 0 for none. Each stratum gets its share of it, at least `MIN_PER_STRATUM` where it has
        them.
    seed : int
        With the images' hashes it decides the draw: the same images give the same sample, in whatever order.

    Returns
    -------
    float array, shape (n,)
        The chance of each drawn image (drawn over accepted of its stratum), NaN for those not drawn.
    """
    chance = np.full(len(items), np.nan)
    accepted = items.accepted
    if size <= 0 or not accepted.any():
        return chance
    draw = np.array([_draw(sha, seed) for sha in items.sha256])
    strata = items.strata
    for name in set(strata[accepted].tolist()):
        rows = np.flatnonzero(accepted & (strata == name))
        wanted = max(MIN_PER_STRATUM, round(size * len(rows) / int(accepted.sum())))
        drawn = rows[np.argsort(draw[rows], kind="stable")[:wanted]]
        chance[drawn] = len(drawn) / len(rows)
    return chance


def control_size(items: Items) -> int:
    """Images for the control sample where nobody says: a tenth of the accepted, at least 60 and at most 200."""
    return min(200, max(60, int((items.decision == ACCEPT).sum()) // 10))


def _draw(sha256: str, seed: int) -> float:
    """A number in [0, 1) for an image."""
    return int.from_bytes(hashlib.sha256(f"{seed} {sha256}".encode()).digest()[:8], "big") / 2.0**64


def in_order(items: Items, by: str = "gain", seed: int = 0) -> Items:
    """The images as the queue shows them: by falling gain, with the control sample spread evenly among those in need.

    Parameters
    ----------
    items : Items
    by : str
        "gain" or "margin" (`Items.gain`), or "random".
    seed : int
        Of the random order, and of the order within the control sample.
    """
    draw = np.array([_draw(sha, seed + 1) for sha in items.sha256], dtype=np.float64)
    key = draw if by == "random" else items.gain(by)
    ranked = np.lexsort((draw, -key))
    kind = items.kind[ranked]
    needed, control, other = ranked[~np.isin(kind, (CONTROL, OTHER))], ranked[kind == CONTROL], ranked[kind == OTHER]
    control = _strata_in_turn(items, control, draw)
    place = np.concatenate([np.arange(len(needed)), (np.arange(len(control)) + 0.5) * max(len(needed), 1) /
                            max(len(control), 1)])  # fmt: skip
    front = np.concatenate([needed, control])[np.argsort(place, kind="stable")]
    return items.take(np.concatenate([front, other]).astype(np.int64))


def _strata_in_turn(items: Items, rows: IntArray, draw: FloatArray) -> IntArray:
    """The control sample in an order in which any beginning holds each stratum in about its share, at random within."""
    place = np.zeros(len(rows))
    strata = items.strata[rows]
    for name in set(strata.tolist()):
        own = np.flatnonzero(strata == name)
        rank = np.argsort(np.argsort(draw[rows[own]], kind="stable"), kind="stable")
        place[own] = (rank + 0.5) / len(own)
    return rows[np.argsort(place, kind="stable")]
