"""What a reader of the metrics must know, in whole sentences."""

import numpy as np

from graticule.arrays import IntArray
from graticule.evaluate.bootstrap import ScoredSamples
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import MIN_GROUPS

FEW_SAMPLES = 10


def notes_on(
    scored: ScoredSamples, fold: IntArray, classes: tuple[str, ...], part: str, groups: Groups | None
) -> list[str]:
    """Limitations of the figures of one part, most general first."""
    notes = []
    if part == "cv":
        notes.append(
            "Out-of-fold figures: each sample was scored by a model that did not see it. The intervals describe the "
            "choice of samples; they leave out the variance of retraining on other training sets."
        )
    notes += _group_notes(scored, classes, groups)
    sizes = np.bincount(scored.y, minlength=len(classes))
    absent = [name for name, size in zip(classes, sizes, strict=True) if size == 0]
    if absent:
        notes.append(f"No sample of {_listed(absent)}: its figures are undefined and macro averages leave it out.")
    few = [name for name, size in zip(classes, sizes, strict=True) if 0 < size < FEW_SAMPLES]
    if few:
        notes.append(f"Fewer than {FEW_SAMPLES} samples of {_listed(few)}: read its figures as anecdotes.")
    called = np.bincount(scored.predicted, minlength=len(classes))
    never = [name for name, size, calls in zip(classes, sizes, called, strict=True) if size > 0 and calls == 0]
    if never:
        notes.append(
            f"Never predicted: {_listed(never)}. Its precision is undefined and counts as 0 in the macro mean."
        )
    return notes + _fold_notes(scored.y, fold, classes, absent)


def _group_notes(scored: ScoredSamples, classes: tuple[str, ...], groups: Groups | None) -> list[str]:
    if groups is None:
        return []
    if len(groups) < MIN_GROUPS:
        return [
            f"Only {len(groups)} groups: fewer than {MIN_GROUPS} give no trustworthy interval. The values per group "
            "show the spread."
        ]
    spread = (groups.count(scored.y, len(classes)) > 0).sum(axis=0)
    rare = [name for name, count in zip(classes, spread, strict=True) if 0 < count < MIN_GROUPS]
    if not rare:
        return []
    return [
        f"In fewer than {MIN_GROUPS} groups: {_listed(rare)}. Its figures stand without intervals where they rest on "
        "these groups, and the intervals of macro averages are too narrow."
    ]


def _fold_notes(y: IntArray, fold: IntArray, classes: tuple[str, ...], absent: list[str]) -> list[str]:
    folds = np.unique(fold)
    if len(folds) < 2:
        return []
    notes = []
    for k, name in enumerate(classes):
        lacking = [str(f) for f in folds if not (y[fold == f] == k).any()]
        if lacking and name not in absent:
            where = f"fold {lacking[0]}" if len(lacking) == 1 else f"folds {', '.join(lacking)}"
            notes.append(
                f"No sample of {name} in {where}: its ROC AUC and average precision are means over the other folds."
            )
    return notes


def _listed(names: list[str], limit: int = 10) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
