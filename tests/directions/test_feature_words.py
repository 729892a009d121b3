"""Every orientation statistic has a family and words of its own."""

from __future__ import annotations

import pytest

from graticule.directions.feature_words import FAMILIES, family_of, feature_words, statistics_of_families
from graticule.directions.features import feature_names


def test_the_families_divide_the_statistics() -> None:
    found = statistics_of_families()
    assert list(found) == list(FAMILIES)
    assert all(found.values())
    assert sorted(place for places in found.values() for place in places) == list(range(len(feature_names())))


def test_no_two_statistics_are_called_the_same() -> None:
    names = feature_names()
    assert len({feature_words(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "family", "words"),
    [
        ("s1.5_equal_within15", "profile", "share within 15° of the most frequent direction (σ 1.5 px)"),
        ("s4_energy_share", "peak", "share in the peak of the mixture (σ 4 px, by energy)"),
        ("s1_energy_coherency_moment4", "order", "moment 4 about the director (σ 1 px, by energy and coherency)"),
        ("s2.5_tile_spread6", "tiles", "spread of the order of 6 x 6 parts (σ 2.5 px)"),
        ("s1_coherency_by_energy", "coherency", "coherency weighted by energy (σ 1 px)"),
        ("lgo_amount", "lgo", "amount of Local Gradient Orientation"),
    ],
)
def test_family_and_words(name: str, family: str, words: str) -> None:
    assert family_of(name) == family
    assert feature_words(name) == words
