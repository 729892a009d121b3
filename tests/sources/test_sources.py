"""Reading class folders, split folders, tables and lists; every fault of an input in one error."""

import os
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.inputs import fault, table, touch

from graticule.errors import ManifestError, OptionError
from graticule.sources.sources import check_trainable, list_images, read_manifest

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


# class folders


def test_class_folders(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.png", "b/1.png", "a/deep/er/x.tif", "a/1.JPG", "Z/noext")
    manifest = read_manifest(tmp_path)
    assert list(manifest.path) == ["Z/noext", "a/1.JPG", "a/deep/er/x.tif", "b/1.png", "b/2.png"]
    assert list(manifest.label) == ["Z", "a", "a", "b", "b"]
    assert manifest.classes == ("Z", "a", "b")
    assert manifest.root == tmp_path
    assert manifest.columns == {}
    assert manifest.warnings == ()
    assert all(file.is_file() for file in manifest.files())


def test_labels_never_come_from_file_names(tmp_path: Path) -> None:
    touch(tmp_path, "a/b_1.png", "b/a_1.png")
    assert list(read_manifest(tmp_path).label) == ["a", "b"]


def test_empty_class_folder_is_a_warning(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "c" / "d").mkdir(parents=True)
    assert read_manifest(tmp_path).warnings == ("class folder 'c' holds no images",)
    assert read_manifest(tmp_path).classes == ("a", "b")


def test_images_outside_class_folders(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "loose.png", "other.tif")
    message = fault(tmp_path)
    assert "image outside a class folder (2)" in message
    assert "'loose.png'" in message
    assert list(list_images(tmp_path).path) == ["a/1.png", "loose.png", "other.tif"]


@pytest.mark.parametrize("names", [[], ["a/.keep"], ["a/readme.md"]])
def test_nothing_to_read(tmp_path: Path, names: list[str]) -> None:
    touch(tmp_path, *names)
    assert "holds no images" in fault(tmp_path)
    with pytest.raises(ManifestError, match="holds no images"):
        list_images(tmp_path)


def test_absent_input(tmp_path: Path) -> None:
    assert "does not exist" in fault(tmp_path / "absent")
    touch(tmp_path, "a.png")
    assert "is a file, but no table" in fault(tmp_path / "a.png")
    with pytest.raises(ManifestError, match="does not exist"):
        list_images(tmp_path / "absent")


def test_odd_file_names(tmp_path: Path) -> None:
    odd = ["new\nline.png", "quote\"'.png", "<script>.png", "rtl\u202e.png", "-rf.png", "back\\slash.png", " .png"]
    names = [*odd, os.fsdecode(b"byte\xe9.png"), "caf\u00e9.png", "cafe\u0301.png"]
    touch(tmp_path, *(f"a/{name}" for name in names), "b/1.png")
    manifest = read_manifest(tmp_path)
    assert set(manifest.path) == {f"a/{name}" for name in names} | {"b/1.png"}
    assert len(set(manifest.sample_id)) == len(names) + 1
    assert all(file.is_file() for file in manifest.files())
    manifest.write(tmp_path / "run.parquet")
    again = read_manifest(tmp_path / "run.parquet")
    assert list(again.path) == list(manifest.path)
    assert again.root == tmp_path


# split folders


def test_split_folders(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/1.png", "Validation/a/2.png", "test/b/sub/3.png", ".cache/x.png")
    manifest = read_manifest(tmp_path)
    found = {p: (s, c) for p, s, c in zip(manifest.path, manifest.columns["split"], manifest.label, strict=True)}
    assert found == {
        "train/a/1.png": ("train", "a"),
        "train/b/1.png": ("train", "b"),
        "Validation/a/2.png": ("val", "a"),
        "test/b/sub/3.png": ("test", "b"),
    }


def test_split_folder_with_unsorted_images_is_a_fault(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/1.png", "test/1.png")
    message = fault(tmp_path)
    assert "image outside a class folder (1)" in message
    assert "'test/1.png'" in message


def test_split_names_as_classes_are_warned_about(tmp_path: Path) -> None:
    touch(tmp_path, "train/1.png", "boat/2.png")
    manifest = read_manifest(tmp_path)
    assert manifest.classes == ("boat", "train")
    assert any("read as classes" in warning for warning in manifest.warnings)


def test_classes_one_level_too_deep_are_pointed_out(tmp_path: Path) -> None:
    touch(tmp_path, "images/a/1.png", "images/b/1.png")
    with pytest.raises(ManifestError, match=r"one class only.*\n.*'images' 2\n.*give 'images' as DATA"):
        check_trainable(read_manifest(tmp_path))


# tables


def test_all_faults_in_one_error(tmp_path: Path) -> None:
    rows = [
        "path,label,target,origin,split,group,pixel_size_nm",
        "a/1.png,x,1,real,train,g,1",
        "gone.png,x,nan,real,train,g,1",
        "../out.png,x,inf,real,train,g,1",
        "/etc/hostname,x,many,real,train,g,1",
        "a/1.png,x,1,fake,train,g,1",
        "./a/1.png,y,1,real,learn,g,-1",
        "a/2.png, ,1,real,train,g,1",
        "b/1.png,x ,1,real,train,g,0",
        "b/2.png,p/q,1,real,train,,1",
        ",x,1,real,train,g,1",
        "a,x,1,real,train,g,1",
        "b/1.png,X,1,real,train,g,1",
        "x" * 300 + ".png,x,1,real,train,g,1",
    ]
    message = fault(table(tmp_path, "\n".join(rows)))
    for kind in (
        "missing file (looked for below",
        "path outside",
        "same path twice (1)",
        "same path with two labels (2)",
        "empty path (1)",
        "label of white space only (1)",
        "label with white space before or after it (1)",
        "class name with '/' (1)",
        "upper and lower case",
        "no group",
        "origin is neither real nor synthetic (1)",
        "split is none of train, val, test (1)",
        "target is no finite number (3)",
        "pixel_size_nm is no positive number (2)",
    ):
        assert kind in message
    assert "row 3: 'gone.png'" in message
    assert "row 3: 'nan'" in message
    assert "rows 2 and 7: './a/1.png' is 'x' and 'y'" in message
    assert "faults found" in message.splitlines()[0]


def test_root(tmp_path: Path) -> None:
    file = table(tmp_path / "images", "path,label\na/1.png,x\n")
    moved = file.rename(tmp_path / "samples.csv")
    assert "use --root" in fault(table(tmp_path / "t", "path,label\n../images/a/1.png,x\n"))
    assert "missing file" in fault(moved)
    manifest = read_manifest(moved, root=tmp_path / "images")
    assert manifest.files() == [tmp_path / "images" / "a" / "1.png"]
    with pytest.raises(OptionError, match="is no folder"):
        read_manifest(moved, root=tmp_path / "none")
    with pytest.raises(OptionError, match="goes with a table"):
        read_manifest(tmp_path / "images", root=tmp_path)


def test_absolute_paths_inside_the_root(tmp_path: Path) -> None:
    file = table(tmp_path, f"path,label\n{tmp_path}/a/1.png,x\n{tmp_path}x/a/2.png,y\n")
    assert "path outside" in fault(file)
    file = table(tmp_path, f"path,label\n{tmp_path}/a/1.png,x\n")
    assert list(read_manifest(file).path) == ["a/1.png"]


def test_folder_with_manifest_csv_is_read_through_it(tmp_path: Path) -> None:
    table(tmp_path, "path,label\na/1.png,x\n", "manifest.csv")
    assert list(read_manifest(tmp_path).label) == ["x"]


# trainable


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a/1.png"], "one class only"),
        (["a/1.png", "a/2.png"], "samples per class: 'a' 2"),
        (["a/1.png", "a/2.png", "b/1.png"], "one sample only in class 'b'"),
    ],
)
def test_not_trainable(tmp_path: Path, names: list[str], expected: str) -> None:
    with pytest.raises(ManifestError, match=expected):
        check_trainable(read_manifest(touch(tmp_path, *names)))


def test_trainable_and_unlabelled(tmp_path: Path) -> None:
    check_trainable(read_manifest(touch(tmp_path / "t", "a/1.png", "a/2.png", "b/1.png", "b/2.png")))
    with pytest.raises(ManifestError, match="none of 1 samples has a label"):
        check_trainable(read_manifest(table(tmp_path, "path,label\na/1.png,\n")))


# images to predict


def test_list_images(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.png", "1.png", "b/.x.png", "b/notes.txt", "manifest.csv")
    found = list_images(tmp_path)
    assert list(found.path) == ["1.png", "b/2.png"]
    assert list(found.label) == ["", ""]
    single = list_images(tmp_path / "b" / "2.png")
    assert single.files() == [tmp_path / "b" / "2.png"]


def test_lists_of_images(tmp_path: Path) -> None:
    odd = os.fsdecode(b"byte\xe9 \x85.png")
    touch(tmp_path, "a/1.png", odd)
    (tmp_path / "list.txt").write_bytes(b"a/1.png\r\n\r\nabsent.png\n" + os.fsencode(odd) + b"\na/1.png")
    assert list(list_images(tmp_path / "list.txt").path) == ["a/1.png", "absent.png", odd, "a/1.png"]
    (tmp_path / "list.csv").write_text("score,path\n1,a/1.png\n")
    assert list(list_images(tmp_path / "list.csv").path) == ["a/1.png"]
    pq.write_table(pa.table({"path": ["a/1.png", "byte\\xe9 \\x85.png"]}), tmp_path / "list.parquet")
    assert list(list_images(tmp_path / "list.parquet").path) == ["a/1.png", odd]
    (tmp_path / "wrong.csv").write_text("file\na/1.png\n")
    with pytest.raises(ManifestError, match="no column path; its columns are file"):
        list_images(tmp_path / "wrong.csv")


def test_list_with_absolute_paths(tmp_path: Path) -> None:
    touch(tmp_path, "x/a/1.png", "x/b/2.png", "lists/3.png")
    file = tmp_path / "lists" / "list.txt"
    file.write_text(f"{tmp_path}/x/a/1.png\n../x/b/2.png\n")
    found = list_images(file)
    assert found.root == tmp_path / "x"
    assert list(found.path) == ["a/1.png", "b/2.png"]
    file.write_text(f"{tmp_path}/lists/3.png\n3.png\n")
    assert list(list_images(file).path) == ["3.png", "3.png"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the sample data sets lie beside the repository only in development")
def test_real_manifests() -> None:
    sizes = {"blood_cells": (2400, 8), "red_cells": (1650, 11), "malaria_cells": (2470, 2), "powder_sem": (601, 2)}
    for name, (n, n_classes) in sizes.items():
        manifest = read_manifest(SHARED / name)
        check_trainable(manifest)
        assert (len(manifest), len(manifest.classes)) == (n, n_classes)
        assert len(np.unique(manifest.sample_id.astype(str))) == n


def test_class_order_does_not_depend_on_creation(tmp_path: Path) -> None:
    names = ["b/1.png", "B2/1.png", "ä/1.png", "a/1.png", "_/1.png"]
    first = read_manifest(touch(tmp_path / "one", *names))
    second = read_manifest(touch(tmp_path / "two", *reversed(names)))
    assert list(first.path) == list(second.path)
    expected = ["B2", "_", "a", "b", "ä"]
    assert [unicodedata.normalize("NFC", name) for name in first.classes] == expected
