"""Parts of an audit's document, from made-up samples without pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graticule.arrays import object_array
from graticule.audit.describe import copies, examples_of, group_column, size_counts
from graticule.features.samples import Samples
from graticule.images.decode import Decoded
from graticule.manifest import Manifest
from graticule.split.duplicates.find import Pair
from graticule.split.kinship import Kinship


def manifest(labels: str, **columns: list[str]) -> Manifest:
    paths = object_array([f"{i:02d}.png" for i in range(len(labels))])
    label = object_array(["" if name == "-" else name for name in labels])
    return Manifest(Path("/data"), paths, label, {name: object_array(cells) for name, cells in columns.items()})


def test_sizes_are_counted_most_frequent_first() -> None:
    own = manifest("aab")
    info = [Decoded(width=w, height=8, mode="grey, 8 bit") for w in (9, 7, 7)]
    samples = Samples(own, np.zeros((3, 1), np.float32), slice(None), slice(None), info, [], 3, 0, 0.0, [])
    assert [(row.width, row.n) for row in size_counts(samples)] == [(7, 2), (9, 1)]


def test_groups_are_counted_per_class() -> None:
    found = group_column(manifest("aab", group=["x", "y", "x"]), "auto")
    assert found is not None
    assert (found.column, found.n, found.per_class) == ("group", 2, {"a": 2, "b": 1})
    assert group_column(manifest("aab"), "auto") is None


def test_families_pairs_and_conflicts_tell_of_the_same_copies() -> None:
    own = manifest("aab-")
    pairs = [Pair(0, 1, "exact", 1.0, ""), Pair(1, 2, "near", 0.91239, "mirrored"), Pair(2, 3, "near", 0.9, "")]
    found = copies(own, Kinship(pairs, np.array([0, 0, 1, 2]), np.array([0, 0, 0, 0])))
    assert found["n_duplicates"] == {"exact": 1, "near": 2}
    assert [(row.a, row.b, row.similarity) for row in found["conflicts"]] == [("01.png", "02.png", 0.9124)]
    (family,) = found["families"]
    assert (family.n, family.kind, family.differs) == (4, "near", True)
    counts = found["components"]
    assert (counts.n, counts.images, counts.near, counts.two_labels.n) == (1, 4, 1, 1)
    assert (counts.largest.n, counts.largest.class_) == (4, "a")


def test_nothing_is_said_of_copies_where_there_are_none() -> None:
    found = copies(manifest("ab"), Kinship([], np.arange(2), np.arange(2)))
    assert found["families"] == ()
    assert found["components"].largest is None


def test_examples_are_spread_over_a_class() -> None:
    found = examples_of(manifest("a" * 50 + "bb"))
    assert found["b"] == ("50.png", "51.png")
    assert (found["a"][0], found["a"][-1], len(found["a"])) == ("00.png", "49.png", 6)
