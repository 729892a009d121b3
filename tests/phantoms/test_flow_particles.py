"""Particles of a flow microscope: sizes, looks by physics, crops, and what the manifest says of them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graticule.phantoms.families import FAMILIES, write_phantom
from graticule.phantoms.flow_cell import PIXEL_UM, intensity, radius_grid
from graticule.phantoms.flow_particles import (
    CLASSES,
    LARGEST_UM,
    RUNS,
    draw_diameter,
    render_in_field,
    render_particle,
    sphere_screen,
)
from graticule.phantoms.labelled import LabelledFamily
from graticule.phantoms.options import PhantomOptions

BUBBLE, AGGREGATE, OIL = range(3)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_an_image_depends_on_its_three_numbers_and_on_nothing_else() -> None:
    one = render_particle(AGGREGATE, 3, 5)
    render_particle(OIL, 2, 5)
    np.testing.assert_array_equal(render_particle(AGGREGATE, 3, 5).image, one.image)
    other = render_particle(AGGREGATE, 3 + RUNS, 5)
    assert other.specimen == one.specimen
    assert other.known != one.known


def test_oil_in_focus_is_clear_with_a_dark_rim_and_air_is_dark_with_a_clear_middle() -> None:
    radius = radius_grid(128)
    oil, air = (intensity(sphere_screen(20.0, index, 128), 0.0, 0.06) for index in (1.401, 1.0))
    middle, halfway, rim = radius < 0.8, np.abs(radius - 5.5) < 0.5, np.abs(radius - 9.5) < 0.4
    assert oil[halfway].mean() > 0.75 > 0.3 > oil[rim].mean()
    assert air[middle].mean() > 0.6
    assert air[halfway].max() < 0.1 > air[rim].mean()


def test_the_farther_from_focus_the_larger_the_image() -> None:
    wide = [
        int((np.abs(intensity(sphere_screen(6.0, 1.401, 128), z, 0.05) - 1) > 0.05).sum()) for z in (0.0, 12.0, 24.0)
    ]
    assert wide[0] < wide[1] < wide[2]


def test_sizes_follow_a_power_law_and_log_normals_within_1_to_100_um() -> None:
    rng = np.random.default_rng(0)
    drawn = [np.array([draw_diameter(name, 1.0, rng) for _ in range(4000)]) for name in CLASSES]
    assert all(sizes.min() >= 1 and sizes.max() <= LARGEST_UM for sizes in drawn)
    above = [
        (drawn[AGGREGATE] > d).mean() for d in (4.4, 8.8)
    ]  # of a density as d^-3: a quarter of it at twice the size
    assert above[0] / above[1] == pytest.approx(4.0, rel=0.25)
    assert np.median(drawn[BUBBLE]) == pytest.approx(16.0, rel=0.05)
    assert np.std(np.log(drawn[OIL])) == pytest.approx(0.5, rel=0.08)


@pytest.mark.parametrize("kind", range(3))
def test_the_mask_is_as_large_as_the_manifest_says_and_the_crop_holds_it(kind: int) -> None:
    for index in range(12):
        shot = render_particle(kind, index, 2)
        diameter = float(shot.known["diameter_um"]) / PIXEL_UM
        rows, columns = np.nonzero(shot.mask)
        reach = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 0.5 * diameter - 2 < reach < 1.15 * diameter + 3
        assert min(shot.image.shape) >= 14


def test_crops_follow_the_particle() -> None:
    shots = [render_particle(BUBBLE, index, 0) for index in range(40)]
    sides = [max(shot.image.shape) for shot in shots]
    diameters = [float(shot.known["diameter_um"]) for shot in shots]
    assert np.corrcoef(sides, diameters)[0, 1] > 0.9


def test_a_field_shows_the_same_particle_among_others() -> None:
    tight, field = render_particle(OIL, 4, 1), render_in_field(OIL, 4, 1)
    assert tight.known == field.known
    assert field.image.shape[0] == field.image.shape[1] >= 72
    rows, columns = np.nonzero(field.mask)
    side = field.image.shape[0]
    assert abs(rows.mean() - side / 2) < 6 > abs(columns.mean() - side / 2)


def test_counts_label_noise_runs_and_truth_stand_in_the_manifest(tmp_path: Path) -> None:
    record = write_phantom("particles", tmp_path / "set", PhantomOptions(counts="3,20,2", label_noise=0.2, masks=True))
    rows = rows_of(tmp_path / "set")
    assert [sum(row["true_label"] == name for row in rows) for name in CLASSES] == [3, 20, 2]
    assert sum(row["label"] != row["true_label"] for row in rows) == 5 == record["n_label_errors"]
    assert len({row["path"] for row in rows}) == 25
    assert record["counts"] == "3,20,2"
    assert record["n_per_class"] is None
    assert {row["group"] for row in rows} == {f"R{k:02d}" for k in range(1, RUNS + 1)}
    for row in rows:
        assert abs(float(row["defocus_um"])) <= 25
        assert row["path"].startswith(row["label"] + "/")
        with Image.open(tmp_path / "set" / row["path"]) as image:
            assert image.mode == "L"


def test_no_wrong_label_gives_two_images_one_name() -> None:
    family, options = FAMILIES["particles"], PhantomOptions(counts="30,30,30", label_noise=0.9)
    tasks = family.tasks(options)
    assert isinstance(family, LabelledFamily)
    assert family.mixed
    names = {(task.label_index, task.index * 3 + task.class_index) for task in tasks}
    assert len(names) == 90 > len({(task.label_index, task.index) for task in tasks})


def test_a_wider_field_is_written_on_request(tmp_path: Path) -> None:
    write_phantom("particles", tmp_path / "set", PhantomOptions(n_per_class=1, crops="field"))
    for row in rows_of(tmp_path / "set"):
        with Image.open(tmp_path / "set" / row["path"]) as image:
            assert min(image.size) >= 72


@pytest.mark.parametrize("counts", ["3,20", "3,20,-1", "3,20,x", "3,0,3", ""])
def test_counts_that_do_not_fit_the_classes_are_explained(counts: str) -> None:
    (fault,) = FAMILIES["particles"].faults(PhantomOptions(counts=counts))
    assert "3 whole numbers from 1" in fault
    assert ", ".join(CLASSES) in fault


def test_counts_and_crops_are_refused_where_they_mean_nothing() -> None:
    assert "not both" in FAMILIES["powder"].faults(PhantomOptions(counts="1,1,1,1,1,1", n_per_class=3))[0]
    assert "whole fields already" in FAMILIES["powder"].faults(PhantomOptions(crops="field"))[0]
    assert len(FAMILIES["nanowires"].faults(PhantomOptions(counts="5", crops="field"))) == 2
