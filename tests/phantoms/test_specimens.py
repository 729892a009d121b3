"""Styles of specimens: drawn from their ranges, by their generator alone, with instruments that take turns."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from graticule.phantoms.specimens import INSTRUMENTS, Specimen, draw_specimen


@pytest.fixture(scope="module")
def many() -> list[Specimen]:
    return [draw_specimen(np.random.default_rng(seed), seed) for seed in range(400)]


def test_a_style_depends_on_its_generator_alone(many: list[Specimen]) -> None:
    assert draw_specimen(np.random.default_rng(7), 7) == many[7]
    one, other = asdict(draw_specimen(np.random.default_rng(7), 8)), asdict(many[7])
    assert {name for name in one if one[name] != other[name]} == {"instrument", "azimuth"}


def test_instruments_take_turns(many: list[Specimen]) -> None:
    assert [specimen.instrument for specimen in many[:6]] == [0, 1, 2, 0, 1, 2]
    azimuths = [np.mean([s.azimuth for s in many if s.instrument == i]) for i in range(len(INSTRUMENTS))]
    assert np.ptp(azimuths) > 1.0  # each looks from its own side


def test_every_number_lies_in_the_range_that_its_meaning_allows(many: list[Specimen]) -> None:
    drawn = {name: np.array([asdict(s)[name] for s in many]) for name in asdict(many[0])}
    assert set(drawn.pop("substrate")) == {"tape", "stub", "membrane"}
    assert all(np.isfinite(values).all() for values in drawn.values())
    shares = ("shape", "ridges", "foreign", "sidedness", "limb", "edge", "halo", "substrate_yield", "charging")
    assert all(drawn[name].min() >= 0 and drawn[name].max() <= 1 for name in shares)
    assert drawn["order"].min() >= 1
    assert ((drawn["brightness"] - drawn["contrast"] / 2 > -60) & (drawn["brightness"] < 255)).all()
    # logarithms spread evenly: the median is the geometric mean of the ends
    assert np.median(drawn["radius_um"]) == pytest.approx(np.sqrt(0.4 * 30), rel=0.25)


def test_charge_spreads_the_yield_only_where_there_is_charge(many: list[Specimen]) -> None:
    charged = [s for s in many if s.charging > 0]
    assert 0.3 < len(charged) / len(many) < 0.5
    assert all(s.charge_spread > 0.1 for s in charged)
    assert {s.charge_spread for s in many if s.charging == 0} == {0.05}
