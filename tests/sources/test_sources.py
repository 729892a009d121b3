"""Reading class folders, split folders, tables and lists; every fault of an input in one error."""

import os
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.errors import ManifestError, OptionError
from graticule.sources.sources import check_trainable, list_images, read_manifest

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def touch(root: Path, *names: str) -> Path:
    """Empty files below a folder; the reader of manifests looks at names only."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def table(root: Path, text: str | bytes, name: str = "samples.csv") -> Path:
    """A table beside the images a/1.png, a/2.png, b/1.png, b/2.png."""
    touch(root, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    file = root / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def fault(data: Path, **options: str) -> str:
    with pytest.raises(ManifestError) as caught:
        read_manifest(data, **options)
    return str(caught.value)


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


def test_hidden_and_system_files_are_ignored_and_others_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/.hidden.png", "a/Thumbs.db", "a/desktop.ini", "a/._1.png", ".git/x.png")
    touch(tmp_path, "__MACOSX/a/1.png", "b/1.png", "b/notes.txt", "b/mask.NPY", "README", "summary.csv")
    manifest = read_manifest(tmp_path)
    assert list(manifest.path) == ["a/1.png", "b/1.png"]
    assert manifest.warnings == (
        "hidden files and folders, and those of file servers and systems, were left out (6): 2 '.*', 1 '._*', "
        "1 'Thumbs.db', 1 '__MACOSX', 1 'desktop.ini'",
        "4 files that are no images were ignored: 1 '.csv', 1 '.npy', 1 '.txt', 1 'README'",
    )


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


@pytest.mark.parametrize(
    ("listed", "there"),
    [
        ("Pr\u00e4parat.png", "Pra\u0308parat.png"),
        ("img_2.png", "IMG_2.PNG"),
        ("Slide 1/a.png", "slide  1/A.png"),
        ("Deep\\img.png", "deep/Img.png"),
    ],
)
def test_a_missing_file_whose_twin_is_there_is_named(tmp_path: Path, listed: str, there: str) -> None:
    touch(tmp_path, there)
    if (tmp_path / listed).exists():
        pytest.skip("this file system takes both names for one")
    message = fault(table(tmp_path, f"path,label\n{listed},x\n"))
    assert f"{listed!a}; a file is there whose name differs only in how it is typed: {there!a}" in message
    other = fault(table(tmp_path, "path,label\nimg_3.png,x\n"))
    assert "typed" not in other


def test_folders_of_servers_and_systems_are_left_out_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{name}/1.png" for name in ("a", "b")))
    service = ("@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", ".Trashes", "found.000")
    touch(tmp_path, *(f"a/{name}/1.png/THUMB.jpg" for name in service), *(f"{name}/2.png" for name in service))
    touch(tmp_path, "a/1.png@SynoResource", "b/ehthumbs.db")
    for manifest in (read_manifest(tmp_path), list_images(tmp_path)):
        assert list(manifest.path) == ["a/1.png", "b/1.png"]
        assert manifest.warnings == (
            "hidden files and folders, and those of file servers and systems, were left out (16): 2 '#recycle', "
            "2 '$RECYCLE.BIN', 1 '*@SynoResource', 2 '.Trashes', 2 '@eaDir', 2 'System Volume Information', "
            "1 'ehthumbs.db', 2 'found.000', 2 'lost+found'",
        )


def test_folders_of_the_user_with_like_names_are_read(tmp_path: Path) -> None:
    names = ["#1", "@home", "$5", "lost", "recycle", "thumbnails", "eaDir", "found.01", "tmp"]
    touch(tmp_path, *(f"{name}/1.png" for name in names))
    assert sorted(read_manifest(tmp_path).classes) == sorted(names)


def test_listed_files_in_such_folders_are_told(tmp_path: Path) -> None:
    touch(tmp_path, "a/@eaDir/1.png/THUMB.jpg", "a/.h.png")
    rows = table(tmp_path, "path,label\na/@eaDir/1.png/THUMB.jpg,x\na/.h.png,x\na/1.png,y\n")
    for manifest in (read_manifest(rows), list_images(rows)):
        assert len(manifest) == 3
        assert manifest.warnings[0].startswith(
            "2 listed files are hidden or lie in a folder of a file server or system"
        )


@pytest.mark.parametrize("store", ["x.ome.zarr", "plain", "v3", "x.n5", "n5group", "n5set", "lost.zarr"])
def test_an_image_of_many_chunks_is_one_image(tmp_path: Path, store: str) -> None:
    touch(tmp_path, "a/1.png", "b/1.png", *(f"a/{store}/0/{i}/{j}" for i in range(3) for j in range(3)))
    marks = {"x.ome.zarr": ".zgroup", "plain": ".zattrs", "v3": "zarr.json", "x.n5": "", "lost.zarr": ""}
    if store in marks:
        touch(tmp_path / "a" / store, *filter(None, [marks[store]]))
    else:
        said = '{"n5": "2.5.1"}' if store == "n5group" else '{"dimensions": [9], "dataType": "uint8"}'
        (tmp_path / "a" / store / "attributes.json").write_text(said)
    manifest = read_manifest(tmp_path)
    assert list(manifest.path) == sorted(["a/1.png", f"a/{store}", "b/1.png"])
    with pytest.raises(ManifestError, match=r"(OME-Zarr|N5) is not supported.*TIFF"):
        list_images(tmp_path / "a" / store)
    listed = table(tmp_path, f"path,label\na/{store},x\na/1.png,y\n")
    assert len(read_manifest(listed)) == 2


def test_a_folder_of_images_is_no_image_of_chunks(tmp_path: Path) -> None:
    touch(tmp_path, "lot.n5/1.png", "scan.zarr/1.tif", "b/1.png")
    (tmp_path / "b" / "attributes.json").write_text('{"made": "by hand"}')
    assert read_manifest(tmp_path).classes == ("b", "lot.n5", "scan.zarr")


def test_harmless_odd_class_names(tmp_path: Path) -> None:
    folders = ["-x", "<b>", "a'b\"c", "rtl\u200f", "100 %", "日本"]
    touch(tmp_path, *(f"{folder}/1.png" for folder in folders))
    assert read_manifest(tmp_path).classes == tuple(sorted(folders))


# links


def test_symlink_loops_end(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to("self")
    (tmp_path / "b" / "other").symlink_to(tmp_path / "a")
    manifest = read_manifest(tmp_path)
    assert list(manifest.path) == ["a/1.png", "a/self", "b/1.png"]  # a dangling link is kept, to be reported
    assert sum("was not followed" in warning for warning in manifest.warnings) == 2


def test_links_to_folders_elsewhere_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path / "store", "one/1.png", "two/2.png", "two/deep/3.png")
    touch(tmp_path / "data", "c/4.png")
    (tmp_path / "data" / "a").symlink_to(tmp_path / "store" / "one")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "store" / "two")
    (tmp_path / "data" / "c" / "again").symlink_to(tmp_path / "store" / "two" / "deep")
    manifest = read_manifest(tmp_path / "data")
    assert list(zip(manifest.path, manifest.label, strict=True)) == [
        ("a/1.png", "a"),
        ("b/2.png", "b"),
        ("b/deep/3.png", "b"),
        ("c/4.png", "c"),
    ]


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/1.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert "'a/pipe.png' is no regular file and was ignored" in read_manifest(tmp_path).warnings


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may list every folder")
def test_folder_without_permission_is_a_fault(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "b").chmod(0)
    try:
        assert "folder cannot be read" in fault(tmp_path)
    finally:
        (tmp_path / "b").chmod(0o755)


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
    manifest = read_manifest(table(tmp_path, f"path,label,{','.join(wide)}\na/1.png,x{',0.5' * 20_000}\n"))
    assert len(manifest.columns) == 20_000


def test_lines_may_end_as_on_an_old_macintosh(tmp_path: Path) -> None:
    assert list(read_manifest(table(tmp_path, "path,label\ra/1.png,x\rb/1.png,y\r")).label) == ["x", "y"]


def test_lines_are_counted_over_quoted_line_breaks(tmp_path: Path) -> None:
    message = fault(table(tmp_path, 'path,label,note\na/1.png,x,"two\nlines"\ngone.png,x,\n'))
    assert "row 4: 'gone.png'" in message


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


# groups


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
