"""The images a review is about: what the model says of each, why a person should look, and what a look may gain."""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, StrArray, class_codes
from graticule.decide.decisions import ACCEPT, NOVEL

UNSURE, NOVELTY, SUSPECT, CONTROL, OTHER = "unsure", "novel", "suspect", "control", "other"
KINDS = (SUSPECT, NOVELTY, UNSURE, CONTROL, OTHER)
MIN_PER_CLASS = 10


@dataclass(frozen=True)
class Items:
    """n different readable images with the model's opinion; an image is known by the SHA-256 of its file's bytes.

    Attributes
    ----------
    sha256, path : object arrays of str, shape (n,)
        Path relative to the folder of images, escaped.
    classes : tuple of K str
    proba : float array, shape (n, K)
        Calibrated scores.
    sets : tuple of n tuples of str
        Classes that the image cannot be said not to be; empty where unknown.
    novelty : float array, shape (n,)
        p-values, low = unlike the training images; NaN where unknown.
    decision, reason : object arrays of str, shape (n,)
        accept, review, reject or "" (the model has no evidence to decide on), and why.
    nearest : tuple of n tuples of str
        Paths of the nearest training images, escaped.
    given : object array of str, shape (n,)
        The label that the data set gives, "" for new images.
    group : object array of str, shape (n,)
        "" where there is none.
    suspicion : float array, shape (n,)
        Probability that the given label is wrong, for the images on the list of label errors; NaN elsewhere.
    suggested : object array of str, shape (n,)
        The model's class; for a suspected label error the class suggested instead.
    sampling_prob : float array, shape (n,)
        Chance with which an accepted image was drawn into the control sample; NaN for images outside it.
    """

    sha256: StrArray
    path: StrArray
    classes: tuple[str, ...]
    proba: FloatArray
    sets: tuple[tuple[str, ...], ...]
    novelty: FloatArray
    decision: StrArray
    reason: StrArray
    nearest: tuple[tuple[str, ...], ...]
    given: StrArray
    group: StrArray
    suspicion: FloatArray
    suggested: StrArray
    sampling_prob: FloatArray

    def __len__(self) -> int:
        return len(self.sha256)

    @property
    def score(self) -> FloatArray:
        """Score of the suggested class, shape (n,)."""
        column = class_codes(self.suggested, self.classes)
        return np.asarray(self.proba[np.arange(len(self)), column])

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

    def compared(self, place: int, most: int) -> list[str]:
        """Classes that one image is to be told apart from: the suggested and the given one, then by falling score."""
        by_score = [self.classes[k] for k in np.argsort(-self.proba[place], kind="stable").tolist()]
        named = [name for name in (self.suggested[place], self.given[place]) if name in self.classes]
        return list(dict.fromkeys([*named, *by_score]))[:most]

    def take(self, rows: IntArray | NDArray[np.bool_]) -> Self:
        """Rows by index or mask, in the order given."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        arrays = ("sha256", "path", "proba", "novelty", "decision", "reason", "given", "group", "suspicion",
                  "suggested", "sampling_prob")  # fmt: skip
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in arrays},
            sets=tuple(self.sets[i] for i in rows.tolist()),
            nearest=tuple(self.nearest[i] for i in rows.tolist()),
        )


def expected_gain(items: Items) -> FloatArray:
    """Errors that one look at each image is expected to mend, in [0, 1], shape (n,).

    For a suspected label error the probability that the label is wrong; for a novel image that it is none of the
    classes, as far as its p-value tells; for the others the probability that the model's class is not theirs.
    """
    gain = 1.0 - items.score
    novel = items.kind == NOVELTY
    gain[novel] = np.maximum(gain[novel], 1.0 - np.nan_to_num(items.novelty[novel]))
    suspect = ~np.isnan(items.suspicion)
    gain[suspect] = items.suspicion[suspect]
    return np.asarray(np.clip(gain, 0.0, 1.0))


def margin_gain(proba: FloatArray) -> FloatArray:
    """What a label is expected to teach the next training: 1 - (best - second best score), shape (n,).

    Margin sampling (Scheffer et al., 2001). `proba` has shape (n, K).
    """
    if proba.shape[1] < 2:
        return np.zeros(len(proba))
    best = np.partition(proba, -2, axis=1)[:, -2:]
    return np.asarray(1.0 - (best[:, 1] - best[:, 0]))


def draw_control(items: Items, size: int, seed: int = 0) -> FloatArray:
    """Draw accepted images at random within each predicted class, so that the error among accepted can be measured.

    Parameters
    ----------
    items : Items
    size : int
        Images wanted in all; 0 for none. Each class gets its share of it, at least `MIN_PER_CLASS` where it has them.
    seed : int
        With the images' hashes it decides the draw: the same images give the same sample, in whatever order.

    Returns
    -------
    float array, shape (n,)
        The chance of each drawn image (drawn over accepted of its class), NaN for those not drawn.
    """
    chance = np.full(len(items), np.nan)
    accepted = (items.decision == ACCEPT) & np.isnan(items.suspicion)
    if size <= 0 or not accepted.any():
        return chance
    draw = np.array([_draw(sha, seed) for sha in items.sha256])
    for name in items.classes:
        rows = np.flatnonzero(accepted & (items.suggested == name))
        if not len(rows):
            continue
        wanted = max(MIN_PER_CLASS, round(size * len(rows) / int(accepted.sum())))
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
        "gain" (`expected_gain`), "margin" (`margin_gain`) or "random".
    seed : int
        Of the random order, and of the order within the control sample.
    """
    draw = np.array([_draw(sha, seed + 1) for sha in items.sha256], dtype=np.float64)
    key = draw
    if by != "random":
        key = expected_gain(items) if by == "gain" else margin_gain(items.proba)
    ranked = np.lexsort((draw, -key))
    kind = items.kind[ranked]
    needed, control, other = ranked[~np.isin(kind, (CONTROL, OTHER))], ranked[kind == CONTROL], ranked[kind == OTHER]
    control = _strata_in_turn(items, control, draw)
    place = np.concatenate([np.arange(len(needed)), (np.arange(len(control)) + 0.5) * max(len(needed), 1) /
                            max(len(control), 1)])  # fmt: skip
    front = np.concatenate([needed, control])[np.argsort(place, kind="stable")]
    return items.take(np.concatenate([front, other]).astype(np.int64))


def _strata_in_turn(items: Items, rows: IntArray, draw: FloatArray) -> IntArray:
    """The control sample in an order in which any beginning holds each class in about its share, at random within."""
    place = np.zeros(len(rows))
    for name in set(items.suggested[rows].tolist()):
        own = np.flatnonzero(items.suggested[rows] == name)
        rank = np.argsort(np.argsort(draw[rows[own]], kind="stable"), kind="stable")
        place[own] = (rank + 0.5) / len(own)
    return rows[np.argsort(place, kind="stable")]
