"""Folders that are one image, told by the files that Zarr and N5 write; a user's folder with a like name is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.formats.chunk_stores import chunk_store


@pytest.mark.parametrize("mark", [".zarray", ".zgroup", ".zattrs", ".zmetadata", "zarr.json"])
def test_a_file_of_zarr_tells_even_beside_pictures(tmp_path: Path, mark: str) -> None:
    assert chunk_store(tmp_path / "plain", {mark, "1.png"}).startswith("OME-Zarr is not supported")
    (tmp_path / mark).touch()
    assert chunk_store(tmp_path) == chunk_store(tmp_path / "plain", {mark})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"n5": "2.5.1"}', True),
        ('{"dimensions": [9], "dataType": "uint8"}', True),
        ('{"dimensions": [9]}', False),
        ('{"made": "by hand"}', False),
        ("[1]", False),
        ("{", False),
        ("[" * 100_000, False),
        ('{"n5": "' + "x" * 2**20 + '"}', False),
    ],
    ids=["group", "data set", "half", "other", "list", "cut", "deep", "huge"],
)
def test_attributes_of_n5_are_read_and_others_are_not_taken_for_them(tmp_path: Path, text: str, told: bool) -> None:
    (tmp_path / "attributes.json").write_text(text)
    assert chunk_store(tmp_path).startswith("N5 is not supported") == told


def test_the_name_tells_where_no_picture_lies_in_the_folder() -> None:
    for name in ("a.zarr", "A.ome.ZARR", "a.n5"):
        assert chunk_store(Path(name), {"0", "1"})
        assert chunk_store(Path(name), set())
        assert chunk_store(Path(name), {"0", "1.TIF"}) == ""
    assert chunk_store(Path("zarr"), {"0"}) == ""


def test_no_folder_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file.zarr").touch()
    for folder in (tmp_path / "gone.zarr", tmp_path / "file.zarr", tmp_path / "a\0.zarr"):
        assert chunk_store(folder) == ""
