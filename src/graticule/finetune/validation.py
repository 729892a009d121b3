"""Which rows of a training part choose the epoch instead of training: whole units of every class."""

import numpy as np

from graticule.arrays import BoolArray, IntArray


def validation_rows(
    y: IntArray, unit: IntArray, share_held: float, seed: int, *, trains: BoolArray | None = None
) -> tuple[IntArray, IntArray]:
    """Divide the rows of a training part into rows that train and rows that choose the epoch.

    Whole units (groups with their copies) are held out, class by class, until each class has given about its share;
    each class keeps at least one unit on the training side, and gives one only when it has two or more.

    Parameters
    ----------
    y, unit : int arrays, shape (n,)
        Class and unit of each row.
    share_held : float
        Share of the rows to hold out, in (0, 1).
    seed : int
    trains : bool array, shape (n,), optional
        Rows that must not judge, nor any of their units: synthetic images that train were made from them.

    Returns
    -------
    (training, validation) : int arrays
        Positions 0 to n - 1. Validation is empty where no class can spare a unit.
    """
    rng = np.random.default_rng([seed, 3])
    classes = np.unique(y)
    units, code = np.unique(unit, return_inverse=True)
    counts = np.zeros((len(units), len(classes)), np.int64)
    np.add.at(counts, (code.reshape(-1), np.searchsorted(classes, y)), 1)
    held, barred = np.zeros(len(units), bool), np.zeros(len(units), bool)
    if trains is not None:
        barred[code.reshape(-1)[trains]] = True
    total = counts.sum(axis=0)
    given, left = np.zeros_like(total), total.copy()
    for c in np.argsort(total, kind="stable"):
        wanted = share_held * total[c]
        for u in rng.permutation(np.flatnonzero((counts[:, c] > 0) & ~barred)):
            have = given[c]
            if have >= wanted:
                break
            if held[u]:
                continue
            rest = left - counts[u]
            # the unit that crosses the mark is taken when that brings the share nearer, and always as the first
            near = have == 0 or have + counts[u, c] - wanted <= wanted - have
            if near and (rest[total > 0] > 0).all() and counts[u].sum() <= 0.4 * len(y):
                held[u] = True
                given, left = given + counts[u], rest
    mask = held[code.reshape(-1)]
    return np.flatnonzero(~mask), np.flatnonzero(mask)
