"""What instruments wrote, over a data set: the table wins over the files, and what nobody wrote stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.made_samples import samples_of

from graticule.audit.instruments import describe_instruments, read_instruments, with_instruments
from graticule.features.samples import Samples
from graticule.formats.instrument.metadata import Metadata
from graticule.images.burnt_in.infobar import Bar
from graticule.images.cues import N_CUES
from graticule.images.facts import Facts
from graticule.images.fingerprint import FINGERPRINT_SIZE
from graticule.images.intensity import PixelRange


def written_by(metadata: Sequence[Metadata], *, bar: Bar | None = None, **columns: Sequence[str]) -> Samples:
    """Samples of the classes a and b in turn, with these metadata in their files; the first file has the bar."""
    made = samples_of([("a", "b")[i % 2] for i in range(len(metadata))], **columns)
    facts = [
        Facts(
            "PNG", "", 1, PixelRange("8 bit", 0, 1, 0, 1), (0.0, 0.0), told, None if i else bar, ("first of 3 pages",),
            np.zeros(N_CUES, np.float32), np.zeros(FINGERPRINT_SIZE, np.uint8),
        )
        for i, told in enumerate(metadata)
    ]  # fmt: skip
    return replace(made, info=[replace(i, facts=f.to_bytes()) for i, f in zip(made.info, facts, strict=True)])


TOLD = (
    Metadata(pixel_size_nm=5.0, instrument="Quanta 200", vendor="FEI", warnings=("odd",)),
    Metadata(instrument="fei Quanta", vendor="FEI"),
    Metadata(vendor="Zeiss"),
    Metadata(),
)


def test_files_tell_sizes_names_bars_and_notes() -> None:
    found = read_instruments(written_by(TOLD, bar=Bar(50, 60, "pixels")))
    np.testing.assert_array_equal(found.pixel_size_nm, [5.0, np.nan, np.nan, np.nan])
    assert found.instrument.tolist() == ["FEI Quanta 200", "fei Quanta", "Zeiss", ""]
    assert found.bar_rows.tolist() == [10, 0, 0, 0]
    assert found.notes[:2] == [("first of 3 pages", "odd"), ("first of 3 pages",)]


def test_a_cell_of_the_table_wins_and_an_empty_one_says_nothing() -> None:
    columns = {"pixel_size_nm": ["", "7.5", "", ""], "instrument": ["mine", "", "", ""]}
    found = read_instruments(written_by(TOLD, **columns))
    np.testing.assert_array_equal(found.pixel_size_nm, [5.0, 7.5, np.nan, np.nan])
    assert found.instrument.tolist() == ["mine", "fei Quanta", "Zeiss", ""]


def test_the_manifest_gets_what_is_known_and_no_empty_column() -> None:
    samples = written_by(TOLD)
    filled = with_instruments(samples.manifest, read_instruments(samples))
    assert filled.columns["pixel_size_nm"].tolist() == ["5", "", "", ""]
    nothing = written_by([Metadata()] * 4)
    assert with_instruments(nothing.manifest, read_instruments(nothing)).columns == nothing.manifest.columns


def test_the_findings_are_per_class() -> None:
    sizes = [Metadata(pixel_size_nm=10.0 if i % 2 else 5.0, vendor="AB"[i % 2]) for i in range(20)]
    samples = written_by(sizes)
    found = describe_instruments(read_instruments(samples), samples.manifest)
    assert found.known == 20
    assert {name: (row.median, row.instruments) for name, row in found.per_class.items()} == {
        "a": (pytest.approx(5.0), {"A": 10}),
        "b": (pytest.approx(10.0), {"B": 10}),
    }
    assert found.warnings
    plain = written_by([Metadata()] * 4)
    assert describe_instruments(read_instruments(plain), plain.manifest).warnings == ()
