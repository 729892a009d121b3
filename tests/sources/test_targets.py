"""The column of numbers: every faulty cell is named with its row, odd columns are told, good ones are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import WriteImages

from graticule.arrays import object_array
from graticule.errors import ManifestError, OptionError
from graticule.sources.sources import list_images, read_manifest
from graticule.sources.tables import Faults
from graticule.sources.targets import TargetColumn, check_learnable, check_targets, target_warnings
from graticule.tasks import REGRESSION


def faults_of(cells: list[str], sizes: list[str] | None = None, **about: object) -> dict[str, list[str]]:
    found = Faults("t")
    check_targets(cells, sizes, list(range(2, len(cells) + 2)), TargetColumn("x", **about), found)  # type: ignore[arg-type]
    return found.found


@pytest.mark.parametrize(
    ("cell", "kind", "about"),
    [
        ("many", "is no number", {}),
        ("0,5", "is no number (write a decimal point, not a comma)", {}),
        ("nan", "is NaN", {}),
        ("-inf", "is infinite", {}),
        ("-0.1", "lies below --target-min 0", {"least": 0.0}),
        ("1.5", "lies above --target-max 1", {"most": 1.0}),
        ("0", "is not above 0", {"positive": True}),
        ("12 nm", "with a unit behind the number", {}),
    ],
)
def test_a_cell_that_is_no_number_is_named(cell: str, kind: str, about: dict[str, object]) -> None:
    assert faults_of(["0.5", "", "1e-3"], **about) == {}
    ((said, details),) = faults_of(["0.5", cell, "", cell], **about).items()
    assert said.startswith(f"x {kind}")
    assert details == [f"row 3: {cell!r}", f"row 5: {cell!r}"]


def test_two_units_are_counted() -> None:
    found = faults_of(["12 nm", "3 µm", "4µm"])
    assert found["x in more than one unit"][0].startswith("'µm' 2 times, 'nm' 1 times")


def test_a_length_per_pixel_size_needs_the_size() -> None:
    assert faults_of(["1", "2"], ["3", "4"], per_pixel_size=True) == {}
    assert "which 1 rows lack" in faults_of(["1", "", "2"], ["3", "", ""], per_pixel_size=True)["pixel size missing"][0]
    assert "which 2 rows lack" in faults_of(["1", "2"], None, per_pixel_size=True)["pixel size missing"][0]


def test_a_table_needs_no_label(write_images: WriteImages, tmp_path: Path) -> None:
    write_images(3)
    table = tmp_path / "manifest.csv"
    table.write_text("path,Fraction,group\nimages/000.png, 0.5 ,a\nimages/001.png,,\nimages/002.png,2,b\n")
    found = read_manifest(tmp_path, target=TargetColumn("fraction"))
    assert (found.task, found.label.tolist()) == (REGRESSION, ["", "", ""])
    np.testing.assert_array_equal(found.targets, [0.5, np.nan, 2.0])
    assert found.with_target.tolist() == [True, False, True]
    with pytest.raises(OptionError, match=r"--target area: there is no such column; .* 'Fraction'"):
        read_manifest(table, target=TargetColumn("area"))
    with pytest.raises(ManifestError, match="missing column"):
        read_manifest(table)
    with pytest.raises(OptionError, match="class folders have no columns"):
        read_manifest(tmp_path / "images", target=TargetColumn("fraction"))
    table.write_text("path,x,group\nimages/000.png,0.5,\nimages/001.png,bad,b\n")
    with pytest.raises(ManifestError, match=r"(?s)2 faults.*x is no number.*row 3: 'bad'.*no group"):
        read_manifest(table, target=TargetColumn("x"))


def test_equal_numbers_teach_nothing(write_images: WriteImages, tmp_path: Path) -> None:
    write_images(2)
    table = tmp_path / "t.csv"
    for cells, said in ((("3", "3.0"), "all 2 numbers in the column 'x' are 3"), (("", ""), "none of 2 images")):
        table.write_text("path,x\n" + "".join(f"images/00{i}.png,{cell}\n" for i, cell in enumerate(cells)))
        with pytest.raises(ManifestError, match=said):
            check_learnable(read_manifest(table, target=TargetColumn("x")), TargetColumn("x"))


def test_odd_columns_are_told() -> None:
    even, groups = np.linspace(0.1, 1, 40), object_array([f"g{i % 12}" for i in range(40)])
    plain = TargetColumn("x")
    assert target_warnings(even, groups, plain) == []
    assert target_warnings(even, None, plain) == []
    told = {
        "10 different values only": target_warnings(np.arange(40.0) % 10, groups, plain),
        "exactly 1, at the end": target_warnings(np.minimum(even * 1.5, 1), groups, TargetColumn("x", 0, 1)),
        "--target-scale log": target_warnings(np.exp(4 * even), groups, plain),
        "3 groups only": target_warnings(even, object_array(["a", "b", "c", "a"] * 10), plain),
        "12 images only": target_warnings(even[:12], None, plain),
    }
    for words, warnings in told.items():
        assert len(warnings) == 1, words
        assert words in warnings[0]
    assert target_warnings(np.exp(4 * even), groups, TargetColumn("x", positive=True)) == []


def test_a_list_to_predict_may_tell_pixel_sizes(write_images: WriteImages, tmp_path: Path) -> None:
    write_images(2)
    listed = tmp_path / "list.csv"
    listed.write_text("path,pixel_size_nm\nimages/001.png,2.5\nimages/000.png,\n")
    found = list_images(listed)
    assert found.path.tolist() == ["images/001.png", "images/000.png"]
    assert found.columns["pixel_size_nm"].tolist() == ["2.5", ""]
    listed.write_text("path,pixel_size_nm\nimages/001.png,-1\n")
    with pytest.raises(ManifestError, match="pixel_size_nm is no positive number"):
        list_images(listed)
