"""Info bars: exact rows, untouched micrograph, a scale bar of the right length."""

import numpy as np
import pytest
from tests.phantoms.infobar_variants import Variant, draw_variant, stamp_variant

from graticule.errors import OptionError
from graticule.phantoms.infobar import MAKES, Acquisition, append_bar, bar_rows, stamp
from graticule.phantoms.options import MAKERS

GREY = np.full((512, 512), 117, dtype=np.uint8)
SHOT = Acquisition(pixel_size_nm=37.5, energy_kv=5.0, working_distance_mm=8.2, number=1234)


def test_every_maker_that_the_options_name_has_a_bar() -> None:
    assert set(MAKERS) == set(MAKES)


@pytest.mark.parametrize("make", sorted(MAKES))
def test_a_bar_replaces_exactly_its_rows(make: str) -> None:
    rows = bar_rows(make, 512)
    assert rows is not None
    stamped = stamp(GREY, make, SHOT)
    np.testing.assert_array_equal(stamped[: rows[0]], GREY[: rows[0]])
    assert (stamped[rows[0] :] != 117).mean() > 0.95
    assert rows == (512 - MAKES[make].height, 512)
    np.testing.assert_array_equal(GREY, 117)


@pytest.mark.parametrize("make", sorted(MAKES))
def test_a_bar_is_mostly_ground_with_some_text_and_depends_on_the_settings(make: str) -> None:
    rows = bar_rows(make, 512)
    assert rows is not None
    panel = stamp(GREY, make, SHOT)[rows[0] :]
    assert 0.01 < (np.abs(panel.astype(int) - MAKES[make].ground) > 100).mean() < 0.35
    other = stamp(GREY, make, Acquisition(2.0, 15.0, 5.0, 77))[rows[0] :]
    assert (panel != other).any()
    np.testing.assert_array_equal(panel, stamp(GREY, make, SHOT)[rows[0] :])


def test_makes_differ_in_height_and_ground() -> None:
    assert len({make.height for make in MAKES.values()}) == len(MAKES)
    assert len({make.ground for make in MAKES.values()}) >= 3


def longest_run(row: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


@pytest.mark.parametrize(("pixel_size_nm", "nm"), [(37.5, 2000), (1.0, 100), (450.0, 20000), (97.0, 5000)])
def test_the_scale_bar_is_a_round_length_at_most_a_fifth_of_the_width(pixel_size_nm: float, nm: float) -> None:
    stamped = stamp(GREY, "jeol", Acquisition(pixel_size_nm, 5.0, 8.2, 1))
    line = stamped[bar_rows("jeol", 512)[0] + 4] > 200  # type: ignore[index]
    assert longest_run(line) == pytest.approx(nm / pixel_size_nm, abs=1.5)
    assert longest_run(line) <= 512 / 5 + 1


def test_no_make_no_bar_and_an_unknown_make_is_refused_with_the_known_ones() -> None:
    assert bar_rows(None, 512) is None
    with pytest.raises(OptionError, match=r"'leica'.*hitachi, jeol, tescan, thermo, zeiss"):
        bar_rows("leica", 512)


@pytest.mark.parametrize("seed", range(12))
def test_a_variant_replaces_exactly_its_rows_and_depends_on_the_generator_alone(seed: int) -> None:
    stamped, (top, bottom) = stamp_variant(GREY, np.random.default_rng(seed))
    again, rows = stamp_variant(GREY, np.random.default_rng(seed))
    np.testing.assert_array_equal(stamped, again)
    assert rows == (top, bottom)
    assert (top == 0) != (bottom == 512)
    assert 0.035 * 512 <= bottom - top <= 0.145 * 512
    outside = np.ones(512, dtype=bool)
    outside[top:bottom] = False
    np.testing.assert_array_equal(stamped[outside], GREY[outside])


def test_variants_come_in_all_places_contents_and_tones() -> None:
    rng = np.random.default_rng(3)
    drawn = [draw_variant(rng, 512, 117) for _ in range(300)]
    assert {v.place for v in drawn} == {"top", "bottom"}
    assert {v.content for v in drawn} == {"text", "scale", "logo", "blank"}
    assert {v.layout for v in drawn} == set(MAKES)
    assert any(v.ground == 117 for v in drawn)
    assert any(v.second != v.ground for v in drawn)
    assert any(v.slope for v in drawn)


@pytest.mark.parametrize("layout", sorted(MAKES))
def test_text_takes_a_small_part_of_a_variant_and_blank_ones_have_none(layout: str) -> None:
    shares = {}
    for content in ("text", "blank"):
        variant = Variant(layout, "bottom", 50, 0, 0, 255, content, 0.8, False, 0)
        stamped, rows = stamp_variant(GREY, np.random.default_rng(1), variant)
        shares[content] = (stamped[rows[0] : rows[1]] > 100).mean()
    assert shares["blank"] == 0
    assert 0.01 < shares["text"] < 0.35


def test_an_appended_bar_leaves_every_row_of_the_picture() -> None:
    image = np.full((200, 256), 90, dtype=np.uint8)
    for make in MAKES:
        longer, rows = append_bar(image, make, Acquisition(5.0, 10.0, 5.0, 7))
        assert longer.shape == (200 + rows[1] - rows[0], 256)
        assert rows[1] - rows[0] == round(MAKES[make].height / 2)
        np.testing.assert_array_equal(np.delete(longer, np.s_[rows[0] : rows[1]], axis=0), image)
        assert np.ptp(longer[rows[0] : rows[1]]) > 100
