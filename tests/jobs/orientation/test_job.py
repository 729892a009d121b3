"""`graticule orientation` as a job: one row per file, bad ones listed, the same bytes for any number of workers."""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest
import tifffile
from tests.directions.scenes import apart, wires

from graticule.errors import ManifestError, OptionError, RunError
from graticule.jobs.options import OrientationOptions
from graticule.jobs.orientation.job import orientation
from graticule.runs import read_json


def save(file: Path, picture: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(file)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wires along 30 and 120 degrees, one colour, noise; a small one, one that is none, and a stack."""
    folder = tmp_path_factory.mktemp("orientation") / "images"
    save(folder / "a" / "thirty.png", wires(30, share=0.8, side=200))
    save(folder / "a" / "across.png", wires(120, share=0.8, side=200))
    save(folder / "flat.png", np.full((90, 90), 77))
    save(folder / "noise.png", np.random.default_rng(0).normal(128, 20, (128, 128)))
    save(folder / "small.png", wires(30, side=20, n=4))
    (folder / "broken.png").write_bytes(b"no image")
    stack = np.random.default_rng(1).integers(0, 999, (4, 64, 64)).astype(np.uint16)
    tifffile.imwrite(folder / "stack.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    return folder


@pytest.fixture(scope="module")
def measured(images: Path) -> tuple[Path, dict[str, Any]]:
    """What two workers left."""
    out = images.parent / "out"
    return out, orientation(images, out, OrientationOptions(workers=2, csv=True, survey=True, direction=30.0))


def rows_of(out: Path) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in pq.read_table(out / "orientation.parquet").to_pylist()}


def test_each_image_has_a_row_and_bad_ones_are_listed(measured: tuple[Path, dict[str, Any]]) -> None:
    out, summary = measured
    rows = rows_of(out)
    assert summary["n"] == len(rows) == 7
    assert apart(rows["a/thirty.png"]["direction"], 30) < 1
    assert apart(rows["a/across.png"]["direction"], 120) < 1
    assert rows["a/thirty.png"]["along_share"] > 0.5 > rows["a/across.png"]["along_share"]
    assert rows["flat.png"]["verdict"] == rows["noise.png"]["verdict"] == "no structure"
    assert rows["flat.png"]["direction"] is None
    failures = dict(summary["failures"])
    assert set(failures) == {"small.png", "broken.png", "stack.tif"}
    assert "too few" in failures["small.png"]
    assert "--z" in failures["stack.tif"]
    assert (out / "failures.csv").read_text().count("\n") == 4
    assert read_json(out / "summary.json")["verdicts"]["no structure"] == 2


def test_pictures_and_page_are_written(measured: tuple[Path, dict[str, Any]]) -> None:
    out, _ = measured
    rows = rows_of(out)
    surveys = {row["survey"] for row in rows.values() if row["survey"]}
    assert {f"survey/{file.name}" for file in (out / "survey").iterdir()} == surveys
    assert len(surveys) == 4
    page = (out / "orientation.html").read_text()
    assert "2 of 4 images have a preferred direction" in page
    assert page.count("<img") == 4
    assert (out / "orientation.csv").is_file()


def test_the_same_bytes_for_any_number_of_workers(
    images: Path, measured: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, _ = measured
    orientation(images, tmp_path / "one", OrientationOptions(workers=1, csv=True, survey=True, direction=30.0))
    for name in ("orientation.parquet", "orientation.csv", "failures.csv", "survey/00000.png"):
        assert (out / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_masks_are_found_by_name(images: Path, tmp_path: Path) -> None:
    mask = np.zeros((200, 200), np.uint8)
    mask[:, :100] = 255
    (tmp_path / "masks" / "a").mkdir(parents=True)
    PIL.Image.fromarray(mask).save(tmp_path / "masks" / "a" / "thirty.tif")
    PIL.Image.fromarray(mask[:50]).save(tmp_path / "masks" / "a" / "across.png")
    found = orientation(images / "a", tmp_path / "out", OrientationOptions(workers=1, mask=tmp_path / "masks" / "a"))
    assert "its mask has 200 x 50 pixels" in dict(found["failures"])["across.png"]
    assert found["rows"][0]["used"] > 0
    more = orientation(images, tmp_path / "more", OrientationOptions(workers=1, mask=tmp_path / "masks"))
    assert "there is no mask flat.*" in dict(more["failures"])["flat.png"]


def test_what_is_refused_before_work(images: Path, measured: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds a finished"):
        orientation(images, measured[0])
    with pytest.raises(OptionError, match="lies inside the images"):
        orientation(images, images / "out")
    with pytest.raises(OptionError, match="is no folder"):
        orientation(images, tmp_path / "x", OrientationOptions(mask=tmp_path / "none"))
    with pytest.raises(OptionError, match="numbers from 1 to 100"):
        orientation(images, tmp_path / "x", OrientationOptions(sigma=0.2))
    with pytest.raises(ManifestError, match="does not exist"):
        orientation(tmp_path / "none", tmp_path / "x")
