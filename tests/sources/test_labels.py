"""Class names, groups and the columns with a fixed meaning: what they allow, and names that look alike."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.sources.inputs import fault, table, touch

from graticule.errors import OptionError
from graticule.sources.labels import TWINS, check_labels, check_values, choose_group, group_hint, unknown_class
from graticule.sources.sources import read_manifest
from graticule.sources.tables import Faults, Table


@pytest.mark.parametrize(
    ("folders", "kind"),
    [
        (["caf\u00e9", "cafe\u0301"], "Unicode normal form"),
        (["Cell", "cell"], "upper and lower case"),
        (["a", "line\nbreak"], "control character"),
        (["a", os.fsdecode(b"byte\xe9")], "not UTF-8"),
        (["a", " b"], "white space before or after"),
        (["a", " "], "white space only"),
    ],
)
def test_class_names_that_cannot_be_used(tmp_path: Path, folders: list[str], kind: str) -> None:
    touch(tmp_path, *(f"{folder}/1.png" for folder in folders))
    message = fault(tmp_path)
    assert kind in message
    message.encode("utf-8")


@pytest.mark.parametrize(
    ("one", "other"),
    [("T  cell", "T cell"), ("T\u00a0cell", "T cell"), ("blast\u200b", "blast"), ("0.0", "0"), ("\uff11", "1")],
)
def test_classes_that_look_alike_are_refused_with_both_in_ascii(tmp_path: Path, one: str, other: str) -> None:
    rows = f"path,label\na/1.png,{one}\na/2.png,{other}\nb/1.png,{other}\n"
    for message in (fault(table(tmp_path, rows)), fault(touch(tmp_path / "f", f"{one}/1.png", f"{other}/1.png"))):
        assert ascii(one) in message
        assert ascii(other) in message
        assert "differ only by" in message


@pytest.mark.parametrize("column", ["group", "specimen", "site", "instrument", "operator", "day"])
@pytest.mark.parametrize("twin", ["101 ", "101.0", "\ufeff101", "\uff1101"])
def test_names_that_look_alike_are_refused_where_they_divide_or_count(tmp_path: Path, column: str, twin: str) -> None:
    rows = ["a/1.png,x,101", "a/2.png,x,7", f"b/1.png,y,{twin}", "b/2.png,y,7"]
    message = fault(table(tmp_path, "\n".join([f"path,label,{column}", *rows])))
    assert f"names in column {column} that differ only by" in message
    assert f"{'101'!a}" in message
    assert ascii(twin) in message
    assert "row 4" in message
    rows = ["a/1.png,x,101", "a/2.png,x,1010", "b/1.png,y,101.5", "b/2.png,y,A-1"]
    assert not read_manifest(table(tmp_path, "\n".join([f"path,label,{column}", *rows]))).warnings


def test_twins_matter_only_in_the_column_that_divides(tmp_path: Path) -> None:
    file = table(tmp_path, "path,label,group,slide\na/1.png,x,1,s\na/2.png,x,1.0,S\nb/1.png,y,2,t\nb/2.png,y,2,t\n")
    assert "names in column group" in fault(file)
    assert "'S' and 's'" in fault(file, group="slide")
    assert read_manifest(file, group="none").group is None


def test_instruments_that_files_name_divide_a_runs_manifest_as_they_are_written(tmp_path: Path) -> None:
    file = table(tmp_path, "path,label,instrument\na/1.png,x,FEI Quanta\nb/1.png,y,FEI Nova\n")
    manifest = read_manifest(file)
    manifest.columns["instrument"][1] = "FEI QUANTA"
    manifest.write(tmp_path / "run.parquet")
    assert list(read_manifest(tmp_path / "run.parquet").columns["instrument"]) == ["FEI Quanta", "FEI QUANTA"]
    manifest.columns["specimen"] = manifest.columns["instrument"]
    manifest.write(tmp_path / "other.parquet")
    assert "names in column specimen" in fault(tmp_path / "other.parquet")


def test_a_group_that_shows_nothing_is_no_group(tmp_path: Path) -> None:
    rows = "path,label,group\na/1.png,x,1\na/2.png,x,\u200b\nb/1.png,y, \nb/2.png,y,2\n"
    message = fault(table(tmp_path, rows))
    assert "white space or invisible characters only (2)" in message
    assert r"'\u200b', first in row 3" in message


def test_names_that_may_be_one_are_told_and_taken_for_two(tmp_path: Path) -> None:
    rows = "path,label,group\na/1.png,x,007\na/2.png,x,7\nb/1.png,y,8\nb/2.png,y,9\n"
    manifest = read_manifest(table(tmp_path, rows))
    assert list(manifest.columns["group"]) == ["007", "7", "8", "9"]
    assert manifest.warnings == (
        "column group has names that look alike and were taken for different ones: '007' and '7'",
    )


def test_harmless_odd_class_names(tmp_path: Path) -> None:
    folders = ["-x", "<b>", "a'b\"c", "rtl\u200f", "100 %", "日本"]
    touch(tmp_path, *(f"{folder}/1.png" for folder in folders))
    assert read_manifest(tmp_path).classes == tuple(sorted(folders))


def test_group_choice(tmp_path: Path) -> None:
    file = table(tmp_path, "path,label,group,lot\na/1.png,x,g1,l1\na/2.png,x,g2,l1\nb/1.png,y,g1,l2\n")
    assert list(read_manifest(file).columns["group"]) == ["g1", "g2", "g1"]
    assert list(read_manifest(file, group="lot").columns["group"]) == ["l1", "l1", "l2"]
    assert list(read_manifest(file, group="lot").columns["lot"]) == ["l1", "l1", "l2"]
    for off in ("none", None):
        assert read_manifest(file, group=off).group is None
    with pytest.raises(OptionError, match=r"--group patient: .* columns are 'group', 'lot'"):
        read_manifest(file, group="patient")
    with pytest.raises(OptionError, match="class folders have no columns"):
        read_manifest(touch(tmp_path / "folders", "a/1.png"), group="patient")


def test_column_that_looks_like_a_group_is_pointed_out(tmp_path: Path) -> None:
    file = table(tmp_path, "path,label,Patient,well\na/1.png,x,p1,w1\na/2.png,x,p2,w2\nb/1.png,y,p1,w3\n")
    assert ["--group Patient" in warning for warning in read_manifest(file).warnings] == [True]
    assert read_manifest(file, group="Patient").warnings == ()
    assert read_manifest(file, group="none").warnings == ()


def test_group_values(tmp_path: Path) -> None:
    assert read_manifest(table(tmp_path, "path,label,group\na/1.png,x,\nb/1.png,y,\n")).group is None
    assert "no group" in fault(table(tmp_path, "path,label,lot\na/1.png,x,\nb/1.png,y,l\n"), group="lot")


def noted(**cells: list[str]) -> dict[str, list[str]]:
    """Faults of a table of these columns, all of them labelled."""
    n = len(next(iter(cells.values())))
    columns = {"label": ["x"] * n} | cells
    faults = Faults("t")
    check_values(columns, Table(columns, list(range(2, n + 2))), columns["label"], faults)
    return faults.found


def test_one_fault_a_class_name_with_its_count_and_first_row() -> None:
    faults = Faults("t")
    check_labels(["a ", "", "b", "a ", "\u200b", "B"], [2, 3, 4, 5, None, 7], faults)
    assert faults.found == {
        "label with white space before or after it": ["'a ' (2 samples, first in row 2)"],
        "label of invisible characters only": ["'\\u200b' (1 sample)"],
        f"classes that {TWINS}": ["'B' (1 sample, first in row 7) and 'b' (1 sample, first in row 4)"],
    }


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("origin", ["", "real", "synthetic"], ["Real", "0"]),
        ("split", ["", "train", "val", "test"], ["training"]),
        ("sampling_prob", ["", "1", "1e-9"], ["0", "1.01", "nan", "half", "-1"]),
        ("target", ["", "-3e2", "0"], ["inf", "nan", "many"]),
        ("pixel_size_nm", ["", "0.5"], ["0", "-1", "inf", "nan", "µm"]),
    ],
)
def test_columns_with_a_fixed_meaning(column: str, good: list[str], bad: list[str]) -> None:
    assert noted(**{column: good}) == {}
    ((kind, details),) = noted(**{column: [*good, *bad]}).items()
    assert kind.startswith(column)
    assert details == [f"row {row}: {cell!r}" for row, cell in enumerate(bad, len(good) + 2)]


def test_a_class_that_a_model_does_not_have_is_told_with_its_twin() -> None:
    assert unknown_class("blast", ["monocyte", "Blast"]).startswith("'blast' (the model has 'Blast', typed otherwise")
    assert unknown_class("blast", ["monocyte"]) == "'blast'"


def test_columns_that_look_like_a_group_repeat() -> None:
    for cells, hinted in ((["p", "p", "q"], True), (["p", "q", "r"], False), (["p", "p", "p"], False)):
        assert bool(group_hint({"patient": cells})) == hinted
    assert group_hint({"patient": ["p", "p", "q"], "group": ["1", "2", "3"]}) == ()
    assert choose_group({"Lot ": ["1"]}, "lot") == {"Lot ": ["1"], "group": ["1"]}
