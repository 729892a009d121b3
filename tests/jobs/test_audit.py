"""`audit` as a function: what was planted in the table stands in the document, with or without a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from tests.jobs.drawn import Drawn, unrelated

from graticule.images.reading import Reading
from graticule.jobs.audit import audit
from graticule.jobs.options import AuditOptions


@pytest.fixture
def without_network(drawn: Drawn) -> Iterator[None]:
    """The drawn features in place of the network's, and no search for copies."""
    with drawn.instead_of_pixels() as encoder:
        reading = Reading(encoder.preprocessing, "as stored", "drawn")
        with (
            mock.patch("graticule.jobs.audited.encoder_of", return_value=encoder),
            mock.patch("graticule.jobs.audited.settle", return_value=(encoder, reading)),
            mock.patch("graticule.jobs.audited.relate", unrelated),
        ):
            yield


def test_counts_are_those_of_the_table(table: Path, tmp_path: Path, without_network: None) -> None:
    lines = table.read_text().splitlines()
    own = table.with_name("audited.csv")
    own.write_text("\n".join([lines[0], *lines[1:61], lines[61].replace(",b,", ",,").replace(",a,", ",,")]) + "\n")
    found = audit(own, None, AuditOptions())
    assert (found.n, found.n_unlabelled, found.classes) == (61, 1, {"a": 20, "b": 20, "c": 20})
    assert found.groups is not None
    assert found.groups.column == "group"
    assert [(row.width, row.height, row.n) for row in found.sizes] == [(16, 16, 61)]
    assert found.n_duplicates == {"exact": 0, "near": 0}
    assert list(tmp_path.iterdir()) == []


def test_the_folder_holds_the_same_document(table: Path, tmp_path: Path, without_network: None) -> None:
    found = audit(table, tmp_path / "out", AuditOptions())
    written = json.loads((tmp_path / "out" / "audit.json").read_text())
    told = json.loads(json.dumps(found.to_json()))
    assert {name: written[name] for name in told} == told
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {"audit.json", "audit.html", "failures.csv", "DONE"}
    assert found.recommendations
