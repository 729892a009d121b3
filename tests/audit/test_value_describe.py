"""Numbers counted, copies with two of them found, pictures from small to large chosen."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.audit.test_instruments import written_by

from graticule.arrays import object_array
from graticule.audit.instruments import read_instruments
from graticule.audit.value_cues import ValueAssociation, ValueCues
from graticule.audit.value_describe import (
    cue_rows,
    instruments_of,
    scale_findings,
    target_numbers,
    value_copies,
    value_examples,
)
from graticule.formats.instrument.metadata import Metadata
from graticule.manifest import Manifest
from graticule.split.duplicates.find import Pair
from graticule.split.kinship import Kinship


def manifest_of(cells: list[str]) -> Manifest:
    path = object_array([f"{i:03d}.png" for i in range(len(cells))])
    empty = object_array([""] * len(cells))
    return Manifest(Path("/data"), path, empty, {"target": object_array(cells)}, task="regression")


def test_numbers_are_counted_without_empty_cells() -> None:
    found = target_numbers(manifest_of(["1", "2", "", "2", "5"]), "size", 0.25)
    assert (found.n, found.n_different, found.low, found.middle, found.high) == (4, 3, 1.0, 2.0, 5.0)
    assert found.between_groups == 0.25


def test_copies_carry_two_numbers_where_these_clearly_differ() -> None:
    manifest = manifest_of(["1.0", "1.01", "3.0", "9.0", "5", ""])
    pairs = [
        Pair(a=0, b=1, kind="near", similarity=0.99, change=""),
        Pair(a=2, b=3, kind="exact", similarity=1.0, change=""),
        Pair(a=4, b=5, kind="exact", similarity=1.0, change=""),
    ]
    near = np.array([0, 0, 1, 1, 2, 2])
    found = value_copies(manifest, Kinship(pairs, near, near))
    two = found["components"].two_labels
    assert (two.n, two.images, two.exact, two.near) == (1, 2, 1, 0)
    assert found["components"].n == 3
    assert [(pair.a, pair.b) for pair in found["conflicts"]] == [("002.png", "003.png")]
    assert {family.labels for family in found["families"] if family.differs} == {("3", "9")}
    assert found["components"].largest.class_ == ""


def test_examples_go_from_small_to_large() -> None:
    cells = [str(i) for i in np.random.default_rng(0).permutation(30)]
    manifest = manifest_of(cells)
    found = value_examples(manifest)
    number = {f"{i:03d}.png": float(cell) for i, cell in enumerate(cells)}
    assert list(found) == ["smallest: 0 to 5", "middling: 12 to 17", "largest: 24 to 29"]
    assert [number[path] for path in found["largest: 24 to 29"]] == [24.0, 25.0, 26.0, 27.0, 28.0, 29.0]
    assert len(value_examples(manifest_of(["1", "2"]))) == 3


def test_the_power_of_the_pixel_size_is_found() -> None:
    sizes = np.geomspace(2, 200, 20)
    for power in (0.0, 1.0, 2.0):
        found = scale_findings(manifest_of([f"{7 * size**power:.9g}" for size in sizes]), sizes)
        assert found is not None
        assert found.slope == pytest.approx(power, abs=1e-3)
        assert (found.low, found.high) == (2.0, 200.0)
    signed = scale_findings(manifest_of(["-1"] * 20), sizes)
    assert signed is not None
    assert signed.slope is None
    assert scale_findings(manifest_of(["1"] * 5), np.ones(5)) is None


def test_cues_without_limits_are_told_without() -> None:
    row = ValueAssociation("day", "The day", 0.51234, math.nan, math.nan, 0.002, "acquisition", True, "Spread.")
    (told,) = cue_rows(
        ValueCues(
            [
                row,
            ],
            None,
            [],
        )
    )
    assert (told.r2, told.low, told.high, told.flagged) == (0.5123, None, None, True)


def test_instruments_of_all_images_stand_in_one_row() -> None:
    samples = written_by([Metadata(pixel_size_nm=5.0, vendor="FEI"), Metadata(pixel_size_nm=7.0, vendor="FEI")])
    found = instruments_of(read_instruments(samples), samples.manifest)
    assert found is not None
    assert (found.n, found.min, found.max, found.instruments) == (2, 5.0, 7.0, {"FEI": 2})
    nothing = written_by([Metadata(), Metadata()])
    assert instruments_of(read_instruments(nothing), replace(nothing.manifest)) is None
