"""Synthetic images of another folder join the real ones, whose paths stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.errors import ManifestError
from graticule.manifest import Manifest, bundled_path
from graticule.sources.sources import read_manifest
from graticule.sources.synthetic import read_synthetic, with_synthetic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Real images with a group and a split, and a folder of synthetic ones beside them."""
    for name in ("real/a/0.png", "real/b/1.png", "made/images/0.png", "made/images/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "real" / "manifest.csv").write_text("path,label,group,split\na/0.png,a,g,train\nb/1.png,b,h,test\n")
    write(tmp_path, "images/0.png,a,synthetic,g1,accepted\nimages/1.png,a,synthetic,g2,refused\n")
    return tmp_path


def write(folder: Path, rows: str, header: str = "path,label,origin,generator,gate") -> None:
    (folder / "made" / "manifest.csv").write_text(f"{header}\n{rows}")


def test_both_stand_under_the_root_of_the_real_images(folder: Path) -> None:
    real = read_manifest(folder / "real")
    both = with_synthetic(real, read_synthetic(folder / "made"))
    assert both.root == real.root
    assert both.path.tolist() == ["a/0.png", "b/1.png", "../made/images/0.png", "../made/images/1.png"]
    assert all(file.is_file() for file in both.files())
    assert both.sample_id[:2].tolist() == real.sample_id.tolist()
    told = {name: values.tolist() for name, values in both.columns.items()}
    assert told == {
        "origin": ["real", "real", "synthetic", "synthetic"],
        "group": ["g", "h", "", ""],
        "split": ["train", "test", "train", "train"],
        "generator": ["", "", "g1", "g2"],
        "gate": ["", "", "accepted", "refused"],
    }


def test_a_bundle_calls_them_by_a_path_that_does_not_lead_out(folder: Path) -> None:
    both = with_synthetic(read_manifest(folder / "real"), read_synthetic(folder / "made"))
    assert [bundled_path(path) for path in both.path] == [
        "a/0.png",
        "b/1.png",
        "(elsewhere)/made/images/0.png",
        "(elsewhere)/made/images/1.png",
    ]


def test_what_a_run_writes_of_them_is_read_again(folder: Path) -> None:
    both = with_synthetic(read_manifest(folder / "real"), read_synthetic(folder / "made"))
    both.write(folder / "manifest.parquet")
    again = read_manifest(folder / "manifest.parquet")
    assert (again.path.tolist(), again.files()) == (both.path.tolist(), both.files())
    # a table of the user may still not lead out of its folder
    (folder / "real" / "out.csv").write_text("path,label\na/0.png,a\n../made/images/0.png,a\n")
    with pytest.raises(ManifestError, match="path outside"):
        read_manifest(folder / "real" / "out.csv")


def test_class_folders_take_them_too(folder: Path) -> None:
    (folder / "real" / "manifest.csv").unlink()
    both = with_synthetic(read_manifest(folder / "real"), read_synthetic(folder / "made"))
    assert both.label.tolist() == ["a", "b", "a", "a"]


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        ("images/0.png,a\n", "path,label", "1 of 1 images do not say that they are synthetic"),
        ("images/0.png,a,real\nimages/1.png,a,synthetic\n", "path,label,origin", "1 of 2 .*'images/0.png'"),
        ("images/0.png,a,synthetic,good\n", "path,label,origin,gate", "gate is none of accepted, no gain shown"),
        ("../real/a/0.png,a,synthetic\n", "path,label,origin", "path outside"),
    ],
)
def test_what_is_no_synthetic_image_is_refused(folder: Path, rows: str, header: str, words: str) -> None:
    write(folder, rows, header)
    with pytest.raises(ManifestError, match=words):
        read_synthetic(folder / "made")


def test_a_generator_that_was_interrupted_gives_nothing(folder: Path) -> None:
    (folder / "made" / "run.json").write_text("{}")
    with pytest.raises(ManifestError, match="is not finished: its marker DONE is missing"):
        read_synthetic(folder / "made")
    (folder / "made" / "DONE").write_text("")
    assert len(read_synthetic(folder / "made")) == 2


def test_one_image_in_both_and_names_that_are_twins_are_faults(folder: Path) -> None:
    real: Manifest = read_manifest(folder / "real")
    made = read_synthetic(folder / "made")
    with pytest.raises(ManifestError, match=r"image in both \(2\)"):
        with_synthetic(with_synthetic(real, made), made)
    write(folder, "images/0.png,A,synthetic,g1,accepted\n")
    with pytest.raises(ManifestError, match="differ only by upper and lower case"):
        with_synthetic(real, read_synthetic(folder / "made"))
