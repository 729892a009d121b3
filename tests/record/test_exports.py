"""Exports: the manifest that `train` takes, and what stands apart."""

from __future__ import annotations

import pyarrow.parquet as pq
from tests.label_folder import Folder, rows_of

from graticule.plain_text import safe_cell
from graticule.record.numbers import Quantity
from graticule.sources.sources import read_manifest
from graticule.sources.targets import TargetColumn


def test_what_is_agreed_is_a_manifest_and_the_rest_stands_apart(folder: Folder) -> None:
    out, told = folder.export()
    rows = {row["path"]: row for row in rows_of(out)}
    assert {path: row["label"] for path, row in rows.items()} == {"a.png": "x", "b.png": "y"}
    assert (rows["a.png"]["sampling_prob"], rows["a.png"]["people"], rows["a.png"]["agreed_by"]) == (
        "0.25",
        "2",
        "agreement",
    )
    assert (rows["b.png"]["sampling_prob"], rows["b.png"]["bulk"]) == ("", "yes")
    assert [row["path"] for row in rows_of(out.with_name("l-doubtful.csv"))] == ["c.png"]
    assert [row["path"] for row in rows_of(out.with_name("l-novel.csv"))] == ["d.png"]
    assert [(row["who"], row["value"]) for row in rows_of(out.with_name("l-open.csv"))] == [("ann", "x"), ("bob", "y")]
    assert [told[name] for name in ("n_labels", "n_bulk", "n_doubtful", "n_novel", "n_open")] == [2, 1, 1, 1, 1]
    manifest = read_manifest(out, root=folder.images)
    assert dict(zip(manifest.path, manifest.label, strict=True)) == {"a.png": "x", "b.png": "y"}
    _, alone = folder.export(min_people=2)
    assert (alone["n_labels"], alone["n_open"]) == (1, 4)


def test_parquet_says_the_same(folder: Folder) -> None:
    out, _ = folder.export(".parquet")
    assert [row["path"] for row in pq.read_table(out).to_pylist()] == ["a.png", "b.png"]
    assert len(read_manifest(out, root=folder.images)) == 2


def test_cells_are_safe_in_spreadsheets(folder: Folder) -> None:
    formulas = ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "＝1", "|x", "\r\n=1"]
    for i, formula in enumerate(formulas):
        folder.says(
            formula.strip(), "note", "a.png", reason=formula, queue_reason=formula.strip(), client_id=f"{i} {i}"
        )
    out, _ = folder.export()
    for row in rows_of(out.with_name("l-events.csv")):
        assert not any(cell.startswith(tuple("=+-@\t\r|＝")) for cell in row.values() if cell), row
    assert safe_cell("a=1") == "a=1"
    assert safe_cell(-1.5) == -1.5


def test_classes_and_files_that_look_like_formulas_train_as_they_are(folder: Folder) -> None:
    names = {"-1.png": "=sum", "'=2.png": "+", "@3.png": "'-"}
    for name, label in names.items():
        folder.image(name)
        folder.says("ann", "label", name, label)
    out, _ = folder.export()
    assert not any(row["path"].startswith(("-", "@")) or row["label"].startswith(("=", "+")) for row in rows_of(out))
    manifest = read_manifest(out, root=folder.images)
    assert dict(zip(manifest.path, manifest.label, strict=True)).items() >= names.items()


def test_a_path_belongs_to_the_image_labelled_there_last(folder: Folder) -> None:
    folder.image("a.png", "other pixels")
    folder.says("ann", "label", "a.png", "new")
    folder.says("ann", "note", "b.png", reason="n")
    out, _ = folder.export()
    assert [row["label"] for row in rows_of(out) if row["path"] == "a.png"] == ["new"]


def test_one_image_at_two_paths_is_two_rows(folder: Folder) -> None:
    folder.image("copy.png", "pixels of f.png")
    folder.says("ann", "label", "f.png", "z")
    folder.says("bob", "label", "copy.png", "z")
    out, _ = folder.export()
    assert [row["path"] for row in rows_of(out) if row["label"] == "z"] == ["copy.png", "f.png"]


def test_numbers_stand_in_their_own_column_with_their_unit(folder: Folder) -> None:
    for name in ("a.png", "b.png"):  # numbers begin in a store of their own
        assert (folder.images / name).is_file()
    folder.labels = str(folder.place / "numbers.db")
    size = Quantity("size", "nm")
    folder.says("ann", "label", "a.png", size.text(10), sampling_prob=0.25)
    folder.says("bob", "label", "a.png", size.text(10.5))
    folder.says("ann", "label", "b.png", size.text(12))
    folder.says("ann", "doubtful", "c.png")
    out, told = folder.export()
    assert [(row["path"], row["size"], row["unit"], row["people"]) for row in rows_of(out)] == [
        ("b.png", "12", "nm", "1")
    ]
    assert [(row["who"], row["value"]) for row in rows_of(out.with_name("l-open.csv"))] == [
        ("ann", "10 nm"),
        ("bob", "10.5 nm"),
    ]
    assert [told[name] for name in ("target", "unit", "tolerance", "n_labels", "n_doubtful", "n_open")] == [
        *("size", "nm", 0.0),
        *(1, 1, 1),
    ]
    out, told = folder.export(tolerance=0.5)
    assert {row["path"]: row["size"] for row in rows_of(out)} == {"a.png": "10.25", "b.png": "12"}
    assert rows_of(out)[0]["sampling_prob"] == "0.25"
    manifest = read_manifest(out, root=folder.images, target=TargetColumn("size"))
    assert manifest.targets.tolist() == [10.25, 12.0]
