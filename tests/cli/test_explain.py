"""`graticule explain`: maps, index, page and checks from a finished run; bad input."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from safetensors.numpy import load_file

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def explained(
    run: Path, images: Path, graticule: Command, in_session_cache: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The training images explained, six of them."""
    out = tmp_path_factory.mktemp("explained") / "out"
    outcome = graticule("explain", run, images, "--out", out, "--limit", 6, "--top", 2, "--workers", 1)
    assert outcome.code == 0, outcome.err
    assert "6 of 36 images explained by hirescam" in outcome.out
    return out


def size_of(file: Path) -> tuple[int, int]:
    """Width and height of an image file."""
    with PIL.Image.open(file) as image:
        return image.size


def test_every_image_has_its_maps_overlays_and_row(explained: Path) -> None:
    document = json.loads((explained / "explain.json").read_text())
    assert document["schema_version"] == 1
    assert document["n_explained"] == len(document["rows"]) == 6
    assert document["baseline"] == "training"
    assert document["other_labels"] == []
    # classes take turns
    assert [row["predicted"] for row in document["rows"][:3]] == ["disc", "square", "stripes"]
    with (explained / "maps.csv").open(newline="") as stream:
        index = list(csv.DictReader(stream))
    assert len(index) == 12
    tensors = load_file(explained / index[0]["shard"])
    assert set(tensors) == {row["tensor"] for row in index}
    assert tensors[index[0]["tensor"]].shape == (56, 56)
    for row in index:
        assert size_of(explained / row["overlay"]) == (336, 336)
    for row in document["rows"]:
        assert row["label"] == row["predicted"]
        assert 0 <= row["border_share"] <= 1
        assert row["bar_share"] is None
        assert 0 < row["peak"]["x"] < 1
        assert row["top"][0]["class"] == row["predicted"]
        assert row["top"][0]["score"] == row["score"]
    assert (explained / "DONE").exists()


def test_the_checks_are_reported(explained: Path) -> None:
    checks = json.loads((explained / "explain.json").read_text())["checks"]
    assert next(row["destroyed"] for row in checks["randomised_weights"]) == "head"
    assert len(checks["randomised_weights"]) == 5
    assert len(checks["fidelity"]["curves"]["deletion"]) == 9
    assert checks["attention"]["border"]["area"] == pytest.approx(0.234, abs=0.001)
    assert checks["attention"]["info_bar"] is None
    assert not any(v["enough"] for verdicts in checks["exchange"]["regions"].values() for v in verdicts)


def test_the_page_stands_alone(explained: Path) -> None:
    page = (explained / "explain.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("data:image") >= 6 * 3
    for word in ("most typical", "Deletion", "Randomised weights", "What a map cannot tell"):
        assert word in page


def test_the_same_command_gives_the_same_maps(
    explained: Path, run: Path, images: Path, graticule: Command, warm_cache: Path, tmp_path: Path
) -> None:
    outcome = graticule(
        "explain", run, images, "--out", tmp_path / "o", "--limit", 6, "--top", 2, "--workers", 2, "--json"
    )
    assert outcome.code == 0
    first = json.loads((explained / "explain.json").read_text())
    again = json.loads(outcome.out)
    assert again["rows"] == first["rows"]
    assert again["checks"] == first["checks"]
    name = "maps-00000.safetensors"
    assert (tmp_path / "o" / name).read_bytes() == (explained / name).read_bytes()


def test_unlabelled_images_and_unreadable_ones(
    run: Path, images: Path, graticule: Command, warm_cache: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    for i, file in enumerate(sorted(images.rglob("*.png"))[::9]):
        shutil.copyfile(file, folder / f"{i}.png")
    (folder / "broken.png").write_bytes(b"no image")
    outcome = graticule("explain", run, folder, "--out", tmp_path / "out", "--limit", 0, "--top", 1, "--workers", 1)
    assert outcome.code == 3
    assert "broken.png" in outcome.err
    document = json.loads((tmp_path / "out" / "explain.json").read_text())
    assert document["accuracy"] is None
    assert document["n_explained"] == 4
    assert document["n_unreadable"] == 1
    assert all(row["label"] is None for row in document["rows"])
    failures = (tmp_path / "out" / "failures.csv").read_text().splitlines()
    assert failures[0] == "path,error"
    assert failures[1].startswith("broken.png,")


def table_of(images: Path, labels: list[str]) -> str:
    """A labelled table of the first images."""
    files = sorted(images.rglob("*.png"))[: len(labels)]
    return "\n".join(["path,label", *(f"{file},{label}" for file, label in zip(files, labels, strict=True))])


def test_a_labelled_table_with_a_fault_is_refused_and_its_labels_are_not_dropped(
    run: Path, images: Path, graticule: Command, tmp_path: Path
) -> None:
    table = tmp_path / "labelled.csv"
    table.write_text(table_of(images, ["disc", "disc"]) + f"\n{images / 'none.png'},disc\n")
    outcome = graticule("explain", run, table, "--out", tmp_path / "out", "--root", images)
    assert "missing file" in outcome.message()
    assert not (tmp_path / "out").exists()


def test_labels_of_other_classes_are_named(
    run: Path, images: Path, graticule: Command, warm_cache: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labelled.csv"
    table.write_text(table_of(images, ["Plate", "Fibre", "Plate", ""]))
    words = ("--root", images, "--top", 1, "--workers", 1)
    outcome = graticule("explain", run, table, "--out", tmp_path / "out", *words)
    assert outcome.code == 0, outcome.err
    document = json.loads((tmp_path / "out" / "explain.json").read_text())
    assert document["other_labels"] == ["Fibre", "Plate"]
    assert (
        "none of the labels (Fibre, Plate) is a class of the model" in (tmp_path / "out" / "explain.html").read_text()
    )


def test_images_of_one_class_are_explained_without_an_exchange(
    run: Path, images: Path, graticule: Command, warm_cache: Path, tmp_path: Path
) -> None:
    outcome = graticule("explain", run, images / "disc" / "disc_00.png", "--out", tmp_path / "out", "--workers", 1)
    assert outcome.code == 0, outcome.err
    assert "all explained images were given one class" in outcome.out
    assert "Too few images for intervals." in (tmp_path / "out" / "explain.html").read_text()


def test_proportions_of_the_picture_are_kept(run: Path, graticule: Command, cache_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 80), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(folder / "a.png")
    assert graticule("explain", run, folder, "--out", tmp_path / "out", "--top", 1, "--workers", 1).code == 0
    assert size_of(tmp_path / "out" / "maps" / "00000-1.png") == (336, 168)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--limit", -1), "--limit -1"),
        (("--top", 0), "--top 0"),
        (("--method", "lime"), "'lime' is not known; allowed: hirescam"),
        (("--method", "gradcam"), "use hirescam"),
    ],
)
def test_bad_options_are_named(
    run: Path, images: Path, graticule: Command, tmp_path: Path, words: tuple[Any, ...], said: str
) -> None:
    outcome = graticule("explain", run, images, "--out", tmp_path / "out", *words)
    assert said in outcome.message()
    assert not (tmp_path / "out").exists()


def test_what_is_no_run_is_refused(images: Path, graticule: Command, tmp_path: Path) -> None:
    assert "no run at" in graticule("explain", tmp_path / "none", images, "--out", tmp_path / "out").message()
