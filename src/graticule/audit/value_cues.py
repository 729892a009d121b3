"""What else than the object tells a number: each cue alone is given to a small model, as `shortcuts` does for classes.

The small model is kernel ridge regression, linear and local at once. What it says of an image comes from those of other
groups, and is linear in their numbers, so that it is refitted under hundreds of permuted numbers by one product each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graticule.arrays import BoolArray, FloatArray, IntArray, StrArray
from graticule.audit.cue_prediction import N_PERMUTATIONS, permuted_labels, step_down
from graticule.audit.shortcuts import ALPHA, Cue, Nature, as_model_sees, of_rows
from graticule.split.components import components, number_by_appearance
from graticule.statistics.association import Categorical, CueValues
from graticule.statistics.intervals import MIN_GROUPS
from graticule.statistics.resampling import draw_groups

# R2 from which a cue that is no chance matters: more where the object itself has a part in the cue
MARGIN: dict[Nature, float] = {"acquisition": 0.10, "picture": 0.25}
MOST_IMAGES = 1000  # that the small models see
FOLDS = 10
RIDGE = 0.3  # beside a kernel of about 2 on its diagonal
_FEWEST_GROUPS = 3
_N_BOOT = 500

VALUE_ADVICE = {
    "bar": "The info bar tells the number. Crop it: --info-bar crop.",
    "marks": "{words} tell the number: text, rulers or calipers stand in some frames more than in others. Mask them: "
    "--marks mask. Train with it and without, and compare.",
    "strip": "{words} tell the number by how they differ from the rows further in. If the object reaches there, this "
    "is information; if there is a bar, a caption or burnt-in text, it is a shortcut: crop it.",
    "file": "{words} tells the number. Read all images in one format and depth, made by the same export from the "
    "originals.",
    "instrument": "{words} tells the number. Image small and large ones on every instrument with the same settings, "
    "and give the instrument as group, so that each is tested on images of the others.",
    "scale": "{words} tells the number. Where the number is a physical length, that is how it must be: it cannot be "
    "read from pixels alone (`--per-pixel-size`). Otherwise image small and large ones at the same magnification.",
    "session": "{words} tells the number. Spread small and large ones over days, sites, operators and folders, or give "
    "it as group, so that each is tested on images of the others.",
    "size": "{words} tells the number. If images are cut to the object, its size is the number: then width and height "
    "answer the question without a picture, and a network, to which all images are resized, sees them only with "
    "`--size-features`. If not, cut all to one rule.",
    "border": "{words} tells the number. If the object reaches the border, this is information; if it is background or "
    "illumination, correct it (flat field, white balance) or cut closer, and compare.",
    "picture": "{words} tells the number. If brightness or colour is a property of the object, this is information, "
    "not a shortcut; if it is the exposure or the stain of a session, normalise it and compare.",
}


@dataclass(frozen=True)
class ValueAssociation:
    """What one cue tells of the number.

    Attributes
    ----------
    cue, words : str
    r2, low, high : float
        Share of the number's variance, between images of other groups, that the cue alone explains, and its 95 %
        interval over groups; 1 all, 0 no more than the mean, below 0 worse. Limits NaN with fewer than 10 groups.
    p_value : float
        That this is chance, corrected for all cues.
    nature : "acquisition" or "picture"
    flagged : bool
        Significant and at least `MARGIN`.
    advice : str
        What to do about it; "" where not flagged.
    """

    cue: str
    words: str
    r2: float
    low: float
    high: float
    p_value: float
    nature: Nature
    flagged: bool
    advice: str


@dataclass(frozen=True)
class ValueCues:
    """Every cue measured, strongest first; the share of variance that lies between groups; what limits the search."""

    associations: list[ValueAssociation]
    between_groups: float | None
    notes: list[str]


def find_value_cues(cues: Sequence[Cue], y: FloatArray, group: StrArray | None, *, seed: int = 0) -> ValueCues:
    """Which cues tell a number.

    Parameters
    ----------
    cues : sequence of Cue
        Constant ones are left out.
    y : float array, shape (n,)
        Finite.
    group : object array of str, shape (n,), or None
        Images of one group are never used to tell each other's number; "": the image stands alone.
    seed : int

    Raises
    ------
    ValueError
        If lengths differ.

    Notes
    -----
    Numbers are permuted by group (`permuted_labels`): groups keep what their images have in common. P-values are those
    of the step-down maxT procedure. At most 1,000 images are used, drawn at random.
    """
    if any(len(cue.values) != len(y) for cue in cues):
        raise ValueError(f"every cue must have {len(y)} values, one for each number")
    units = components(len(y), group, None)
    between = None if group is None else share_between(y, units)
    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(y))[:MOST_IMAGES]
    y, units = y[rows], number_by_appearance(units[rows])
    n_units = int(units.max(initial=-1)) + 1
    if n_units < _FEWEST_GROUPS or np.ptp(y) == 0:
        return ValueCues(
            [], between, [f"cues of a number need {_FEWEST_GROUPS} groups or more, and numbers that differ"]
        )
    prepared = [(cue, of_rows(values, rows)) for cue in cues if (values := as_model_sees(cue)) is not None]
    if not prepared:
        return ValueCues([], between, [])
    fold = _folds(units, generator)
    order = permuted_labels(np.arange(len(y)), units, N_PERMUTATIONS, generator)
    numbers = np.concatenate([y[None], y[order]]).T
    base = numbers - _mean_outside(numbers, fold)
    residuals = [numbers - _smoother(values, fold) @ numbers for _, values in prepared]
    scores = np.column_stack([1 - (left**2).sum(axis=0) / (base**2).sum(axis=0) for left in residuals])
    p = step_down(scores)
    found = [
        _associate(cue, float(score), _limits(left[:, 0], base[:, 0], units, seed), float(chance))
        for (cue, _), left, score, chance in zip(prepared, residuals, scores[0], p, strict=True)
    ]
    return ValueCues(sorted(found, key=lambda row: -row.r2), between, [])


def _associate(cue: Cue, r2: float, limits: tuple[float, float], p_value: float) -> ValueAssociation:
    flagged = r2 >= MARGIN[cue.nature] and p_value < ALPHA[cue.nature]
    advice = VALUE_ADVICE[cue.remedy].format(words=cue.words) if flagged else ""
    return ValueAssociation(cue.name, cue.words, r2, *limits, p_value, cue.nature, flagged, advice)


def share_between(y: FloatArray, units: IntArray) -> float:
    """Share of the variance of numbers (n,) that lies between groups (n,), 0 to 1: what random folds would give away.

    Corrected for the number of groups (epsilon squared), so that it is about 0 where groups mean nothing.
    """
    size = np.bincount(units)
    mean = np.bincount(units, y) / size
    total, within = float(((y - y.mean()) ** 2).sum()), float(((y - mean[units]) ** 2).sum())
    free, inside = len(y) - 1, len(y) - len(size)
    if total == 0 or inside <= 0:
        return 0.0
    return max(1 - (within / inside) / (total / free), 0.0)


def _folds(units: IntArray, generator: np.random.Generator) -> IntArray:
    """Whole groups into at most ten folds of about one size, shape (n,)."""
    size = np.bincount(units)
    n_folds = min(FOLDS, len(size))
    filled = np.zeros(n_folds)
    fold_of = np.empty(len(size), dtype=np.int64)
    shuffled = generator.permutation(len(size))
    for unit in shuffled[np.argsort(-size[shuffled], kind="stable")]:
        fold_of[unit] = filled.argmin()
        filled[fold_of[unit]] += size[unit]
    return np.asarray(fold_of[units])


def _mean_outside(numbers: FloatArray, fold: IntArray) -> FloatArray:
    """For each row the mean over the other folds, shape (n, b)."""
    size = np.bincount(fold)
    total = np.stack([numbers[fold == k].sum(axis=0) for k in range(len(size))])
    outside = (total.sum(axis=0) - total) / (len(fold) - size)[:, None]
    return np.asarray(outside[fold])


def _smoother(values: CueValues, fold: IntArray) -> FloatArray:
    """The matrix (n, n) by which numbers become what is said of each row from the other folds."""
    kernel = kernel_between(values, values)
    matrix = np.zeros_like(kernel)
    for k in range(int(fold.max()) + 1):
        out, rest = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        inner = kernel[np.ix_(rest, rest)] + RIDGE * np.eye(len(rest))
        weights = np.linalg.solve(inner, kernel[np.ix_(rest, out)]).T
        # around the mean of the other folds
        weights += (1 - weights.sum(axis=1, keepdims=True)) / len(rest)
        matrix[np.ix_(out, rest)] = weights
    return matrix


def kernel_between(a: CueValues, b: CueValues) -> FloatArray:
    """How alike rows (n) and rows (m) are by a cue, shape (n, m): same level, or near and on one side."""
    if isinstance(a, Categorical) and isinstance(b, Categorical):
        same: BoolArray = a.codes[:, None] == b.codes[None]
        return np.where(same, 2.0, 0.0)
    if isinstance(a, Categorical) or isinstance(b, Categorical):
        raise ValueError("rows of one cue are of one kind")
    m = a.shape[1]
    product = a @ b.T / m
    left, right = (a * a).sum(axis=1) / m, (b * b).sum(axis=1) / m
    distance = np.maximum(left[:, None] + right[None] - 2 * product, 0)
    return np.asarray(product + np.exp(-distance))


def _limits(left: FloatArray, base: FloatArray, units: IntArray, seed: int) -> tuple[float, float]:
    """Interval of R2 over groups, by drawing groups anew."""
    n_units = int(units.max()) + 1
    if n_units < MIN_GROUPS:
        return np.nan, np.nan
    per_unit = np.stack([np.bincount(units, values**2) for values in (left, base)])
    generator = np.random.default_rng(seed)
    drawn = np.stack(list(draw_groups(n_units, _N_BOOT, generator))) @ per_unit.T
    explained = 1 - drawn[:, 0] / np.maximum(drawn[:, 1], np.finfo(float).tiny)
    low, high = np.quantile(explained, [0.025, 0.975])
    return float(low), float(high)
