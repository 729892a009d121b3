"""The seal on a held-out part: it is known by its pixels, and each other model that was scored on it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.made_samples import samples_of

from graticule.arrays import object_array
from graticule.split.seal import held_out_key, note_in_ledger, opened_by


def test_the_key_is_of_the_held_out_pixels_in_any_order() -> None:
    part = object_array(["test", "cv", "test"])
    key = held_out_key(samples_of(["a", "b", "a"], pixels=["x", "y", "z"]), part)
    assert key == held_out_key(samples_of(["a", "b", "b"], pixels=["z", "other", "x"]), part)
    assert key != held_out_key(samples_of(["a", "b", "a"], pixels=["x", "y", "y"]), part)
    assert held_out_key(samples_of(["a", "b"]), object_array(["cv", "cv"])) == ""


def test_other_models_count_once_and_the_same_one_never() -> None:
    assert opened_by("k" * 64) == []
    assert [note_in_ledger("k" * 64, model) for model in ("m1", "m1", "m2", "m3", "m2")] == [0, 0, 1, 2, 2]
    assert opened_by("k" * 64) == ["m1", "m2", "m3"]
    assert opened_by("l" * 64) == []


def test_without_a_held_out_part_nothing_is_written(cache_home: Path) -> None:
    assert note_in_ledger("", "m1") == 0
    assert not (cache_home / "openings").exists()


def test_a_ledger_that_cannot_be_written_is_not_fatal(cache_home: Path) -> None:
    (cache_home / "openings").write_text("a file where a folder should be")
    assert note_in_ledger("k" * 64, "m1") == 0


def test_a_damaged_ledger_begins_anew(cache_home: Path) -> None:
    note_in_ledger("k" * 64, "m1")
    (ledger,) = (cache_home / "openings").iterdir()
    ledger.write_text("{")
    assert opened_by("k" * 64) == []
    assert note_in_ledger("k" * 64, "m2") == 0
    assert opened_by("k" * 64) == ["m2"]


@pytest.fixture(autouse=True)
def _own_cache(cache_home: Path) -> None:
    assert not (cache_home / "openings").exists()
