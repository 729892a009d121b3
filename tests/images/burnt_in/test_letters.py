"""Signs of a drawn bar: what ends at its edge, and lines of letters."""

import numpy as np
import pytest

from graticule.images.burnt_in.infobar import Bar, find_bar
from graticule.images.burnt_in.letters import ends, is_of_two_tones, marks
from graticule.phantoms import powder
from graticule.phantoms.infobar import Acquisition, stamp

GROUND = np.zeros((16, 1), np.int16)


def two_discs(centre: int) -> np.ndarray:
    y, x = np.mgrid[:100, :320]
    shown = ((y - centre) ** 2 + (x - 80) ** 2 < 40**2) | ((y - centre) ** 2 + (x - 230) ** 2 < 40**2)
    return np.where(shown, 150, 0).astype(np.uint8)


def test_a_hidden_particle_is_as_wide_at_the_edge_as_above() -> None:
    image = two_discs(50)
    image[60:] = 0
    found = ends(image, (60, 60), GROUND)
    assert found.runs == 2
    assert found.crossing == 0
    assert found.kept > 0.9
    assert found.share == pytest.approx(2 * 78 / 320, abs=0.03)


def test_a_particle_that_ends_by_itself_narrows() -> None:
    assert ends(two_discs(22), (62, 62), GROUND).kept < 0.65


def test_a_particle_that_goes_on_below_crosses() -> None:
    found = ends(two_discs(50), (60, 60), GROUND)
    assert found.crossing > 0.95
    assert found.share < 0.05


def test_letters_in_a_line_are_counted_without_rules_and_frame() -> None:
    bar = np.zeros((30, 320), np.uint8)
    for i in range(12):
        bar[8 : 16 + i % 2, 10 + 14 * i : 16 + 14 * i] = 255
    assert marks(bar, GROUND).in_line == 12
    bar[0] = bar[-1] = 255  # a frame
    bar[:, 0] = bar[:, -1] = 255
    bar[:, 250] = 255
    found = marks(bar, GROUND)
    assert found.in_line == 12
    assert found.free == 1


def test_what_touches_the_edge_or_the_border_is_no_letter() -> None:
    bar = np.zeros((30, 320), np.uint8)
    bar[0:9, 20:60] = 200
    bar[12:30, 100:140] = 200
    found = marks(bar, GROUND)
    assert (found.in_line, found.free) == (0, 0.0)
    assert marks(np.zeros_like(bar), GROUND).in_line == 0


@pytest.mark.parametrize(
    ("greys", "expected"),
    [([62] * 9 + [66] * 7, True), ([118] * 3 + [126] * 9 + [170, 170, 178, 178], True), (range(40, 104, 4), False)],
)
def test_the_ground_of_a_bar_is_of_two_tones(greys: list[int], expected: bool) -> None:
    assert is_of_two_tones(np.array(list(greys), np.int16)[:, None]) is expected


@pytest.mark.parametrize(("make", "top"), [("hitachi", 484), ("jeol", 482), ("tescan", 452)])
def test_a_black_bar_is_found_below_a_picture_cut_off_at_black(make: str, top: int) -> None:
    off = []
    for i in range(24):
        scene = powder.render_powder(i % len(powder.CLASSES), i // len(powder.CLASSES), 91).image.astype(float)
        black = np.quantile(scene, 0.3)
        scene = np.clip((scene - black) * 1.6, 0, 255).astype(np.uint8)
        shot = Acquisition(pixel_size_nm=20.0 + i, energy_kv=5.0, working_distance_mm=8.0, number=i)
        off += [i] if find_bar(stamp(scene, make, shot)) != Bar(top, 512, "pixels") else []
    assert len(off) <= 3, off


def test_the_straight_side_of_a_rod_is_no_edge_of_a_bar() -> None:
    rng = np.random.default_rng(12)
    cut = []
    for i in range(60):
        y, x = np.mgrid[:360, :260]
        side = rng.uniform(270, 345) + rng.uniform(-0.02, 0.02) * x
        image = np.where((y < side) & (y > side - 40), 120.0, -20.0 if i % 2 else 40.0)
        image[:200] += np.where((x[:200] - 130) ** 2 + (y[:200] - 90) ** 2 < 60**2, 90, 0)
        image += np.linspace(0, 50, 260) if i % 4 == 0 else 0
        image += rng.normal(0, rng.uniform(2, 12), image.shape)
        cut += [i] if find_bar(np.clip(image, 0, 255).astype(np.uint8)) is not None else []
    assert cut == []
