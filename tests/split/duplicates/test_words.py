"""How families of copies are counted in words."""

from __future__ import annotations

from graticule.split.duplicates.words import in_families, kinds_of


def test_families_are_counted_as_people_do() -> None:
    assert in_families(57, 12) == "57 images in 12 families"
    assert in_families(2, 1) == "2 images in 1 family"
    assert in_families(1200, 1) == "1,200 images in 1 family"


def test_kinds_that_are_not_there_are_not_named() -> None:
    assert kinds_of(3, 9) == "3 identical, 9 nearly so"
    assert kinds_of(0, 9) == "9 nearly identical"
    assert kinds_of(3, 0) == "3 identical"
