"""Families of copies: each copy finds its original, however many there are, and look-alikes stay apart."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from tests.split.duplicates.test_find import CHANGES, Image, cell, names, table

from graticule.split.duplicates.candidates import candidate_pairs, farther_pairs
from graticule.split.duplicates.decision import FARTHEST, _neighbours, _outside, crowded, family_reach, stand_out
from graticule.split.duplicates.families import counts, families, under_two_labels
from graticule.split.duplicates.find import Pair, duplicate_components, find_duplicates
from graticule.split.duplicates.registration import full_similarity


@pytest.fixture(scope="module")
def cells() -> list[Image]:
    rng = np.random.default_rng(7)
    return [cell(rng) for _ in range(90)]


def copies(original: Image, n: int, rng: np.random.Generator) -> list[Image]:
    """Altered copies; each has noise of its own, so that no two of them are equal."""
    changes = [change for change, _ in CHANGES.values()]
    altered = [changes[rng.integers(len(changes))](original) for _ in range(n)]
    return [np.clip(p + rng.normal(0.0, 2.0, p.shape), 0, 255).astype(np.uint8) for p in altered]


def all_pairs(n: int) -> np.ndarray:
    return np.argwhere(np.triu(np.ones((n, n), dtype=bool), 1)).astype(np.int64)


@pytest.mark.parametrize("sizes", [(2,) * 10, (3,) * 8, (5,) * 6, (12,) * 3, (1, 2, 7, 25), (70,)])
def test_all_copies_stand_with_their_original_and_nothing_else_does(cells: list[Image], sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(sizes))
    images, source = list(cells), list(range(len(cells)))
    for original, size in enumerate(sizes):
        images += copies(cells[original], size, rng)
        source += [original] * size
    pairs = find_duplicates(names(len(images)), table(images))
    component = duplicate_components(len(images), pairs)
    planted = np.arange(len(images)) >= len(cells)
    found = component[planted] == component[np.array(source)[planted]]
    assert found.mean() >= 0.95
    assert [(p.a, p.b) for p in pairs if source[p.a] != source[p.b]] == []


@pytest.mark.parametrize("radii", [(8.0, 8.01), (7.0, 9.0)])
@pytest.mark.parametrize("seed", [0, 1])
def test_simple_objects_of_one_sort_are_no_family(seed: int, radii: tuple[float, float]) -> None:
    rng, images, rows = np.random.default_rng(seed), [], np.mgrid[:32, :32]
    for i in range(100):
        centre, radius = rng.uniform(13.0, 19.0, (2, 1, 1)), rng.uniform(*radii)
        away = np.hypot(*(rows - centre)) if i % 2 else np.abs(rows - centre).max(axis=0)
        picture = np.where(away < radius, 40.0, 220.0) + rng.normal(0.0, 14.0, (32, 32))
        images.append(np.clip(picture, 0, 255).astype(np.uint8))
    pairs = find_duplicates(names(100), table(images), confirm=lambda a, b: full_similarity(images[a], images[b]))
    assert len(pairs) <= 1  # two discs of one size in one place may be the same picture, half of all discs are not


def test_exact_copies_within_a_family_of_near_ones(cells: list[Image]) -> None:
    near = copies(cells[3], 8, np.random.default_rng(0))
    images = [*cells, *near, *near[:4]]
    hashes = names(len(cells) + 8)
    component = duplicate_components(len(images), find_duplicates(hashes + hashes[-8:-4], table(images)))
    assert np.flatnonzero(component == component[3]).tolist() == [3, *range(len(cells), len(images))]


def test_frames_that_drift_across_a_wide_scene_chain(cells: list[Image]) -> None:
    rng = np.random.default_rng(5)
    scene = np.concatenate([np.concatenate([cell(rng) for _ in range(3)], axis=1) for _ in range(2)])
    frames = [scene[30:102, at : at + 72] + rng.normal(0.0, 2.0, (72, 72)) for at in range(0, 140, 5)]
    images = cells + [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]
    component = duplicate_components(len(images), find_duplicates(names(len(images)), table(images)))
    # some frames, half of one cell and half of the next, may stay alone; the cells outside are no family
    assert np.bincount(component[len(cells) :]).max() >= 6
    assert len(set(component[: len(cells)].tolist())) == len(cells)


def test_a_gap_in_the_distances_ends_a_family_and_a_crowd_without_one_is_none() -> None:
    pairs = all_pairs(9)
    family = (pairs < 5).all(axis=1)
    distance = np.where(family, 0.02, 0.4).astype(np.float32)
    reach, behind = family_reach(_neighbours(pairs, distance), 9, (0.33, 0.2))
    assert np.allclose(reach, [0.02] * 5 + [0.0] * 4)
    assert distance[behind[:5]].tolist() == distance[~family][:5].tolist()
    assert stand_out(pairs, 1.0 - distance, 9).tolist() == family.tolist()
    # objects that differ in two traits: whatever their number, distances grow without a gap
    place = np.random.default_rng(1).uniform(0.0, 0.4, (400, 2))
    pairs = all_pairs(400)
    distance = np.hypot(*(place[pairs[:, 0]] - place[pairs[:, 1]]).T).astype(np.float32) + 0.011
    assert stand_out(pairs, 1.0 - distance, 400).mean() < 1e-4


def test_a_copy_that_was_altered_more_is_judged_against_what_is_outside_of_its_family() -> None:
    pairs = all_pairs(8)
    core, loose = (pairs < 4).all(axis=1), (pairs[:, 0] < 4) & (pairs[:, 1] == 4)
    distance = np.where(core, 0.02, np.where(loose, 0.1, 0.35)).astype(np.float32)
    assert stand_out(pairs, 1.0 - distance, 8)[core | loose].sum() >= core.sum() + 1
    distance[loose] = 0.25  # too far for the thumbnails; full detail tells
    assert stand_out(pairs, 1.0 - distance, 8).tolist() == core.tolist()
    asked = []

    def full(a: int, b: int) -> float:
        asked.append((a, b))
        return 0.95 if max(a, b) <= 4 else 0.6

    decided = stand_out(pairs, 1.0 - distance, 8, full)
    assert decided[core].all()
    assert decided[loose].any()
    assert not decided[~(core | loose)].any()
    assert not stand_out(pairs, 1.0 - distance, 8, lambda a, b: 0.6)[loose].any()
    assert not stand_out(pairs, 1.0 - distance, 8, full, fits=~loose)[loose].any()


def test_the_nearest_outside_agrees_with_a_search_one_by_one() -> None:
    rng = np.random.default_rng(3)
    pairs = all_pairs(12)[rng.random(66) < 0.6]
    distance = rng.uniform(0.0, 0.7, len(pairs)).astype(np.float32)
    family = rng.integers(0, 4, 12)
    found, origin = _outside(_neighbours(pairs, distance), family, pairs)
    for row, pair in enumerate(pairs):
        for side, image in enumerate(pair):
            rivals = [
                k
                for k, other in enumerate(pairs)
                if image in other and family[other.sum() - image] not in family[pair].tolist()
            ]
            best = min(rivals, key=lambda k: float(distance[k]), default=-1)
            assert origin[row, side] == best
            assert found[row, side] == pytest.approx(0.1 if best < 0 else min(distance[best], FARTHEST))


def test_crowded_images_are_compared_with_ever_less_likely_ones(cells: list[Image]) -> None:
    fingerprints = table(cells + copies(cells[0], 30, np.random.default_rng(2)))
    known = candidate_pairs(fingerprints, None)
    more = farther_pairs(fingerprints, np.array([0]), known)
    assert (more == 0).any(axis=1).all()
    assert (more.max(axis=1) < len(cells)).any()  # beyond the thirty copies
    code = known[:, 0] * 120 + known[:, 1]
    assert not np.isin(more[:, 0] * 120 + more[:, 1], code).any()
    assert len(farther_pairs(fingerprints, np.array([], dtype=np.int64), known)) == 0
    pairs = np.array([[0, 1], [0, 2], [3, 4]])
    assert crowded(pairs, np.array([0.9, 0.9, 0.5], dtype=np.float32), 5, 2).tolist() == [0]


def pairs_of(*families: tuple[list[int], str]) -> list[Pair]:
    """Every two images of each family, of one kind; of equal pixels each image with the first one."""
    found = []
    for rows, kind in families:
        ends = [(rows[0], row) for row in rows[1:]] if kind == "exact" else list(combinations(rows, 2))
        found += [Pair(a, b, kind, 1.0 if kind == "exact" else 0.9, "mirrored") for a, b in ends]  # type: ignore[arg-type]
    return found


def test_pairs_are_told_as_families_largest_first() -> None:
    sizes = [2, 3, 20, 5, 2, 300]
    starts = np.cumsum([0, *sizes])
    rows = [list(range(a, b)) for a, b in pairwise(starts)]
    found = families(pairs_of(*((part, "near") for part in rows)))
    assert [list(family.rows) for family in found] == [rows[5], rows[2], rows[3], rows[1], rows[0], rows[4]]
    assert all(family.complete for family in found)
    assert counts(found) == {"n": 6, "images": 332, "exact": 0, "near": 6}
    assert families([]) == []


def test_equal_pixels_within_a_family_of_near_copies_are_one_picture() -> None:
    exact, near = pairs_of(([1, 4, 6], "exact"), ([9, 12], "exact")), pairs_of(([1, 2, 9], "near"))
    (mixed,) = families(exact + near)
    assert (mixed.rows, mixed.kind, mixed.complete) == ((1, 2, 4, 6, 9, 12), "near", True)
    assert mixed.changes == ("mirrored",)
    assert [(family.rows, family.kind, family.complete) for family in families(exact)] == [
        ((1, 4, 6), "exact", True),
        ((9, 12), "exact", True),
    ]


def test_a_chain_is_no_complete_family() -> None:
    (chain,) = families([Pair(0, 1, "near", 0.95, "shifted"), Pair(1, 2, "near", 0.8, "shifted")])
    assert (chain.rows, chain.complete, chain.similarity) == ((0, 1, 2), False, 0.8)


def test_a_family_under_two_labels() -> None:
    (family,) = families(pairs_of(([0, 1, 2], "exact")))
    assert under_two_labels(family, ["", "x", "y"])
    assert not under_two_labels(family, ["", "x", "x"])
    assert not under_two_labels(family, ["", "", ""])
