"""What both audits tell of the images is the same for the same images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from tests.jobs.drawn import Drawn, unrelated

from graticule.errors import ManifestError
from graticule.images.reading import Reading
from graticule.jobs.audited import _unproven, _without_parents, about_images, look_at_images
from graticule.jobs.options import AuditOptions
from graticule.progress import Silent
from graticule.sources.sources import read_manifest
from graticule.split.parents_table import BESIDE, read_parents


def test_images_are_looked_at_and_told_of(drawn: Drawn, table: Path) -> None:
    options = AuditOptions()
    with drawn.instead_of_pixels() as encoder:
        reading = Reading(encoder.preprocessing, "as stored", "drawn")
        with (
            mock.patch("graticule.jobs.audited.encoder_of", return_value=encoder),
            mock.patch("graticule.jobs.audited.settle", return_value=(encoder, reading)),
            mock.patch("graticule.jobs.audited.relate", unrelated),
        ):
            found = look_at_images(read_manifest(table), options, Silent())
    told = about_images(table, None, options, found, 0.0)
    assert told["n"] == len(found.samples.manifest) == 90
    assert told["command"].startswith("graticule audit ")
    assert told["intensity"].policy == "as stored"
    assert replace(found).instruments.instrument.shape == (90,)


def test_training_with_synthetic_images_that_it_refuses_is_told_beforehand(drawn: Drawn, table: Path) -> None:
    lines = table.read_text().splitlines()
    made = table.with_name("made.csv")
    rows = [f"{lines[0]},origin,generator", *(f"{line},," for line in lines[1:60])]
    made.write_text("\n".join([*rows, *(f"{line},synthetic,gan" for line in lines[60:])]) + "\n")
    everything = read_manifest(made)
    assert "31 synthetic images" in (said := _without_parents(made, everything))
    with pytest.raises(ManifestError) as refused:
        read_parents(made, everything, BESIDE)
    assert said == str(refused.value)
    assert "31 of 31 synthetic images were not accepted by a gate (no gate: 31)" in _unproven(everything)
    assert _unproven(read_manifest(table)) == ""
    made.write_text(
        made.read_text()
        .replace("generator\n", "generator,gate\n")
        .replace(",gan\n", ",gan,accepted\n")
        .replace(",,\n", ",,,\n")
    )
    assert _unproven(read_manifest(made)) == ""
    beside = made.with_name("parents.csv")
    beside.write_text(f"generator,sha256\ngan,{'0' * 64}\n")
    assert _without_parents(made, everything) == ""
    beside.unlink()
    assert _without_parents(table, read_manifest(table)) == ""
