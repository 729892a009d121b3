"""What a walk through a folder finds: links once, hidden and service files counted, chunks as one image."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.sources.inputs import fault, table, touch

from graticule.errors import ManifestError
from graticule.sources.folders import in_service_folder, list_folder, service_name
from graticule.sources.sources import list_images, read_manifest


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


@pytest.mark.parametrize(
    ("name", "counted_as"),
    [
        ("@eaDir", "@eaDir"),
        ("THUMBS.DB", "THUMBS.DB"),
        ("._1.png", "._*"),
        (".Trash-1000", ".Trash-*"),
        ("~$table.xlsx", "~$*"),
        ("a.jpg@SynoResource", "*@SynoResource"),
        (".anything", ".*"),
        ("eaDir", ""),
        ("found.png", ""),
        ("a.b", ""),
    ],
)
def test_names_that_are_a_systems_own(name: str, counted_as: str) -> None:
    assert service_name(name) == counted_as
    assert in_service_folder(f"a/{name}/1.png") == in_service_folder(f"./../{name}") == bool(counted_as)


def test_a_listing_says_what_became_of_every_entry(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.png", "a/b/1", "a/notes.TXT", "LICENSE", "a/.x", "s.zarr/.zgroup", "s.zarr/0/0")
    found = list_folder(tmp_path)
    assert found.files == ["a/b/1", "b/2.png", "s.zarr"]
    assert found.folders == ["a", "a/b", "b"]
    assert (found.ignored, found.service) == ({".txt": 1, "LICENSE": 1}, {".*": 1})
    assert (found.faults, found.warnings, len(found.all_warnings())) == ([], [], 2)
    (fault,) = list_folder(tmp_path / "s.zarr").faults
    assert fault.startswith("'.': OME-Zarr")
    assert list_folder(tmp_path / "gone").faults == ["'.': No such file or directory"]
