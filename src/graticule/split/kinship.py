"""Which samples are copies of one another, and what of a split that the user brings is not independent."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.features.samples import Samples
from graticule.images.preprocess import Preprocessing
from graticule.manifest import Manifest, escape_path
from graticule.progress import Reporter
from graticule.split.duplicates.decision import Confirm
from graticule.split.duplicates.families import counts, families
from graticule.split.duplicates.find import Pair, duplicate_components, find_duplicates
from graticule.split.duplicates.registration import similarity_of_files
from graticule.split.duplicates.words import in_families
from graticule.split.leaks import Leak, find_leaks, group_units
from graticule.workers.pool import WorkerPool

LARGE_SHARE = 0.1
LARGE_COUNT = 10
_CHAINS = 3
_REMEMBERED = 10_000  # similarities in full detail; a rival is asked for with each pair that it rivals


@dataclass(frozen=True)
class Kinship:
    """Copies among n samples.

    Attributes
    ----------
    pairs : list of Pair
        Exact and near duplicates, by row.
    exact, near : int arrays, shape (n,)
        Components under exact duplicates alone, and under both kinds; equal numbers belong together.
    """

    pairs: list[Pair]
    exact: NDArray[np.int64]
    near: NDArray[np.int64]


@contextmanager
def in_full_detail(files: Sequence[Path], preprocessing: Preprocessing) -> Iterator[Confirm]:
    """Similarity of two of the files by row, as the network sees them; 0 where one is gone meanwhile.

    They are read in a worker process, which is started for the first pair.
    """
    similarity = partial(similarity_of_files, preprocessing=preprocessing)
    with WorkerPool(1) as pool:

        @lru_cache(maxsize=_REMEMBERED)
        def confirm(a: int, b: int) -> float:
            return pool.submit(similarity, [(files[a], files[b])], _unlike).result()[0]

        yield confirm


def _unlike(cause: str) -> float:
    """What stands for a pair of which one cannot be read."""
    return 0.0


def relate(samples: Samples, preprocessing: Preprocessing, reporter: Reporter) -> Kinship:
    """Find exact and near duplicates by pixels, fingerprints and features; doubtful pairs are read again."""
    n = len(samples.manifest)
    reporter.step("looking for near-duplicates")
    fingerprints = np.stack([facts.fingerprint for facts in samples.facts()])
    hashes = [item.pixel_sha256 for item in samples.info]
    with in_full_detail(samples.manifest.files(), preprocessing) as confirm:
        pairs = find_duplicates(hashes, fingerprints, samples.whole_features, confirm=confirm)
    exact = duplicate_components(n, [pair for pair in pairs if pair.kind == "exact"])
    return Kinship(pairs, exact, duplicate_components(n, pairs))


def large_chains(kinship: Kinship, manifest: Manifest) -> list[tuple[int, float, str, str]]:
    """Near-duplicates that chain into a component above a tenth of a class (and above ten images).

    Returns
    -------
    list of (images, share of the class, class, a path)
        Largest first. Components of exact duplicates alone are not meant.
    """
    per_class = Counter(manifest.label.tolist())
    chains = []
    sizes = np.bincount(kinship.near)
    for component in np.flatnonzero(sizes > LARGE_COUNT):
        rows = np.flatnonzero(kinship.near == component)
        if len(set(kinship.exact[rows].tolist())) == 1:
            continue
        name, n = Counter(manifest.label[rows].tolist()).most_common(1)[0]
        if n > LARGE_SHARE * per_class[name]:
            chains.append((len(rows), n / per_class[name], str(name), escape_path(manifest.path[rows[0]])))
    return sorted(chains, reverse=True)


def kinship_notes(kinship: Kinship, manifest: Manifest, *, joined: bool) -> list[str]:
    """What the report says of near-duplicates, and what it asks where they chain into a good part of a class."""
    near = counts([family for family in families(kinship.pairs) if family.kind == "near"])
    if not near["n"]:
        return []
    what = "stay on one side of a split" if joined else "are treated as different images"
    found = in_families(near["images"], near["n"])
    # where they are joined, the folds say already that copies stay together
    notes = [f"of the copies {found} are altered ones, near-duplicates" if joined
             else f"{found} of near-duplicates were found; they {what}"]  # fmt: skip
    for n, share, name, path in large_chains(kinship, manifest)[:_CHAINS]:
        whole = f"class {name!r}" if name else "all images"
        ask = (
            "if they only look alike, use --near-duplicates exact"
            if joined
            else "if they show the same objects, the figures are too good: use --near-duplicates join, or name what "
            "they share in a column and use --group"
        )
        notes.append(
            f"near-duplicates chain into a family of {n} images, {share:.0%} of {whole}, such as {path}. Do "
            f"they show the same objects? They {what}; {ask}"
        )
    return notes


def split_leaks(manifest: Manifest, kinship: Kinship | None, *, near: bool = True) -> list[Leak]:
    """Leaks of the manifest's split column; without `kinship` groups alone, and near-duplicates if asked for."""
    if manifest.split is None:
        return []
    units = {"group": group_units(manifest.group, len(manifest))}
    if kinship is not None:
        units |= {"duplicate": kinship.exact} | ({"near-duplicate": kinship.near} if near else {})
    return find_leaks(manifest.split, manifest.path, units)
