"""Data sets on disk: what is written, that it is reproducible, and that the planted truth is recorded."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graticule.errors import OptionError
from graticule.phantoms import families, powder
from graticule.phantoms.families import FAMILIES, write_phantom
from graticule.phantoms.labelled import LabelledFamily
from graticule.phantoms.options import PhantomOptions

CLASSES = powder.CLASSES


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plain") / "set"
    write_phantom("powder", out, PhantomOptions(n_per_class=1, seed=3))
    return out


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("full") / "set"
    write_phantom("powder", out, PhantomOptions(n_per_class=2, seed=3, label_noise=0.25, info_bar="zeiss", masks=True))
    return out


def test_a_plain_set_is_class_folders_with_a_manifest(plain: Path) -> None:
    rows = rows_of(plain)
    assert len(rows) == len(CLASSES)
    assert sorted(p.name for p in plain.iterdir()) == sorted([*CLASSES, "manifest.csv", "phantom.json"])
    for row in rows:
        assert row["path"].split("/")[0] == row["label"] == row["true_label"]
        assert row["group"] == row["specimen"] != ""
        assert row["bar_top"] == row["bar_bottom"] == ""
        assert float(row["pixel_size_nm"]) > 0
        with Image.open(plain / row["path"]) as image:
            assert (image.size, image.mode) == ((512, 512), "L")


def test_groups_belong_to_one_class_each(full: Path) -> None:
    rows = rows_of(full)
    assert len({(row["group"], row["true_label"]) for row in rows}) == len({row["group"] for row in rows})


def test_the_record_says_how_it_was_made(full: Path) -> None:
    record = json.loads((full / "phantom.json").read_text())
    expected = {"schema_version": 1, "kind": "powder", "seed": 3, "n_per_class": 2, "label_noise": 0.25}
    assert expected.items() <= record.items()
    assert record["n"] == 12
    assert record["n_label_errors"] == 3
    assert record["classes"] == list(CLASSES)


def test_label_noise_is_exact_recorded_and_files_lie_under_the_given_label(full: Path) -> None:
    rows = rows_of(full)
    assert sum(row["label"] != row["true_label"] for row in rows) == 3
    assert all(row["path"].startswith(row["label"] + "/") for row in rows)
    assert [row["true_label"] for row in rows] == [name for name in CLASSES for _ in range(2)]


def test_masks_lie_under_the_same_name_and_are_16_bit(full: Path) -> None:
    for row in rows_of(full):
        with Image.open(full / "masks" / row["path"]) as image:
            mask = np.asarray(image)
        assert mask.shape == (512, 512)
        assert mask.dtype == np.uint16
        assert mask.max() > 2
        assert 0.05 < (mask > 0).mean() < 0.99
        assert not mask[int(row["bar_top"]) :].any()


def test_the_bar_hides_its_rows_and_leaves_the_micrograph_as_it_was(plain: Path, full: Path) -> None:
    barred = {(row["true_label"], Path(row["path"]).name): row for row in rows_of(full)}
    for row in rows_of(plain):
        twin = barred[row["true_label"], Path(row["path"]).name]
        assert (twin["bar_top"], twin["bar_bottom"]) == ("470", "512")
        bare, stamped = (np.asarray(Image.open(f / r["path"])) for f, r in ((plain, row), (full, twin)))
        np.testing.assert_array_equal(bare[:470], stamped[:470])
        assert (bare[470:] != stamped[470:]).mean() > 0.5


def test_the_same_seed_gives_the_same_files_for_any_number_of_workers(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "_PARALLEL_FROM", 1)
    write_phantom("powder", tmp_path / "again", PhantomOptions(n_per_class=1, seed=3, workers=2))
    assert hashes(tmp_path / "again") == hashes(plain)


def test_progress_is_told_after_each_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = powder.render_powder(0, 0, 0)
    fake = LabelledFamily("fake", "one image over and over", ("a", "b"), lambda *_: made)
    monkeypatch.setitem(FAMILIES, "fake", fake)
    calls: list[tuple[int, int]] = []
    write_phantom(
        "fake", tmp_path / "s", PhantomOptions(n_per_class=2), lambda done, total: calls.append((done, total))
    )
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_faulty_options_are_listed_together_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        OptionError, match="unknown kind of phantom 'sand'; known: nanowires, particles, powder, ultrasound"
    ) as caught:
        write_phantom(
            "sand", tmp_path / "x", PhantomOptions(n_per_class=0, label_noise=1.0, info_bar="leica", seed=-1, workers=0)
        )
    for text in (
        "--n-per-class 0: allowed are whole numbers from 1",
        "--label-noise 1.0: allowed are shares from 0 to below 1",
        "--info-bar leica: allowed are zeiss, thermo, jeol, hitachi, tescan",
        "--seed -1: allowed are whole numbers from 0",
        "--workers 0: allowed are whole numbers from 1",
    ):
        assert text in str(caught.value)
    assert not (tmp_path / "x").exists()


def test_powder_tells_the_diameter_and_the_number_of_its_particles(full: Path) -> None:
    for row in rows_of(full):
        with Image.open(full / "masks" / row["path"]) as image:
            mask = np.asarray(image)
        assert int(row["count"]) == np.unique(mask[mask > 0]).size
        assert float(row["diameter_nm"]) == pytest.approx(
            float(row["diameter_px"]) * float(row["pixel_size_nm"]), rel=1e-3
        )
        assert 10 < float(row["diameter_px"]) < 500
