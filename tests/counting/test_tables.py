"""The tables beside the predictions: which image a path names, and every fault by its row."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.counting.answered import answered

from graticule.answers import Scored
from graticule.counting.tables import read_control, read_details
from graticule.errors import ManifestError
from graticule.manifest import escape_path


@pytest.fixture
def scored(tmp_path: Path) -> Scored:
    """Six images in folders, of which the last cannot be read."""
    paths = pa.array([f"lot{i // 3}/{i}.png" for i in range(6)])
    return answered([0, 0, 1, 2, 2, -1], path=paths, summary={"images": escape_path(str(tmp_path / "images"))})


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writer of a CSV file."""

    def write_csv(header: str, *rows: tuple[Any, ...]) -> Path:
        file = tmp_path / "t.csv"
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([header.split(","), *rows])
        return file

    return write_csv


def test_without_a_table_nothing_is_known(scored: Scored) -> None:
    found = read_details(None, None, scored)
    assert (found.names, found.diameter_um, found.volume_ml, found.label) == ((), None, None, None)
    assert found.specimen.tolist() == [-1] * 6


def test_columns_are_spread_over_the_images_in_any_order(scored: Scored, write: Any) -> None:
    file = write(
        "path,specimen,diameter_um,volume_ml,label",
        ("lot1/4.png", "b", " 7.5 ", "", "protein"),
        ("lot0/1.png", "a", "", "0.5", ""),
        ("lot0/0.png", "b", "0", "2", "glass"),
        ("lot0/2.png", "", "3", "9", ""),
    )
    found = read_details(file, None, scored)
    assert found.names == ("b", "a")
    assert found.specimen.tolist() == [0, 1, -1, -1, 0, -1]
    np.testing.assert_array_equal(found.diameter_um, [0, np.nan, 3, np.nan, 7.5, np.nan])
    np.testing.assert_array_equal(found.volume_ml, [2, 0.5])
    np.testing.assert_array_equal(found.label, [1, -1, -1, -1, 2, -1])
    assert found.notes == ("3 of 6 images have no specimen in the table: they count in all only",)


def test_without_specimens_there_is_one_volume(scored: Scored, write: Any) -> None:
    found = read_details(write("path,volume_ml", ("lot0/0.png", "2"), ("lot0/1.png", "2.0")), None, scored)
    np.testing.assert_array_equal(found.volume_ml, [2.0])
    with pytest.raises(ManifestError, match="all images: 2 and 3 mL"):
        read_details(write("path,volume_ml", ("lot0/0.png", "2"), ("lot0/1.png", "3")), None, scored)


def test_paths_are_found_as_typed_or_as_files(scored: Scored, write: Any, tmp_path: Path) -> None:
    typed = [str(tmp_path / "images" / "lot0" / "0.png"), "./lot0/1.png", "lot0\\2.png", "images/lot1/3.png", "no.png"]
    found = read_details(write("path,specimen", *((path, "x") for path in typed)), None, scored)
    assert found.specimen.tolist() == [0, 0, 0, 0, -1, -1]
    assert found.notes[0] == "1 of 5 rows of t.csv name no image of the predictions"


def test_an_image_that_was_predicted_twice_counts_twice(write: Any) -> None:
    twice = answered([0, 1, 0], path=pa.array(["a", "b", "a"]))
    found = read_details(write("path,specimen", ("a", "x"), ("b", "y")), None, twice)
    assert found.specimen.tolist() == [0, 1, 0]
    assert found.notes == ("1 images are in the predictions more than once; every row counts",)


@pytest.mark.parametrize(
    ("header", "row", "word"),
    [
        ("path,specimen,volume_ml", ("lot0/0.png", "x", "-1"), "volume_ml is no number above 0"),
        ("path,specimen,volume_ml", ("lot0/0.png", "x", "0"), "volume_ml is no number above 0"),
        ("path,diameter_um", ("lot0/0.png", "wide"), "diameter_um is no number from 0"),
        ("path,diameter_um", ("lot0/0.png", "nan"), "diameter_um is no number from 0"),
        ("path,diameter_um", ("lot0/0.png", "inf"), "diameter_um is no number from 0"),
        ("path,label", ("lot0/0.png", "hair"), "label unknown to the model"),
        ("path,label", ("lot0/0.png", "Glass "), "'Glass ' (the model has 'glass', typed otherwise"),
        ("path,specimen", ("elsewhere.png", "x"), "is among the predictions"),
        ("file,specimen", ("lot0/0.png", "x"), "lacks path"),
    ],
)
def test_faulty_tables_are_named(scored: Scored, write: Any, header: str, row: tuple[str, ...], word: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read_details(write(header, row), None, scored)
    assert word in str(caught.value)


@pytest.mark.parametrize("column", ["specimen", "Lot"])
def test_specimens_that_look_alike_are_refused(scored: Scored, write: Any, column: str) -> None:
    file = write(f"path,{column}", ("lot0/0.png", "7"), ("lot0/1.png", "7.0"))
    with pytest.raises(ManifestError) as caught:
        read_details(file, None if column == "specimen" else "lot", scored)
    assert f"names in column {column} that differ only by" in str(caught.value)
    assert "'7' and '7.0': first in row 2, row 3" in str(caught.value)


def test_two_volumes_and_repeated_images_are_faults(scored: Scored, write: Any) -> None:
    rows = [("lot0/0.png", "x", "1"), ("lot0/1.png", "x", "2"), ("lot0/0.png", "x", "1")]
    with pytest.raises(ManifestError, match="x: 1 and 2 mL") as caught:
        read_details(write("path,specimen,volume_ml", *rows), None, scored)
    assert "same image twice" in str(caught.value)
    with pytest.raises(ManifestError, match=r"--by lot: .* has no such column; it has path, specimen"):
        read_details(write("path,specimen", ("lot0/0.png", "x")), "lot", scored)
    with pytest.raises(ManifestError, match="has a header and no rows"):
        read_details(write("path,specimen"), None, scored)


def test_a_control_sample_is_read_as_rows_codes_and_probabilities(scored: Scored, write: Any) -> None:
    file = write("path,label,sampling_prob", ("lot1/3.png", "fibre", "1"), ("lot0/0.png", "glass", "0.25"))
    found = read_control(file, scored)
    assert (found.row.tolist(), found.label.tolist()) == ([3, 0], [0, 1])
    np.testing.assert_array_equal(found.probability, [1, 0.25])
    assert read_control(write("path,label", ("lot1/3.png", "fibre")), scored).probability is None


@pytest.mark.parametrize(
    ("header", "row", "word"),
    [
        ("path,label", ("lot0/0.png", "hair"), "label unknown to the model"),
        ("path,label", ("lot0/0.png", "glas\u200bs"), r"'glas\u200bs' (the model has 'glass', typed otherwise"),
        ("path,label", ("lot9/0.png", "glass"), "control image not among the predictions"),
        ("path,label", ("lot1/5.png", "glass"), "image that the model could not read"),
        ("path,label", ("lot0/0.png", ""), "no label"),
        ("path,label,sampling_prob", ("lot0/0.png", "glass", "1.5"), "sampling_prob is not above 0 and up to 1"),
        ("path,label,sampling_prob", ("lot0/0.png", "glass", "0"), "sampling_prob is no number above 0"),
        ("path,label,sampling_prob", ("lot0/0.png", "glass", ""), "sampling_prob is not above 0 and up to 1"),
        ("path", ("lot0/0.png",), "lacks label"),
    ],
)
def test_faulty_control_samples_are_named(
    scored: Scored, write: Any, header: str, row: tuple[str, ...], word: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        read_control(write(header, row), scored)
    assert word in str(caught.value)
