"""The set on disk: targets, groups, bars, masks and floors."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graticule.phantoms import families
from graticule.phantoms.families import write_phantom
from graticule.phantoms.nanowire_family import FLOORS, TARGETS, floors, targets_of
from graticule.phantoms.nanowires import NanowirePicture
from graticule.phantoms.options import PhantomOptions
from graticule.phantoms.wires import Laid

OPTIONS = PhantomOptions(n_per_class=12, per_specimen=3, seed=4, masks=True)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("nanowires") / "set"
    write_phantom("nanowires", out, OPTIONS)
    return out


def test_the_manifest_holds_targets_and_groups_and_no_label(made: Path) -> None:
    rows = rows_of(made)
    assert len(rows) == 12
    assert "label" not in rows[0]
    assert len({row["group"] for row in rows}) == 4
    for row in rows:
        assert (made / row["path"]).is_file()
        for name in TARGETS[:5]:
            assert 0 <= float(row[name]) <= 1
        assert float(row["count"]) > 5
        assert float(row["diameter_nm"]) == pytest.approx(
            float(row["diameter_px"]) * float(row["pixel_size_nm"]), rel=1e-3
        )
    assert {Path(row["path"]).suffix for row in rows} <= {".png", ".jpg"}


def test_a_bar_lies_beside_the_field_in_some_pictures(made: Path) -> None:
    rows = rows_of(made)
    barred = [row for row in rows if row["bar_top"]]
    assert 0 < len(barred) < len(rows)
    for row in rows:
        with Image.open(made / row["path"]) as image, Image.open(made / "masks" / f"{row['path'][:-4]}.png") as mask:
            grey, numbers = np.asarray(image), np.asarray(mask)
        assert grey.shape == numbers.shape
        assert set(np.unique(numbers)) == set(range(numbers.max() + 1))
        if row["bar_top"]:
            top, bottom = int(row["bar_top"]), int(row["bar_bottom"])
            assert grey.shape[0] - (bottom - top) >= 256
            assert not numbers[top:bottom].any()


def test_a_bar_leaves_the_micrograph_as_it_was(made: Path, tmp_path: Path) -> None:
    write_phantom(
        "nanowires", tmp_path / "barred", PhantomOptions(n_per_class=3, per_specimen=3, seed=4, info_bar="jeol")
    )
    for plain, barred in zip(rows_of(made), rows_of(tmp_path / "barred"), strict=False):
        assert barred["bar_top"]
        assert {name: plain[name] for name in TARGETS} == {name: barred[name] for name in TARGETS}
        if not plain["bar_top"] and plain["path"].endswith("png"):
            with Image.open(made / plain["path"]) as a, Image.open(tmp_path / "barred" / barred["path"]) as b:
                np.testing.assert_array_equal(np.asarray(a), np.asarray(b)[: int(barred["bar_top"])])


def test_the_record_tells_the_floors(made: Path) -> None:
    record = json.loads((made / "phantom.json").read_text(encoding="utf-8"))
    assert {
        "kind": "nanowires",
        "n": 12,
        "n_specimens": 4,
        "n_per_class": 12,
        "per_specimen": 3,
    }.items() <= record.items()
    assert set(record["floors"]) == set(FLOORS)
    assert record["floors"]["which share is aligned by area"] < 0.05
    assert record["floors"]["the directions of the visible wires"] < 0.15


def test_floors_are_mean_errors_of_the_volume_fraction() -> None:
    row = {"fraction": "0.5", "area_fraction": "0.6", "number_fraction": "0.3", "visible_fraction": "0.5"}
    found = floors([row | {"oriented_fraction": "0.4"}, row | {"oriented_fraction": "0.7"}])
    assert list(found.values()) == [0.1, 0.2, 0.0, 0.15]
    assert floors([]) == {}


def test_the_same_seed_gives_the_same_files_for_any_number_of_workers(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "_PARALLEL_FROM", 1)
    options = PhantomOptions(n_per_class=12, per_specimen=3, seed=4, masks=True, workers=2)
    write_phantom("nanowires", tmp_path / "again", options)
    assert hashes(tmp_path / "again") == hashes(made)


def test_truth_of_a_hand_made_scene() -> None:
    """Two aligned wires at 30 degrees, one of them half hidden, and one across."""
    turn = np.exp(2j * np.radians([30.0, 30.0, 120.0]))
    laid = Laid(np.array([True, True, False]), np.array([2.0, 4.0, 4.0]), np.array([10.0, 10.0, 10.0]), turn)
    wire = np.zeros((10, 10), dtype=np.intp)
    wire[0, :], wire[1:3, :], wire[3:7, :] = 1, 2, 3
    shot = NanowirePicture(np.zeros((10, 10), np.uint8), wire, laid, "N001", "SEM-1", 5.0, 0)
    truth = dict(zip(TARGETS, targets_of(shot), strict=True))
    assert float(truth["fraction"]) == pytest.approx((4 + 16) / 36, abs=1e-4)
    assert float(truth["area_fraction"]) == pytest.approx(6 / 10)
    assert float(truth["number_fraction"]) == pytest.approx(2 / 3, abs=1e-4)
    assert float(truth["visible_fraction"]) == pytest.approx((10 * 2 + 20 * 4) / (10 * 2 + 20 * 4 + 40 * 4), abs=1e-4)
    assert float(truth["direction"]) == pytest.approx(30.0)
    assert float(truth["dispersion"]) == pytest.approx(0.0, abs=0.01)
    assert (truth["count"], float(truth["coverage"])) == ("3", 0.7)
    assert float(truth["diameter_nm"]) == pytest.approx(50 / 3, abs=0.01)


def test_a_scene_without_aligned_wires_has_no_direction() -> None:
    laid = Laid(np.array([False]), np.array([2.0]), np.array([10.0]), np.array([1j]))
    shot = NanowirePicture(np.zeros((4, 4), np.uint8), np.ones((4, 4), np.intp), laid, "N001", "SEM-1", 5.0, 0)
    truth = dict(zip(TARGETS, targets_of(shot), strict=True))
    assert (truth["fraction"], truth["direction"], truth["dispersion"]) == ("0.00000", "", "")
