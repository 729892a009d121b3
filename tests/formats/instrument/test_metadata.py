"""Instrument metadata: merging, the JSON form, numbers with units, tolerant text."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from graticule.formats.instrument.metadata import Metadata, differ, from_json, merged, to_json

FULL = Metadata(3.0451, 25_000.0, 15.0, "ETD", "Quanta 200", "FEI", 884, ("pixels are not square",))


def test_first_statement_wins_field_by_field() -> None:
    first = Metadata(pixel_size_nm=2.0, detector="SE2", warnings=("a",))
    second = Metadata(2.01, 500.0, 5.0, "InLens", "Sigma", "Zeiss", 700, ("a", "b"))
    assert merged(first, second) == Metadata(2.0, 500.0, 5.0, "SE2", "Sigma", "Zeiss", 700, ("a", "b"))


@pytest.mark.parametrize(("other", "n_warnings"), [(100.9, 0), (101.1, 1), (99.05, 0), (98.9, 1), (200.0, 1)])
def test_pixel_sizes_contradict_beyond_one_per_cent(other: float, n_warnings: int) -> None:
    both = merged(Metadata(pixel_size_nm=100.0, vendor="FEI"), Metadata(pixel_size_nm=other))
    assert both.pixel_size_nm == 100.0
    assert len(both.warnings) == n_warnings
    assert all("100 nm (FEI)" in warning for warning in both.warnings)


def test_rows_that_contradict_are_named() -> None:
    assert "884" in merged(Metadata(image_rows=884), Metadata(image_rows=900)).warnings[0]


def test_merging_with_nothing_changes_nothing() -> None:
    assert merged(FULL, Metadata()) == FULL
    assert merged(Metadata(), FULL) == FULL
    assert merged(FULL, FULL) == FULL


def test_difference_is_symmetric() -> None:
    assert differ(1.0, 1.02)
    assert differ(1.02, 1.0)
    assert not differ(1.0, 1.009)


def test_json_round_trip_is_exact() -> None:
    rng = np.random.default_rng(3)
    for size in 10.0 ** rng.uniform(-3, 9, 200):
        metadata = Metadata(float(size), float(size) / 3, 0.1 + 0.2, "Détecteur µ", "", 'x"', int(size) + 1, ("w",))
        assert from_json(json.loads(json.dumps(to_json(metadata)))) == metadata
    assert from_json(to_json(Metadata())) == Metadata()


@pytest.mark.parametrize(
    "changed",
    [
        {"schema_version": 2},
        {"colour": "red"},
        {"pixel_size_nm": "3"},
        {"pixel_size_nm": math.nan},
        {"pixel_size_nm": math.inf},
        {"pixel_size_nm": 10**400},
        {"voltage_kv": -1.0},
        {"magnification": True},
        {"image_rows": 3.5},
        {"image_rows": 0},
        {"vendor": 5},
        {"warnings": "text"},
        {"warnings": [1]},
    ],
)
def test_faulty_json_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="instrument metadata"):
        from_json({**to_json(FULL), **changed})
