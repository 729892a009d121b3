"""Labels from a table: each row is stored once, and what cannot be stored is listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.label_folder import Folder

from graticule.errors import LabelStoreError, ManifestError
from graticule.jobs.labels_import import import_labels
from graticule.record.events import DOUBTFUL, EventDraft
from graticule.record.numbers import Quantity
from graticule.record.store import LabelStore
from graticule.regress.target import Target
from graticule.sources.sources import read_manifest


def _counts(told: dict[str, object]) -> list[object]:
    return [told[name] for name in ("n", "n_stored", "n_unchanged", "n_known", "n_unlabelled")]


def test_import_stores_each_row_once(folder: Folder) -> None:
    table = folder.table(
        "path,label,user,sampling_prob", "f.png,z,ann,0.5", "a.png,x,ann,", "d.png,,ann,", f"c.png,{DOUBTFUL},eve,"
    )
    assert _counts(import_labels(folder.labels, table)) == [3, 2, 1, 0, 1]
    assert _counts(import_labels(folder.labels, table)) == [3, 0, 3, 0, 1]
    folder.says("ann", "change", "f.png", "w", reason="slip")
    assert _counts(import_labels(folder.labels, table)) == [3, 0, 2, 1, 1]
    with LabelStore.open(folder.labels) as store:
        events = [event for event in store.events() if event.action == "import"]
    assert [(e.who, e.path, e.new_value, e.sampling_prob) for e in events] == [
        ("ann", "f.png", "z", 0.5),
        ("eve", "c.png", DOUBTFUL, None),
    ]
    assert hashlib.sha256(table.read_bytes()).hexdigest() in (events[0].reason or "")


def test_an_import_that_says_something_else_is_a_change_on_the_record(folder: Folder) -> None:
    table = folder.table("path,label", "a.png,z")
    told = import_labels(folder.labels, table, user="ann", reason="second look")
    assert told["n_stored"] == 1
    with LabelStore.open(folder.labels) as store:
        last = list(store.events())[-1]
    assert (last.old_value, last.new_value) == ("x", "z")
    assert (last.reason or "").startswith("second look: table.csv")


def test_rows_that_cannot_be_stored_are_listed(folder: Folder) -> None:
    folder.image("copy.png", "pixels of f.png")
    (folder.place / "outside.png").write_text("x")
    table = folder.table("path,label", "none.png,x", "../outside.png,x", "f.png,x", "copy.png,y", "b.png,y")
    told = import_labels(folder.labels, table, user="eve")
    assert told["n_stored"] == 1
    failures = dict(told["failures"])
    assert "No such file" in failures["none.png"]
    assert "lies outside" in failures["../outside.png"]
    assert "is 'x' and 'y' of 'eve'" in failures["f.png"] == failures["copy.png"]


def test_an_image_whose_twin_is_there_is_named(folder: Folder) -> None:
    folder.image("Präparat.png".replace("ä", "a\u0308"))
    if (folder.images / "präparat.png").exists():
        pytest.skip("this file system takes both names for one")
    told = import_labels(folder.labels, folder.table("path,label", "präparat.png,x"), user="eve")
    assert "typed: 'Pra\\u0308parat.png'" in dict(told["failures"])["präparat.png"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("path,class", "a.png,x"), "missing column"),
        (("path,label", "a.png,x/y"), "class name with '/'"),
        (("path,label,sampling_prob", "a.png,x,2"), "above 0 and up to 1"),
        (("path,label", "a.png,x", "b.png,X"), "differ only by upper and lower case"),
        (("path,label,user", "a.png,x,eve", "b.png,x,Eve"), "names in column user that differ only by"),
        (("path,label,user", "a.png,x,dan", "b.png,x,dan\u00a0"), r"'dan' and 'dan\\xa0'"),
        (
            ("path,label,user", "a.png,x,Ann"),
            "person whose name is typed otherwise in the record.*'Ann' and 'ann'",
        ),
        (("path,label,user", "a.png,Y,eve"), "class whose name is typed otherwise in the record.*'Y' and 'y'"),
    ],
)
def test_faulty_tables_store_nothing(folder: Folder, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(ManifestError, match=f"(?s){message}"):
        import_labels(folder.labels, folder.table(*lines))
    with LabelStore.open(folder.labels) as store:
        assert store.head().seq == 7


def test_odd_names_survive_export_and_import(folder: Folder, tmp_path: Path, draft: Callable[..., EventDraft]) -> None:
    for name in ("ein Bild.png", "測.png", "a,b.png", "c\\d.png", "=1.png"):
        folder.image(name)
    cells = ['"ein Bild.png",x', "測.png,x", '"a,b.png",x', "c\\\\d.png,x", "=1.png,y"]
    told = import_labels(folder.labels, folder.table("path,label", *cells), user="ann")
    assert (told["n_stored"], told["failures"]) == (5, [])
    out, _ = folder.export()
    manifest = read_manifest(out, root=folder.images)
    assert {"ein Bild.png", "測.png", "a,b.png", "c\\d.png", "=1.png"} <= set(manifest.path)
    second = str(tmp_path / "second.db")
    told = import_labels(second, out, root=folder.images, user="bob")
    assert (told["n_stored"], told["failures"]) == (7, [])


def test_numbers_of_a_column_are_stored_with_their_unit(folder: Folder) -> None:
    size = Target("size", "nm", least=0.0)
    labels = str(folder.place / "numbers.db")
    table = folder.table("path,size,label", "a.png,12.50,x", "b.png,,y", f"c.png,{DOUBTFUL},z")
    assert _counts(import_labels(labels, table, user="ann", target=size)) == [2, 2, 0, 0, 1]
    assert _counts(import_labels(labels, table, user="ann", target=size)) == [2, 0, 2, 0, 1]
    with LabelStore.open(labels) as store:
        assert [event.new_value for event in store.events()] == [Quantity("size", "nm").text(12.5), DOUBTFUL]
    with pytest.raises(LabelStoreError, match="this is about numbers of size in µm"):
        import_labels(labels, table, user="ann", target=Target("size", "µm"))
    with pytest.raises(LabelStoreError, match="holds numbers of size in nm, and this is about classes"):
        import_labels(labels, folder.table("path,label", "a.png,x"), user="ann")


@pytest.mark.parametrize(
    ("cell", "why"), [("12 nm", "with a unit"), ("nan", "is NaN"), ("-1", "lies below"), ("x", "is no number")]
)
def test_cells_that_are_no_numbers_are_named_by_their_row(folder: Folder, cell: str, why: str) -> None:
    table = folder.table("path,size", "a.png,1", f"b.png,{cell}")
    with pytest.raises(ManifestError, match=f"size {why}.*\n.*row 3"):
        import_labels(str(folder.place / "numbers.db"), table, user="ann", target=Target("size", "nm", least=0.0))
