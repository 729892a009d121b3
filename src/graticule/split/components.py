"""Units of a split: samples that must stay on one side because they share a group or their pixels."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from graticule.arrays import StrArray, numbered
from graticule.split.duplicates.words import in_families

SHOWN = 10


def components(n: int, group: StrArray | None, duplicates: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Connected components of samples under "same group" and "same pixels".

    Parameters
    ----------
    n : int
        Number of samples.
    group : object array of str, shape (n,), optional
        "" or None: the sample stands alone.
    duplicates : int array, shape (n,), optional
        Same id, same pixels; a negative id: the sample stands alone.

    Returns
    -------
    int array, shape (n,)
        Components numbered from 0 in order of their first sample.
    """
    edges: list[NDArray[np.int64]] = []
    nodes = n
    if group is not None:
        # coded by first appearance of the text, so that neither names nor their types matter
        code: dict[object, int] = {}
        codes = np.array([code.setdefault(g, len(code)) if g else -1 for g in group], dtype=np.int64)
        edges.append(np.where(codes < 0, -1, nodes + codes))
        nodes += len(code)
    if duplicates is not None:
        inverse = numbered(duplicates)
        edges.append(np.where(np.asarray(duplicates) < 0, -1, nodes + inverse))
        nodes += int(inverse.max(initial=-1)) + 1
    if not edges:
        return np.arange(n, dtype=np.int64)
    source = np.tile(np.arange(n), len(edges))
    target = np.concatenate(edges)
    known = target >= 0
    return number_by_appearance(joined(nodes, np.column_stack([source, target])[known])[:n])


def joined(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Connected components of n nodes under pairs of them.

    Parameters
    ----------
    n : int
    pairs : int array, shape (m, 2)

    Returns
    -------
    int array, shape (n,)
        Components numbered from 0 in order of their first node.
    """
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return number_by_appearance(connected_components(graph, directed=False)[1])


def number_by_appearance(label: NDArray[np.integer]) -> NDArray[np.int64]:
    """The same partition, numbered from 0 in order of first appearance; shape (n,)."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbered: NDArray[np.int64] = rank[inverse.reshape(-1)]
    return numbered


def class_counts(component: NDArray[np.int64], codes: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Samples of each class in each component, shape (components, n_classes)."""
    n_components = int(component.max(initial=-1)) + 1
    flat = np.bincount(component * n_classes + codes, minlength=n_components * n_classes)
    return flat.reshape(n_components, n_classes)


def duplicate_notes(
    duplicates: NDArray[np.int64], names: StrArray, group: StrArray | None, component: NDArray[np.int64]
) -> list[str]:
    """What copies, exact or near, do to the folds: sets kept together, label conflicts, groups joined.

    Parameters
    ----------
    duplicates : int array, shape (n,)
    names : object array of str, shape (n,)
        Class of each sample.
    group : object array of str, shape (n,), optional
    component : int array, shape (n,)
        From `components`.
    """
    notes: list[str] = []
    members: dict[int, list[int]] = {}
    for i, identity in enumerate(duplicates.tolist()):
        if identity >= 0:
            members.setdefault(identity, []).append(i)
    sets = [rows for rows in members.values() if len(rows) > 1]
    if sets:
        notes.append(f"{in_families(sum(map(len, sets)), len(sets))} of copies stay on one side of every split")
    conflicts = [sorted({str(names[i]) for i in rows}) for rows in sets]
    pairs = sorted({" / ".join(found) for found in conflicts if len(found) > 1})
    if pairs:
        different = [len(rows) for rows, found in zip(sets, conflicts, strict=True) if len(found) > 1]
        counted = in_families(sum(different), len(different))
        notes.append(f"{counted} of copies carry different labels: {', '.join(pairs[:SHOWN])}")
    if group is not None:
        by_component: dict[int, set[str]] = {}
        for c, g in zip(component.tolist(), group, strict=True):
            by_component.setdefault(c, set()).add(str(g))
        joined = [", ".join(sorted(found)[:SHOWN]) for found in by_component.values() if len(found) > 1]
        if joined:
            notes.append(f"groups that share copies count as one: {'; '.join(sorted(joined)[:SHOWN])}")
    return notes


def balance_notes(
    counts: NDArray[np.int64],
    totals: NDArray[np.int64],
    names: list[str],
    labels: list[str],
    k: int,
    what: str = "class",
) -> list[str]:
    """Where components are too large for even folds.

    Parameters
    ----------
    counts : int array, shape (M, C)
        Class counts of the components that are cross-validated.
    totals : int array, shape (k, C)
        Class counts of the folds.
    names : list of C str
        Classes.
    labels : list of M str
        A group's name, or another name of the component.
    k : int
    what : str
        What the names are of.
    """
    notes: list[str] = []
    share = counts / np.maximum(counts.sum(axis=0), 1)
    large = [(float(share[m, c]), m, c) for m, c in np.argwhere(share > 1.5 / k)] if k > 1 else []
    for part, m, c in sorted(large, key=lambda found: (-found[0], labels[found[1]], found[2]))[:SHOWN]:
        notes.append(f"{labels[m]} alone holds {part:.0%} of {what} {names[c]!r}, more than 1.5 times a fold's share")
    sizes = totals.sum(axis=1)
    if sizes.max(initial=0) > 1.5 * sizes.min(initial=sizes.max(initial=0)):
        notes.append(f"folds are uneven: {sizes.min()} to {sizes.max()} samples")
    return notes
