"""Exports and imports: the manifest that `train` takes, what stands apart, and the record outside of its database."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from graticule.errors import LabelStoreError, ManifestError, OptionError
from graticule.jobs.labels import export_labels, verify_labels
from graticule.jobs.labels_import import import_labels
from graticule.plain_text import safe_cell
from graticule.record.engine import write_transaction
from graticule.record.events import DOUBTFUL, EventDraft
from graticule.record.store import LabelStore
from graticule.sources.sources import read_manifest

Rows = list[dict[str, str]]


def _rows(file: Path) -> Rows:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


class Folder:
    """Images, a store, and the three verbs on them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.images = place / "images"
        self.images.mkdir()
        self.labels = str(place / "labels.db")
        self.exports = 0

    def image(self, name: str, content: str | None = None) -> str:
        file = self.images / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(content or f"pixels of {name}")
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def says(self, who: str, action: str, name: str, value: str | None = None, **more: object) -> None:
        sha256 = hashlib.sha256((self.images / name).read_bytes()).hexdigest()
        with LabelStore.open(self.labels) as store:
            store.append(EventDraft(who, action, sha256, name, new_value=value, **more))  # type: ignore[arg-type]

    def export(self, suffix: str = ".csv", **more: object) -> tuple[Path, dict[str, object]]:
        self.exports += 1
        out = self.place / f"out{self.exports}" / f"l{suffix}"
        return out, export_labels(self.labels, out, **more)  # type: ignore[arg-type]

    def table(self, *lines: str) -> Path:
        file = self.images / "table.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def attack(self, *statements: str) -> None:
        with LabelStore.open(self.labels) as store, write_transaction(store._engine) as connection:
            connection.execute(text("DROP TRIGGER label_events_no_update"))
            connection.execute(text("DROP TRIGGER label_events_no_delete"))
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Six images; ann labels four, bob two."""
    made = Folder(tmp_path)
    for name in ("a.png", "b.png", "c.png", "d.png", "e.png", "f.png"):
        made.image(name)
    made.says("ann", "label", "a.png", "x", sampling_prob=0.25, blind=True)
    made.says("ann", "label", "b.png", "y", bulk=True)
    made.says("ann", "doubtful", "c.png")
    made.says("ann", "novel", "d.png")
    made.says("ann", "label", "e.png", "x")
    made.says("bob", "label", "e.png", "y")
    made.says("bob", "label", "a.png", "x")
    return made


def test_what_is_agreed_is_a_manifest_and_the_rest_stands_apart(folder: Folder) -> None:
    out, told = folder.export()
    rows = {row["path"]: row for row in _rows(out)}
    assert {path: row["label"] for path, row in rows.items()} == {"a.png": "x", "b.png": "y"}
    assert (rows["a.png"]["sampling_prob"], rows["a.png"]["people"], rows["a.png"]["agreed_by"]) == (
        "0.25",
        "2",
        "agreement",
    )
    assert (rows["b.png"]["sampling_prob"], rows["b.png"]["bulk"]) == ("", "yes")
    assert [row["path"] for row in _rows(out.with_name("l-doubtful.csv"))] == ["c.png"]
    assert [row["path"] for row in _rows(out.with_name("l-novel.csv"))] == ["d.png"]
    assert [(row["who"], row["value"]) for row in _rows(out.with_name("l-open.csv"))] == [("ann", "x"), ("bob", "y")]
    assert [told[name] for name in ("n_labels", "n_bulk", "n_doubtful", "n_novel", "n_open")] == [2, 1, 1, 1, 1]
    manifest = read_manifest(out, root=folder.images)
    assert dict(zip(manifest.path, manifest.label, strict=True)) == {"a.png": "x", "b.png": "y"}
    _, alone = folder.export(min_people=2)
    assert (alone["n_labels"], alone["n_open"]) == (1, 4)


def test_parquet_says_the_same(folder: Folder) -> None:
    out, _ = folder.export(".parquet")
    assert [row["path"] for row in pq.read_table(out).to_pylist()] == ["a.png", "b.png"]
    assert len(read_manifest(out, root=folder.images)) == 2


def test_the_record_verifies_outside_of_its_database(folder: Folder) -> None:
    out, told = folder.export()
    record, head = out.with_name("l-events.parquet"), out.with_name("l-head.json")
    document = json.loads(head.read_text())
    assert document["schema_version"] == 1
    assert document["head"] == told["head"]
    for name, digest in document["files"].items():
        assert hashlib.sha256((out.parent / name).read_bytes()).hexdigest() == digest
    found = verify_labels(str(record), head=str(head))
    assert (found["sound"], found["n_events"], found["tail"]) == (True, 7, "proven by the head given")
    folder.says("bob", "label", "b.png", "y")
    found = verify_labels(folder.labels, head=str(head))
    assert (found["sound"], found["proven_up_to"], found["n_events"]) == (True, 7, 8)
    assert found["tail"] == "1 events are newer than the head given: unproven"
    with pytest.raises(LabelStoreError, match="no exported record"):
        verify_labels(str(folder.export(".parquet")[0]))


def test_cells_are_safe_in_spreadsheets(folder: Folder) -> None:
    formulas = ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "＝1", "|x", "\r\n=1"]
    for i, formula in enumerate(formulas):
        folder.says(
            formula.strip(), "note", "a.png", reason=formula, queue_reason=formula.strip(), client_id=f"{i} {i}"
        )
    out, _ = folder.export()
    for row in _rows(out.with_name("l-events.csv")):
        assert not any(cell.startswith(tuple("=+-@\t\r|＝")) for cell in row.values() if cell), row
    assert safe_cell("a=1") == "a=1"
    assert safe_cell(-1.5) == -1.5


def test_classes_and_files_that_look_like_formulas_train_as_they_are(folder: Folder) -> None:
    names = {"-1.png": "=sum", "'=2.png": "+", "@3.png": "'-"}
    for name, label in names.items():
        folder.image(name)
        folder.says("ann", "label", name, label)
    out, _ = folder.export()
    assert not any(row["path"].startswith(("-", "@")) or row["label"].startswith(("=", "+")) for row in _rows(out))
    manifest = read_manifest(out, root=folder.images)
    assert dict(zip(manifest.path, manifest.label, strict=True)).items() >= names.items()


def test_a_broken_chain_is_not_exported_unless_asked_for(folder: Folder) -> None:
    folder.attack("UPDATE label_events SET new_value = 'y' WHERE seq = 5")
    with pytest.raises(LabelStoreError, match=r"nothing was exported: the chain .* event 5 was edited"):
        folder.export()
    assert not list(folder.place.glob("out1/*"))
    out, told = folder.export(sound_part=True)
    assert told["chain"] == {
        "sound": False,
        "first_bad": 5,
        "problem": "event 5 was edited: its fields do not give its hash",
    }
    assert len(_rows(out.with_name("l-events.csv"))) == 4


def test_nothing_is_overwritten(folder: Folder) -> None:
    out, _ = folder.export()
    with pytest.raises(LabelStoreError, match="exists already"):
        export_labels(folder.labels, out)
    with pytest.raises(OptionError, match=r"ends in \.csv or \.parquet"):
        export_labels(folder.labels, out.with_name("l.txt"))


def test_labels_go_into_a_data_set_with_its_other_columns(folder: Folder) -> None:
    data = folder.table(
        "path,label,group,day",
        "a.png,wrong,g1,mon",
        "b.png,y,g1,mon",
        "c.png,x,g2,tue",
        "f.png,z,g3,wed",
        "e.png,x,g2,tue",
    )
    out, told = folder.export(data=data)
    rows = _rows(out)
    assert [(row["path"], row["label"], row["label_from"], row["group"], row["day"]) for row in rows] == [
        ("a.png", "x", "record", "g1", "mon"),
        ("b.png", "y", "record", "g1", "mon"),
        ("f.png", "z", "data", "g3", "wed"),
    ]
    assert {row["sampling_prob"] for row in rows} == {"1"}
    assert told["failures"] == []
    folder.image("a.png", "other pixels")
    out, told = folder.export(data=data)
    assert [failure[0] for failure in told["failures"]] == ["a.png"]  # type: ignore[attr-defined]
    assert _rows(out)[0]["label"] == "wrong"


def test_a_path_belongs_to_the_image_labelled_there_last(folder: Folder) -> None:
    folder.image("a.png", "other pixels")
    folder.says("ann", "label", "a.png", "new")
    folder.says("ann", "note", "b.png", reason="n")
    out, _ = folder.export()
    assert [row["label"] for row in _rows(out) if row["path"] == "a.png"] == ["new"]


def test_one_image_at_two_paths_is_two_rows(folder: Folder) -> None:
    folder.image("copy.png", "pixels of f.png")
    folder.says("ann", "label", "f.png", "z")
    folder.says("bob", "label", "copy.png", "z")
    out, _ = folder.export()
    assert [row["path"] for row in _rows(out) if row["label"] == "z"] == ["copy.png", "f.png"]


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
