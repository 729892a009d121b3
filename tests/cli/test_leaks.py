"""Splits that leak, a test part opened again, synthetic images, and images of another depth, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest
import tifffile

N = 12
CLASSES = ("coarse", "fine")


def speckle(kind: int, seed: int, size: int = 64) -> np.ndarray:
    """A picture of coarse (0) or fine (1) grains, each of its own."""
    rng = np.random.default_rng([kind, seed])
    side = (8, 24)[kind]
    coarse = PIL.Image.fromarray(rng.integers(30, 226, (side, side), dtype=np.uint8))
    return np.asarray(coarse.resize((size, size), PIL.Image.Resampling.BICUBIC))


def save_png(file: Path, pixels: np.ndarray) -> None:
    PIL.Image.fromarray(pixels).save(file)


def write_classes(
    folder: Path, first: int = 0, save: Callable[[Path, np.ndarray], None] = save_png, suffix: str = "png"
) -> list[str]:
    """Class folders "coarse" and "fine" of N pictures each, of seeds from `first`; the paths below the folder."""
    paths = []
    for kind, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for i in range(N):
            paths.append(f"{name}/{i:02d}.{suffix}")
            save(folder / paths[-1], speckle(kind, first + i))
    return paths


def write_table(folder: Path, header: str, rows: list[str]) -> Path:
    file = folder / "samples.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


def label_of(path: str) -> str:
    return path.partition("/")[0]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 12 images, the last four of each in the test part; image 8 of "coarse" is a copy of image 0."""
    folder = tmp_path_factory.mktemp("leaks")
    paths = write_classes(folder)
    (folder / paths[8]).write_bytes((folder / paths[0]).read_bytes())
    parts = ["train"] * 8 + ["test"] * 4
    rows = [f"{path},{label_of(path)},{parts[k % N]}" for k, path in enumerate(paths)]
    return write_table(folder, "path,label,split", rows)


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def test_a_leaking_split_is_refused_with_the_list(
    table: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    message = graticule("train", table, "--out", tmp_path / "run", *fast, "--folds", 2).message()
    assert "duplicate of 'coarse/00.png': 2 images in train and test" in message
    assert "--allow-leaks" in message
    assert not (tmp_path / "run").exists()


def test_with_leaks_allowed_the_report_is_stamped_and_tells_both_accuracies(
    table: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    out = tmp_path / "run"
    outcome = graticule("train", table, "--out", out, *fast, "--folds", 2, "--allow-leaks")
    assert outcome.code == 0, outcome.err
    test = _json(out / "metrics.json")["test"]
    assert (test["n"], test["without_leaks"]["n"]) == (8, 7)
    assert {"value", "low", "high"} <= set(test["without_leaks"]["accuracy"])
    (leak,) = _json(out / "run.json")["leaks"]
    assert leak["kind"] == "duplicate"
    page = (out / "report.html").read_text("utf-8")
    assert "classification report on a leaking split" in page
    assert "Leaking split" in page


def test_the_same_test_part_in_another_run_is_counted(
    table: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    options = (*fast, "--folds", 2, "--allow-leaks", "--seed", 5)
    graticule("train", table, "--out", tmp_path / "a", *options)
    graticule("train", table, "--out", tmp_path / "b", *options[:-1], 6)
    first, second = (_json(tmp_path / name / "run.json")["test_openings_elsewhere"] for name in "ab")
    assert second == first + 1
    assert "Held-out part known from other runs" in (tmp_path / "b" / "report.html").read_text("utf-8")
    document = json.loads(graticule("audit", table, "--json", "--views", 1, "--workers", 1).out)
    assert "tuning" in {leak["kind"] for leak in document["leaks"]}


MADE = ("--parents", "none", "--allow-unproven")


@pytest.fixture(scope="module")
def with_synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 12 real images and 6 synthetic ones of "fine"."""
    folder = tmp_path_factory.mktemp("synthetic")
    rows = [f"{path},{label_of(path)},real" for path in write_classes(folder, first=50)]
    for i in range(N, N + 6):
        rows.append(f"fine/{i:02d}.png,fine,synthetic")
        save_png(folder / f"fine/{i:02d}.png", speckle(1, 50 + i))
    return write_table(folder, "path,label,origin", rows)


def test_labels_picked_by_a_queue_train_and_judge_nothing(
    with_synthetic: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    rows = with_synthetic.read_text(encoding="utf-8").replace(",real", ",1").replace(",synthetic", ",")
    table = with_synthetic.with_name("picked.csv")
    table.write_text(rows.replace("origin", "sampling_prob"), encoding="utf-8")
    out = tmp_path / "run"
    outcome = graticule("train", table, "--out", out, *fast, "--folds", 3)
    assert outcome.code == 0, outcome.err
    assert _json(out / "metrics.json")["n"] == 2 * N
    assert _json(out / "model" / "bundle.json")["n_training"] == 2 * N + 6
    assert pq.read_table(out / "splits.parquet")["part"].to_pylist().count("picked") == 6
    assert "6 images picked by a review queue train in addition" in outcome.out
    evaluated = graticule("evaluate", out, table, "--out", tmp_path / "evaluation")
    assert _json(tmp_path / "evaluation" / "metrics.json")["n"] == 2 * N
    assert "6 images that a review queue picked on purpose were left out" in evaluated.out
    table.write_text(rows.replace("origin", "sampling_prob").replace(",1\n", ",\n"), encoding="utf-8")
    refused = graticule("train", table, "--out", tmp_path / "none", *fast)
    assert (refused.code, "review the control sample too" in refused.err) == (2, True)
    table.write_text(rows.replace("origin", "sampling_prob").replace(",1\n", ",1.5\n"), encoding="utf-8")
    assert "sampling_prob is no share" in graticule("train", table, "--out", tmp_path / "none", *fast).err


def test_synthetic_images_train_and_are_never_scored(
    with_synthetic: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    out = tmp_path / "run"
    outcome = graticule(
        "train", with_synthetic, "--out", out, *fast, "--folds", 3, "--parents", "none", "--allow-unproven"
    )
    assert outcome.code == 0, outcome.err
    assert _json(out / "metrics.json")["n"] == 2 * N
    assert _json(out / "model" / "bundle.json")["n_training"] == 2 * N + 6
    parts = pq.read_table(out / "splits.parquet")["part"].to_pylist()
    assert parts.count("synthetic") == 6
    scored = pq.read_table(out / "predictions.parquet")["path"].to_pylist()
    assert not {path for path in scored if path >= "fine/12.png" and path.startswith("fine")}
    assert "6 synthetic images train in addition" in outcome.out


def test_evaluating_on_synthetic_images_must_be_asked_for_and_is_in_the_title(
    with_synthetic: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    run = tmp_path / "run"
    graticule("train", with_synthetic, "--out", run, *fast, "--folds", 3, *MADE)
    plain = graticule("evaluate", run, with_synthetic, "--out", tmp_path / "real", "--workers", 1)
    assert _json(tmp_path / "real" / "metrics.json")["n"] == 2 * N
    assert "6 synthetic images (column origin) were left out" in plain.out
    graticule("evaluate", run, with_synthetic, "--out", tmp_path / "all", "--workers", 1, "--synthetic")
    assert _json(tmp_path / "all" / "metrics.json")["n"] == 2 * N + 6
    assert "evaluation on partly synthetic images" in (tmp_path / "all" / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def grains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of 8-bit PNG files."""
    folder = tmp_path_factory.mktemp("grains")
    write_classes(folder, first=90)
    return folder


def _deep(folder: Path) -> list[Path]:
    """One picture as 16-bit, 12-bit, floating-point and planar colour TIFF, and as PNG."""
    picture = speckle(1, 999).copy()
    picture[0, 0], picture[0, 1] = 0, 255
    folder.mkdir()
    PIL.Image.fromarray(picture).save(folder / "a8.png")
    tifffile.imwrite(folder / "b16.tif", picture.astype(np.uint16) * 257)
    tifffile.imwrite(folder / "c32f.tif", (picture / 255).astype(np.float32))
    planar = np.stack([picture.astype(np.uint16) * 257] * 3)
    tifffile.imwrite(folder / "d_planar.tif", planar, photometric="rgb", planarconfig="separate")
    return sorted(folder.iterdir())


def test_one_picture_in_any_depth_has_one_feature_vector(
    graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path
) -> None:
    vectors = []
    for file in _deep(tmp_path / "deep"):
        (tmp_path / file.stem).mkdir()
        file.rename(tmp_path / file.stem / file.name)
        out = tmp_path / f"{file.stem}.npz"
        assert graticule("embed", tmp_path / file.stem, "--out", out, "--views", 1, "--workers", 1).code == 0
        vectors.append(np.load(out)["features"][0])
    for vector in vectors[1:]:
        assert np.linalg.norm(vector - vectors[0]) <= 1e-2 * np.linalg.norm(vectors[0])


def test_another_depth_is_refused_unless_told_and_then_of_the_same_class(
    grains: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    run = tmp_path / "run"
    graticule("train", grains, "--out", run, *fast, "--folds", 2)
    _deep(tmp_path / "deep")
    refused = graticule("predict", run, tmp_path / "deep", "--out", tmp_path / "p1", "--workers", 1)
    assert refused.code == 3
    rows = pq.read_table(tmp_path / "p1" / "predictions-00000.parquet").to_pylist()
    assert [row["label"] is None for row in rows] == [False, True, True, True]
    failures = (tmp_path / "p1" / "failures.csv").read_text("utf-8")
    assert "the model was trained on 8 bit" in failures
    told = graticule("predict", run, tmp_path / "deep", "--out", tmp_path / "p2", "--workers", 1, "--any-depth")
    assert told.code == 0
    labels = pq.read_table(tmp_path / "p2" / "predictions-00000.parquet")["label"].to_pylist()
    assert set(labels) == {"fine"}


def test_a_model_of_deep_images_takes_the_window_it_was_trained_with(
    graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    def save(file: Path, pixels: np.ndarray) -> None:
        tifffile.imwrite(file, pixels.astype(np.uint16) * 16)

    data = tmp_path / "data"
    write_classes(data, save=save, suffix="tif")
    outcome = graticule("train", data, "--out", tmp_path / "run", *fast, "--folds", 2)
    assert "16 bit from 0 to 4095" in outcome.out
    info = _json(tmp_path / "run" / "model" / "bundle.json")
    assert info["preprocessing"]["intensity"]["windows"] == [["16 bit", 0.0, 4095.0]]
    assert info["preprocessing"]["intensity"]["kinds"] == ["16 bit"]
    graticule("predict", tmp_path / "run", data, "--out", tmp_path / "p", "--workers", 1)
    rows = pq.read_table(tmp_path / "p" / "predictions-00000.parquet").to_pylist()
    assert sum(row["path"].startswith(row["label"]) for row in rows) >= 22


def test_what_the_files_say_of_pixel_sizes_is_in_the_manifest(
    graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    def save(file: Path, pixels: np.ndarray) -> None:
        tifffile.imwrite(file, pixels, imagej=True, resolution=(4, 4), metadata={"unit": "um"})

    data = tmp_path / "data"
    write_classes(data, save=save, suffix="tif")
    assert graticule("train", data, "--out", tmp_path / "run", *fast, "--folds", 2).code == 0
    sizes = pq.read_table(tmp_path / "run" / "manifest.parquet")["pixel_size_nm"].to_pylist()
    assert [float(size) for size in sizes] == [250.0] * (2 * N)


def test_a_stack_is_refused_until_a_plane_is_chosen_and_the_choice_is_in_the_bundle(
    graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    def save(file: Path, pixels: np.ndarray) -> None:
        planes = np.stack([np.zeros_like(pixels), pixels])
        tifffile.imwrite(file, planes, imagej=True, metadata={"axes": "ZYX"})

    data = tmp_path / "data"
    write_classes(data, save=save, suffix="tif")
    message = graticule("train", data, "--out", tmp_path / "a", *fast, "--folds", 2).message()
    assert "--z" in message
    assert graticule("train", data, "--out", tmp_path / "b", *fast, "--folds", 2, "--z", "max").code == 0
    assert _json(tmp_path / "b" / "model" / "bundle.json")["preprocessing"]["selection"]["z"] == "max"
    assert graticule("predict", tmp_path / "b", data, "--out", tmp_path / "p", "--workers", 1).code == 0


def test_size_features_and_a_physical_scale_reach_the_bundle(
    grains: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    rows = [f"{name}/{i:02d}.png,{name},{5 + i % 2}" for name in CLASSES for i in range(N)]
    table = write_table(tmp_path, "path,label,pixel_size_nm", rows)
    options = (*fast, "--folds", 2, "--scale", "physical", "--size-features")
    assert graticule("train", table, "--root", grains, "--out", tmp_path / "run", *options).code == 0
    info = _json(tmp_path / "run" / "model" / "bundle.json")
    assert info["preprocessing"]["scale_nm"] == pytest.approx(6 * 64 / 224)
    assert info["sizes"]
    assert info["n_features"] == 7266
    message = graticule("train", grains, "--out", tmp_path / "other", *options).message()
    assert "none of 24 images looked at has a pixel size" in message
