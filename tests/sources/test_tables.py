"""Tables: every dialect of CSV gives the same cells, Parquet too; what is no table is told with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.inputs import fault, table, touch

from graticule.errors import ManifestError
from graticule.sources.sources import read_manifest
from graticule.sources.tables import Faults, decode_text, read_table


def test_a_column_is_known_however_its_header_is_typed(tmp_path: Path) -> None:
    rows = "\u200bPath;LABEL ;Group;Target\na/1.png;x;g;1\nb/1.png;y;h;2\n"
    manifest = read_manifest(table(tmp_path, rows))
    assert list(manifest.columns["group"]) == ["g", "h"]
    assert list(manifest.columns) == ["group", "target"]
    slides = table(tmp_path, "path,label,Slide\na/1.png,x,s\nb/1.png,y,t\n")
    assert list(read_manifest(slides, group="slide").columns["group"]) == ["s", "t"]
    message = fault(table(tmp_path, "path,label,Group,group\na/1.png,x,1,2\n"))
    assert "column named twice (1):\n    'Group' and 'group'" in message
    pq.write_table(pa.table({"Path": ["a/1.png"], "label": ["x"], "GROUP": ["g"]}), tmp_path / "t.parquet")
    assert list(read_manifest(tmp_path / "t.parquet").columns) == ["group"]


def test_table_with_all_columns(tmp_path: Path) -> None:
    text = (
        "path,label,group,split,target,origin,pixel_size_nm,day,true_label\n"
        "a/1.png,a,g1,train,1.5,real,2,mon,a\na/2.png,,,,,,,,\nb/1.png,b,g2,validation,-3e2,synthetic,0.5,tue,b\n"
    )
    manifest = read_manifest(table(tmp_path, text))
    assert list(manifest.label) == ["a", "", "b"]
    assert manifest.classes == ("a", "b")
    assert list(manifest.columns["split"]) == ["train", "", "val"]
    assert list(manifest.columns["target"]) == ["1.5", "", "-3e2"]
    assert list(manifest.columns["true_label"]) == ["a", "", "b"]
    assert list(manifest.columns) == ["group", "split", "target", "origin", "pixel_size_nm", "day", "true_label"]


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na/1.png,x\nb/1.png,y\n",
        "\ufeffpath,label\na/1.png,x\nb/1.png,y\n",
        "path,label\r\na/1.png,x\r\nb/1.png,y\r\n",
        "path,label\ra/1.png,x\rb/1.png,y\r",
        "path;label\na/1.png;x\nb/1.png;y",
        "path\tlabel\na/1.png\tx\nb/1.png\ty",
        'label,"path"\n"x","a/1.png"\n\n"y",b/1.png\n,\n',
        ",path,label\n0,a/1.png,x\n1,b/1.png,y\n",
        "path, label\n./a/1.png,x\na/../b/1.png,y\n",
        "path,label\na\\1.png,x\nb\\1.png,y\n",
        "path,label\na/\\x31.png,x\nb/1.png,y\n".encode("utf-16"),
    ],
)
def test_dialects_of_csv(tmp_path: Path, text: str | bytes) -> None:
    manifest = read_manifest(table(tmp_path, text))
    assert list(manifest.path) == ["a/1.png", "b/1.png"]
    assert list(manifest.label) == ["x", "y"]


def test_quoted_fields_with_everything_in_them(tmp_path: Path) -> None:
    name = 'a,b;"c"\nd.png'
    touch(tmp_path, name)
    quoted = name.replace('"', '""')
    manifest = read_manifest(table(tmp_path, f'path,label\n"{quoted}","cell, ""odd"""\na/1.png,b\n'))
    assert list(manifest.path) == [name, "a/1.png"]
    assert list(manifest.label) == ['cell, "odd"', "b"]


def test_names_that_are_not_utf8_in_a_table(tmp_path: Path) -> None:
    touch(tmp_path, os.fsdecode(b"byte\xe9.png"))
    manifest = read_manifest(table(tmp_path, "path,label\nbyte\\xe9.png,x\n"))
    assert list(manifest.path) == [os.fsdecode(b"byte\xe9.png")]
    message = fault(table(tmp_path, b"path,label\na/1.png,x\nbyte\xe9.png,x\n"))
    assert "is not UTF-8 text: line 3" in message
    assert "CSV UTF-8" in message


def test_ten_of_each_kind_with_the_count(tmp_path: Path) -> None:
    rows = "".join(f"none{i}.png,x\n" for i in range(25))
    message = fault(table(tmp_path, "path,label\n" + rows))
    assert "25 faults found" in message
    assert "(25, the first 10 shown):" in message
    assert "none9.png" in message
    assert "none10.png" not in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file,class\na/1.png,x\n", "the columns are 'file', 'class'"),
        ("path,kind\na/1.png,x\n", "missing column (1):\n    label"),
        ("path,label,label\na/1.png,x,y\n", "column named twice (1):\n    'label'"),
        ("", "no header"),
        ("path,label\n", "a header and no rows"),
        ("path,label\na/1.png\nb/1.png,x,y\n", "line 3: 3, the header has 2"),
        ('path,label\n"a/1.png,x\n', "no well-formed CSV"),
        ('path,label\n"a"/1.png,x\n', "no well-formed CSV"),
        ("path,label\na/1.png,x\nb/1.png,x\0y\n", "near line 3: it holds a zero byte"),
        ("path,label".encode("utf-16-le").decode("latin-1"), "near line 1: it holds a zero byte"),
        ("path,label\na/1.png," + "x" * 200_000, "near line 2: field larger than field limit"),
        ("x" * 200_000 + ",label\na/1.png,x", "near line 1: field larger than field limit"),
        ('path,"label\n' + "a/1.png,x\n" * 20_000, "near line 1: field larger than field limit"),
    ],
)
def test_tables_of_the_wrong_shape(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in fault(table(tmp_path, text))


def test_a_header_of_many_columns_is_read_though_it_is_long(tmp_path: Path) -> None:
    wide = [f"feature_{j:05d}" for j in range(20_000)]
    assert len(",".join(wide)) > 131_072
    file = table(tmp_path, f"path,label,{','.join(wide)}\na/1.png,x{',0.5' * 20_000}\n")
    assert list(read_table(file).columns) == ["path", "label", *wide]


def test_lines_may_end_as_on_an_old_macintosh(tmp_path: Path) -> None:
    assert list(read_manifest(table(tmp_path, "path,label\ra/1.png,x\rb/1.png,y\r")).label) == ["x", "y"]


def test_lines_are_counted_over_quoted_line_breaks(tmp_path: Path) -> None:
    message = fault(table(tmp_path, 'path,label,note\na/1.png,x,"two\nlines"\ngone.png,x,\n'))
    assert "row 4: 'gone.png'" in message


def test_parquet_tables(tmp_path: Path) -> None:
    folder = touch(tmp_path / "key=value", "a/1.png", "b/1.png")
    columns = {
        "path": pa.array(["a/1.png", "b/1.png"]),
        "label": pa.array(["x", None]).dictionary_encode(),
        "group": pa.array([7, 8]),
        "target": pa.array([1.5, None]),
        "pixels": pa.array([[1], [2]]),
    }
    pq.write_table(pa.table(columns), folder / "samples.parquet")
    manifest = read_manifest(folder / "samples.parquet")
    assert list(manifest.label) == ["x", ""]
    assert list(manifest.columns) == ["group", "target"]
    assert list(manifest.columns["group"]) == ["7", "8"]
    assert list(manifest.columns["target"]) == ["1.5", ""]
    assert manifest.warnings == ("columns that hold no plain values were ignored: pixels",)
    columns["target"] = pa.array([1.5, float("nan")])
    pq.write_table(pa.table(columns), folder / "samples.parquet")
    assert "target is no finite number (1)" in fault(folder / "samples.parquet")
    (folder / "broken.parquet").write_bytes(b"PAR1")
    assert "as Parquet" in fault(folder / "broken.parquet")


def test_faults_are_raised_together_and_none_is_no_error() -> None:
    faults = Faults("'a.csv'")
    faults.raise_if_any()
    faults.add("one kind", "here")
    with pytest.raises(ManifestError, match=r"^'a\.csv': 1 fault found\n  one kind \(1\):\n    here$"):
        faults.raise_if_any()
    faults.extend("other kind", map(str, range(12)))
    with pytest.raises(ManifestError, match=r"13 faults found(?s:.*)other kind \(12, the first 10 shown\):") as caught:
        faults.raise_if_any()
    assert str(caught.value).endswith("    9")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_either_unicode_encoding(encoding: str) -> None:
    assert decode_text("path,Größe\n".encode(encoding)) == "path,Größe\n"


def test_rows_are_those_of_the_file_and_cells_of_spreadsheets_are_restored(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('path,note,\n"a\nb",\'=1+1,x\n\nc,plain,\n')
    found = read_table(tmp_path / "t.csv")
    assert found.columns == {"path": ["a\nb", "c"], "note": ["=1+1", "plain"]}
    assert (found.rows, found.root) == ([2, 5], None)
    assert found.warnings == ("a column without a name was ignored",)
    pq.write_table(pa.table({"path": ["a", "b"], "n": [1, None]}), tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert (found.columns, found.rows) == ({"path": ["a", "b"], "n": ["1", ""]}, [1, 2])
