"""Copies among samples: what is said of chains, and which leaks of a split they make."""

from __future__ import annotations

import numpy as np
from tests.made_samples import samples_of

from graticule.manifest import Manifest
from graticule.split.duplicates.find import Pair
from graticule.split.kinship import Kinship, kinship_notes, large_chains, split_leaks


def manifest_of(n: int, **columns: list[str]) -> Manifest:
    return samples_of(["a"] * n, **columns).manifest


def chained(n: int, length: int) -> Kinship:
    """The first `length` of n images follow each other as near-duplicates."""
    pairs = [Pair(i, i + 1, "near", 0.9, "") for i in range(length - 1)]
    near = np.r_[np.zeros(length, np.int64), np.arange(1, n - length + 1)]
    return Kinship(pairs, np.arange(n), near)


def test_a_chain_counts_when_it_is_long_and_a_good_part_of_its_class() -> None:
    assert large_chains(chained(100, 11), manifest_of(100)) == [(11, 0.11, "a", "000.png")]
    assert large_chains(chained(100, 10), manifest_of(100)) == []
    assert large_chains(chained(200, 11), manifest_of(200)) == []
    exact = Kinship([], np.zeros(30, np.int64), np.zeros(30, np.int64))
    assert large_chains(exact, manifest_of(30)) == []


def test_notes_say_what_happens_to_copies_and_ask_about_chains() -> None:
    joined = kinship_notes(chained(100, 12), manifest_of(100), joined=True)
    apart = kinship_notes(chained(100, 12), manifest_of(100), joined=False)
    assert joined[0] == "of the copies 12 images in 1 family are altered ones, near-duplicates"
    assert "chain into a family of 12 images, 12% of class 'a', such as 000.png" in joined[1]
    assert "--near-duplicates exact" in joined[1]
    assert "they are treated as different images" in apart[0]
    assert "--near-duplicates join" in apart[1]
    assert kinship_notes(Kinship([], np.arange(3), np.arange(3)), manifest_of(3), joined=True) == []


def test_leaks_of_a_split_are_of_groups_copies_and_near_copies() -> None:
    split = ["train"] * 3 + ["test"] * 3
    manifest = manifest_of(6, split=split, group=["g", "h", "i", "j", "h", "k"])
    kinship = Kinship([], np.array([0, 1, 2, 0, 3, 4]), np.array([0, 1, 2, 0, 3, 2]))

    def kinds(found: list[object]) -> list[str]:
        return [leak.kind for leak in found]  # type: ignore[attr-defined]

    assert kinds(list(split_leaks(manifest, None))) == ["group"]
    assert set(kinds(list(split_leaks(manifest, kinship, near=False)))) == {"group", "duplicate"}
    assert "near-duplicate" in kinds(list(split_leaks(manifest, kinship)))
    assert split_leaks(manifest_of(4, group=["g"] * 4), kinship) == []
