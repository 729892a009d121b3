"""The info bar: planted bars found to the row, nothing cut from images without one."""

import io
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from tests.phantoms.infobar_variants import draw_variant, stamp_variant

from graticule.formats.instrument.metadata import Metadata
from graticule.images.burnt_in.infobar import Bar, crop_bar, find_bar
from graticule.phantoms import powder
from graticule.phantoms.infobar import MAKES, Acquisition, bar_rows, stamp

SHOT = Acquisition(pixel_size_nm=37.5, energy_kv=5.0, working_distance_mm=8.2, number=1234)


@pytest.fixture(scope="module")
def scenes() -> list[np.ndarray]:
    return [powder.render_powder(i, 0, 77).image for i in range(len(powder.CLASSES))]


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file))


def is_off(bar: Bar | None, rows: tuple[float, float], by: float = 2) -> bool:
    return bar is None or abs(bar.top - rows[0]) > by or abs(bar.bottom - rows[1]) > by


@pytest.mark.parametrize("make", sorted(MAKES))
def test_the_makes_are_found_to_the_row(make: str, scenes: list[np.ndarray]) -> None:
    rows = bar_rows(make, 512)
    assert rows is not None
    assert [find_bar(stamp(scene, make, SHOT)) for scene in scenes] == [Bar(*rows, "pixels")] * len(scenes)


def test_variants_are_found_within_two_rows(scenes: list[np.ndarray]) -> None:
    off = []
    for seed in range(150):
        image, rows = stamp_variant(scenes[seed % len(scenes)], np.random.default_rng(seed))
        off += [seed] if is_off(find_bar(image), rows) else []
    assert len(off) <= 2, off


def test_bars_at_the_top_mirror_those_at_the_bottom(scenes: list[np.ndarray]) -> None:
    image = stamp(scenes[0], "zeiss", SHOT)
    assert find_bar(image[::-1]) == Bar(0, MAKES["zeiss"].height, "pixels")


def test_colour_and_grey_give_the_same_bar(scenes: list[np.ndarray]) -> None:
    image = stamp(scenes[1], "tescan", SHOT)
    coloured = np.repeat(image[:, :, None], 3, axis=2)
    assert find_bar(coloured) == find_bar(image)
    ink = (image > 200) & (np.arange(512) >= 512 - MAKES["tescan"].height)[:, None]
    coloured[ink] = (255, 255, 0)
    assert find_bar(coloured) == find_bar(image)


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_compressed_images(quality: int, scenes: list[np.ndarray]) -> None:
    off = []
    for seed in range(40):
        image, rows = stamp_variant(scenes[seed % len(scenes)], np.random.default_rng(1000 + seed))
        off += [seed] if is_off(find_bar(compressed(image, quality)), rows) else []
    assert len(off) <= 3, off


@pytest.mark.parametrize("scale", [(0.5, 0.5), (0.6, 0.75), (2.0, 2.0), (4.0, 4.0)])
def test_resized_images(scale: tuple[float, float], scenes: list[np.ndarray]) -> None:
    off = []
    for seed in range(20):
        scene = scenes[seed % len(scenes)]
        image, rows = stamp_variant(scene, np.random.default_rng(2000 + seed))
        size = (round(512 * scale[0]), round(512 * scale[1]))
        resized = np.asarray(PIL.Image.fromarray(image).resize(size, PIL.Image.Resampling.BICUBIC))
        truth = (rows[0] * scale[1], rows[1] * scale[1])
        off += [seed] if is_off(find_bar(resized), truth, by=max(2.0, 1.5 * scale[1])) else []
    assert len(off) <= 2, off


def test_a_ruled_frame_belongs_to_the_bar_after_enlarging(scenes: list[np.ndarray]) -> None:
    off = []
    for seed in range(40):
        variant = replace(draw_variant(np.random.default_rng(3000 + seed), 512, 100), frame=True, slope=0)
        image, rows = stamp_variant(scenes[seed % len(scenes)], np.random.default_rng(seed), variant)
        enlarged = np.asarray(PIL.Image.fromarray(image).resize((900, 922), PIL.Image.Resampling.BICUBIC))
        off += [seed] if is_off(find_bar(enlarged), (rows[0] * 922 / 512, rows[1] * 922 / 512)) else []
    assert len(off) <= 1, off


def test_dense_text_is_found_after_shrinking_and_compressing(scenes: list[np.ndarray]) -> None:
    off = []
    for seed in range(60):
        variant = replace(draw_variant(np.random.default_rng(4000 + seed), 512, 100), content="text", height=40)
        image, rows = stamp_variant(scenes[seed % len(scenes)], np.random.default_rng(seed), variant)
        shrunk = np.asarray(PIL.Image.fromarray(image).resize((307, 307), PIL.Image.Resampling.BICUBIC))
        off += [seed] if is_off(find_bar(compressed(shrunk, 75)), (rows[0] * 0.6, rows[1] * 0.6)) else []
    assert len(off) <= 3, off


def test_an_edge_that_takes_many_rows_is_no_bar(scenes: list[np.ndarray]) -> None:
    rng = np.random.default_rng(9)
    cut = []
    for i in range(60):
        image = scenes[i % len(scenes)].astype(float)
        edge, width = rng.uniform(400, 480), rng.uniform(8, 20)
        share = np.clip((np.arange(512) - edge) / width, 0, 1)[:, None]
        image = image * (1 - share) + rng.uniform(20, 220) * share
        y, x = rng.integers(490, 508), rng.integers(20, 480)
        image[y : y + 4, x : x + 30] = 255
        image = np.clip(np.rint(image + rng.normal(0, 2, image.shape)), 0, 255).astype(np.uint8)
        cut += [i] if find_bar(image) is not None else []
    assert cut == []


def test_a_straight_interface_to_a_scanned_layer_is_no_bar(scenes: list[np.ndarray]) -> None:
    rng = np.random.default_rng(10)
    cut = []
    for i in range(60):
        image = scenes[i % len(scenes)].astype(float)
        top = int(rng.integers(380, 490))
        image[top:] = rng.uniform(5, 200) + rng.normal(0, rng.uniform(1.5, 8), (512 - top, 512))
        for _ in range(20):  # bright grains
            y, x = rng.integers(top + 2, 510), rng.integers(0, 500)
            image[y : y + 3, x : x + 4] = 255
        cut += [i] if find_bar(np.clip(image, 0, 255).astype(np.uint8)) is not None else []
    assert cut == []


def test_a_blank_bar_counts_only_as_the_single_flat_border(scenes: list[np.ndarray]) -> None:
    image = scenes[2].copy()
    image[470:] = 0
    assert find_bar(image) == Bar(470, 512, "pixels")
    image[:40] = 0
    assert find_bar(image) is None
    assert find_bar(np.pad(scenes[2], 40, constant_values=255)) is None
    assert find_bar(np.pad(scenes[2], ((0, 300), (0, 0)))) is None


def test_nothing_is_cut_from_clean_micrographs(scenes: list[np.ndarray]) -> None:
    turned = [np.rot90(scene, k) for scene in scenes for k in range(4)]
    crops = [scene[y : y + 256, x : x + 256] for scene in scenes for y in (0, 100, 256) for x in (0, 128, 256)]
    images = turned + crops + [compressed(np.ascontiguousarray(image), 60) for image in turned]
    assert [i for i, image in enumerate(images) if find_bar(image) is not None] == []


def blob_on_ground(rng: np.random.Generator, ground: float, noise: float) -> np.ndarray:
    size = int(rng.integers(64, 360))
    y, x = np.mgrid[:size, :size] / size
    cy, cx, r = rng.uniform(0.2, 0.8, 3)
    image = np.where((y - cy) ** 2 + (x - cx) ** 2 < (0.4 * r) ** 2, rng.uniform(0, 255), ground)
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("ground", [0, 30, 200, 255])
@pytest.mark.parametrize("noise", [0, 0.6, 4])
def test_nothing_is_cut_from_blobs_on_plain_ground(ground: float, noise: float) -> None:
    rng = np.random.default_rng(5)
    images = [blob_on_ground(rng, ground, noise) for _ in range(20)]
    images += [np.pad(image, 20) for image in images]
    assert [i for i, image in enumerate(images) if find_bar(image) is not None] == []


def test_nothing_is_cut_from_layered_samples(scenes: list[np.ndarray]) -> None:
    rng = np.random.default_rng(6)
    cut = []
    for i in range(60):
        image = scenes[i % len(scenes)].astype(float)
        interface = rng.uniform(380, 490) + np.cumsum(rng.normal(0, 0.3, 512))
        resin = np.arange(512)[:, None] > interface
        image[resin] = rng.uniform(5, 150) + rng.normal(0, rng.uniform(2, 6), int(resin.sum()))
        cut += [i] if find_bar(np.clip(image, 0, 255).astype(np.uint8)) is not None else []
    assert cut == []


def test_nothing_is_cut_from_flat_or_small_images() -> None:
    rng = np.random.default_rng(7)
    assert find_bar(np.zeros((200, 200), np.uint8)) is None
    assert find_bar(rng.integers(0, 256, (300, 300), dtype=np.uint8)) is None
    small = rng.integers(0, 256, (60, 300), dtype=np.uint8)
    small[54:] = 0
    assert find_bar(small) is None
    ramp = np.tile(np.linspace(0, 255, 256).astype(np.uint8), (256, 1))
    assert find_bar(ramp) is None
    assert find_bar(ramp.T) is None


def test_metadata_come_first_when_plausible(scenes: list[np.ndarray]) -> None:
    image = scenes[0]
    assert find_bar(image, Metadata(image_rows=442)) == Bar(442, 512, "metadata")
    for rows in (0, 100, 512, 600, None):
        assert find_bar(image, Metadata(image_rows=rows)) is None
    stamped = stamp(image, "jeol", SHOT)
    assert find_bar(stamped, Metadata()) == Bar(482, 512, "pixels")


def test_cropping_leaves_the_micrograph(scenes: list[np.ndarray]) -> None:
    rng = np.random.default_rng(8)
    for _ in range(10):
        variant = draw_variant(rng, 512, 100)
        image, rows = stamp_variant(scenes[0], rng, variant)
        kept = crop_bar(image, Bar(*rows, "pixels"))
        expected = scenes[0][rows[1] :] if variant.place == "top" else scenes[0][: rows[0]]
        np.testing.assert_array_equal(kept, expected)
    assert crop_bar(scenes[0], None) is scenes[0]


@pytest.mark.parametrize("rows", [(10, 20), (0, 512), (500, 500)])
def test_rows_that_are_no_bar_are_refused(rows: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no bar"):
        crop_bar(np.zeros((512, 8), np.uint8), Bar(*rows, "pixels"))
