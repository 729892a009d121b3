"""Shortcuts: what else than the object tells the class.

A network takes the easiest way: a scale bar, a file format, the day's illumination. Each cue is therefore given alone
to a small model; where it tells the class on samples of other groups, better than chance by a margin that matters,
the audit says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import IntArray, StrArray
from graticule.audit.cue_prediction import Prediction, predict_from_cues
from graticule.split.components import components, number_by_appearance
from graticule.statistics.association import Categorical, CueValues, Strength, strengths

Nature = Literal["acquisition", "picture"]

MARGIN = 0.10  # balanced accuracy above chance
# Stricter where the object has a part in the cue. Together, clean data are flagged in fewer than 1 of 20 sets.
ALPHA: dict[Nature, float] = {"acquisition": 0.03, "picture": 0.01}
MOST_SAMPLES = 2000  # that the small models see

ADVICE = {
    "bar": "The info bar tells {name} apart. Crop it: --info-bar crop.",
    "marks": "{words} tell {name} apart: text, rulers or calipers stand in its frames more, or less, than in others. "
    "Mask them: --marks mask. Train with it and without, and compare the accuracy.",
    "strip": "{words} tell {name} apart by how they differ from the rows further in. If the object reaches "
    "there, this is information; if there is a bar, a caption or burnt-in text, it is a shortcut: crop it.",
    "file": "{words} tells {name} apart. Read all classes in one format and depth, made by the same export from the "
    "originals.",
    "instrument": "{words} tells {name} apart. Image every class on every instrument with the same settings, and give "
    "the instrument as group, so that each is tested on images of the others.",
    "scale": "{words} tells {name} apart. Bring all images to one pixel size, or image every class at the same ones.",
    "session": "{words} tells {name} apart. Spread the classes over days, sites, operators and folders, or give it as "
    "group, so that each is tested on images of the others.",
    "size": "{words} tells {name} apart. If the size of the crop is a property of the object, this is information, "
    "not a shortcut; if crops were cut by different rules, cut all to one rule.",
    "border": "{words} tells {name} apart. If the object reaches the border, this is information; if it is background "
    "or illumination, correct it (flat field, white balance) or cut closer, and compare the accuracy.",
    "picture": "{words} tells {name} apart. If brightness or colour is a property of the object, this is information, "
    "not a shortcut; if it is the exposure or the stain of a session, normalise it and compare the accuracy.",
}


@dataclass(frozen=True)
class Cue:
    """Something known of every sample beside the object.

    Attributes
    ----------
    name : str
        Short and stable, such as "info bar".
    words : str
        For people, the subject of a sentence: "The size of the file".
    kind : "numeric" or "categorical"
    values : array
        Numeric: float, shape (n,) or (n, m), NaN where unknown. Categorical: object array of str, shape (n,), ""
        where unknown (a level like others).
    remedy : str
        Key of `ADVICE`.
    nature : "acquisition" or "picture"
        How the image came about, or what the whole picture looks like, which the object itself has a part in.
    """

    name: str
    words: str
    kind: Literal["numeric", "categorical"]
    values: NDArray[np.float64] | StrArray
    remedy: str
    nature: Nature = "acquisition"


@dataclass(frozen=True)
class Association:
    """What one cue tells of the class.

    Attributes
    ----------
    cue : str
    class_ : str
        The class it tells apart best.
    strength, low, high : float
        Association with the class and its interval, 0 to 1; limits NaN where a class has a single unit.
    strength_measure : "cramers_v" or "epsilon_squared"
    measure : "balanced accuracy" or "balanced accuracy, one class against the rest"
    accuracy, chance : float
        Of a small model that sees this cue only, on samples of other groups.
    p_value : float
        That `accuracy` is chance, corrected for all cues and classes.
    nature : "acquisition" or "picture"
    """

    cue: str
    class_: str
    strength: float
    low: float
    high: float
    strength_measure: str
    measure: str
    accuracy: float
    chance: float
    p_value: float
    nature: Nature


@dataclass(frozen=True)
class Shortcut(Association):
    """An association that is significant and at least `MARGIN` above chance.

    Attributes
    ----------
    advice : str
        What to do about it.
    """

    advice: str


@dataclass(frozen=True)
class Shortcuts:
    """Shortcuts found, strongest first; every cue measured, in the order given; what limits the search."""

    flagged: list[Shortcut]
    associations: list[Association]
    notes: list[str]


def find_shortcuts(
    cues: Sequence[Cue],
    y: IntArray,
    classes: Sequence[str],
    group: StrArray | None,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Shortcuts:
    """Which cues tell the class.

    Parameters
    ----------
    cues : sequence of Cue
        Constant ones are left out.
    y : int array, shape (n,)
        Index into `classes`, >= 0.
    classes : sequence of K str
    group : object array of str, shape (n,), or None
        Samples of one group are never used to tell each other's class; "": the sample stands alone.
    seed : int
    level : float
        Of the intervals.

    Raises
    ------
    ValueError
        If lengths differ.

    Notes
    -----
    Accuracy is balanced over the classes, so chance is 1 / K whatever their sizes. A cue is flagged if the accuracy
    over all classes, or for one class against the rest, is 10 points above chance and the corrected p-value is below
    0.03, or below 0.01 for cues that the object has a part in; of the two accuracies the first is reported where it
    holds. The small models see at most 2,000 samples, thinned at random in the largest classes; strengths use all.
    """
    if any(len(cue.values) != len(y) for cue in cues):
        raise ValueError(f"every cue must have {len(y)} values, one for each label")
    units = components(len(y), group, None)
    present, codes = np.unique(y, return_inverse=True)
    names = [str(classes[k]) for k in present]
    notes = _group_notes(codes, units, names) if group is not None else []
    prepared = [(cue, values) for cue in cues if (values := as_model_sees(cue)) is not None]
    if len(names) < 2 or not prepared:
        return Shortcuts([], [], notes)
    generator = np.random.default_rng(seed)
    rows = _thin(codes, generator)
    seen = [of_rows(values, rows) for _, values in prepared]
    predictions = predict_from_cues(seen, codes[rows], number_by_appearance(units[rows]), seed=seed)
    measured = strengths([values for _, values in prepared], codes, units, seed=seed, level=level)
    associations, flagged = [], []
    for (cue, _), prediction, strength in zip(prepared, predictions, measured, strict=True):
        found, is_flagged = _associate(cue, prediction, strength, names)
        associations.append(found)
        if is_flagged:
            advice = ADVICE[cue.remedy].format(words=cue.words, name=repr(found.class_))
            flagged.append(Shortcut(**vars(found), advice=advice))
    flagged.sort(key=lambda s: -(s.accuracy - s.chance) / (1 - s.chance))
    return Shortcuts(flagged, associations, notes)


def _associate(cue: Cue, prediction: Prediction, strength: Strength, names: list[str]) -> tuple[Association, bool]:
    """The row of one cue, and whether it is a shortcut."""
    k = int(prediction.one_vs_rest.argmax())
    one = float(prediction.one_vs_rest[k])
    p_one = float(prediction.class_p_value[k])
    alpha = ALPHA[cue.nature]
    overall = prediction.accuracy >= 1 / len(names) + MARGIN and prediction.p_value < alpha
    single = one >= 0.5 + MARGIN and p_one < alpha
    by_class = single and not overall
    row = Association(
        cue=cue.name,
        class_=names[k],
        strength=strength.value,
        low=strength.low,
        high=strength.high,
        strength_measure="cramers_v" if cue.kind == "categorical" else "epsilon_squared",
        measure="balanced accuracy, one class against the rest" if by_class else "balanced accuracy",
        accuracy=one if by_class else prediction.accuracy,
        chance=0.5 if by_class else 1 / len(names),
        p_value=p_one if by_class else prediction.p_value,
        nature=cue.nature,
    )
    return row, overall or single


def as_model_sees(cue: Cue) -> CueValues | None:
    """Level codes, or standardised numbers with a column of 0 and 1 for what is unknown; None where constant."""
    if cue.kind == "categorical":
        levels, codes = np.unique(np.asarray(cue.values, dtype=object).astype(str), return_inverse=True)
        return Categorical(codes.reshape(-1).astype(np.int64), len(levels)) if len(levels) > 1 else None
    values = np.asarray(cue.values, dtype=np.float64).reshape(len(cue.values), -1)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values - mean, 0.0)
    centred[:, centred.std(axis=0) <= 1e-6 * np.abs(filled).max(axis=0)] = 0.0  # rounding only
    columns = np.column_stack([centred, np.unique(~known, axis=1)]).astype(np.float64)
    columns -= columns.mean(axis=0)
    spread = columns.std(axis=0)
    varies = spread > 1e-9
    return columns[:, varies] / spread[varies] if varies.any() else None


def of_rows(values: CueValues, rows: IntArray) -> CueValues:
    """Some rows of a cue as the small models see it."""
    return Categorical(values.codes[rows], values.n_levels) if isinstance(values, Categorical) else values[rows]


def _thin(codes: IntArray, generator: np.random.Generator) -> IntArray:
    """Rows in random order, at most `MOST_SAMPLES`: the largest classes are thinned to one size."""
    sizes = np.bincount(codes)
    cap = int(sizes.max())
    if len(codes) > MOST_SAMPLES:
        ascending = np.sort(sizes)
        room = (MOST_SAMPLES - np.append(0, np.cumsum(ascending)[:-1])) / np.arange(len(sizes), 0, -1)
        fits = np.flatnonzero(ascending > room)
        cap = max(int(room[fits[0]]), 2)
    order = generator.permutation(len(codes))
    by_class = order[np.argsort(codes[order], kind="stable")]
    place = np.arange(len(codes)) - (np.cumsum(sizes) - sizes)[codes[by_class]]
    kept: IntArray = generator.permutation(by_class[place < cap])
    return kept


def _group_notes(codes: IntArray, units: IntArray, names: list[str]) -> list[str]:
    """What groups make impossible to tell."""
    n_units = int(units.max(initial=-1)) + 1
    table = np.bincount(units * len(names) + codes, minlength=n_units * len(names)).reshape(n_units, len(names))
    notes = []
    if n_units < len(codes) and bool(((table > 0).sum(axis=1) == 1).all()):
        notes.append(
            "each group holds one class: a class cannot be compared within a group, and what differs between the "
            "groups of one class and those of another counts as a difference between classes"
        )
    single = [name for name, n in zip(names, (table > 0).sum(axis=0).tolist(), strict=True) if n == 1]
    if single:
        notes.append(
            f"all samples of one group: {', '.join(single)}; whether a cue tells such a class cannot be tested"
        )
    return notes
