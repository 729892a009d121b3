"""Marks in ultrasound frames: planted ones found, speckle left alone, fillings that look like their surroundings."""

import io

import numpy as np
import pytest
from PIL import Image

from graticule.images.burnt_in.ultrasound import find_marks, is_ultrasound, mark_shares, mask_marks
from graticule.phantoms.powder import render_powder as render_powder
from graticule.phantoms.ultrasound import UltrasoundFrame, render_frame


@pytest.fixture(scope="module")
def frames() -> list[UltrasoundFrame]:
    return [render_frame(seed, shape=(336, 448)) for seed in range(1000, 1050)]


@pytest.fixture(scope="module")
def found(frames: list[UltrasoundFrame]) -> list[np.ndarray]:
    return [find_marks(frame.pixels).mask for frame in frames]


def test_marks_are_found_pixel_by_pixel(frames: list[UltrasoundFrame], found: list[np.ndarray]) -> None:
    hits = np.array([(mask & frame.marks).sum() for frame, mask in zip(frames, found, strict=True)])
    recall = hits / np.array([frame.marks.sum() for frame in frames])
    precision = hits / np.array([mask.sum() for mask in found])
    assert recall.mean() >= 0.95
    assert recall.min() >= 0.9
    assert precision.mean() >= 0.9
    assert precision.min() >= 0.85


def test_marks_over_the_scan_are_found(frames: list[UltrasoundFrame], found: list[np.ndarray]) -> None:
    pairs = list(zip(frames, found, strict=True))
    inside = sum((frame.marks & frame.sector).sum() for frame, _ in pairs)
    assert sum((mask & frame.marks & frame.sector).sum() for frame, mask in pairs) >= 0.9 * inside


@pytest.mark.parametrize("seed", [2074, 2082, 5018])
def test_grey_text_over_bright_speckle_is_found(seed: int) -> None:
    # The rarest frames of some 400: the ink is hardly brighter than the speckle's peaks.
    frame = render_frame(seed, shape=(336, 448))
    mask = find_marks(frame.pixels).mask
    assert (mask & frame.marks).sum() >= 0.9 * frame.marks.sum()


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_a_scan_without_marks_is_left_as_it_is(seed: int) -> None:
    frame = render_frame(seed, marked=False)
    cleaned = mask_marks(frame.pixels, find_marks(frame.pixels))
    assert (cleaned != frame.pixels).any(axis=2)[frame.sector].mean() <= 0.001


@pytest.mark.parametrize("seed", range(1000, 1006))
def test_the_sector_and_its_box_are_those_of_the_scan(seed: int) -> None:
    frame = render_frame(seed)
    marks = find_marks(frame.pixels)
    assert (marks.sector & frame.sector).sum() / (marks.sector | frame.sector).sum() > 0.97
    rows, columns = np.nonzero(frame.sector)
    truth = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
    np.testing.assert_allclose(marks.box, truth, atol=3)


def test_masked_marks_give_way_to_what_lies_around() -> None:
    marked, clean = render_frame(1004), render_frame(1004, marked=False)
    marks = find_marks(marked.pixels)
    cleaned = mask_marks(marked.pixels, marks)
    assert (cleaned[~marked.sector & ~marks.sector] == 0).all()
    inside = marked.marks & marked.sector
    before = np.abs(marked.pixels[inside].astype(float) - clean.pixels[inside]).mean()
    after = np.abs(cleaned[inside].astype(float) - clean.pixels[inside]).mean()
    assert after < 0.4 * before
    assert abs(cleaned[inside].mean() - clean.pixels[inside].mean()) < 15
    # Once masked there is nothing left to find.
    assert find_marks(cleaned).mask.sum() <= 0.02 * marks.mask.sum()


def test_grey_frames_work_and_keep_their_shape() -> None:
    frame = render_frame(1002)
    grey = frame.pixels.max(axis=2)
    marks = find_marks(grey)
    assert (marks.mask & frame.marks).sum() >= 0.9 * frame.marks.sum()
    assert mask_marks(grey, marks).shape == grey.shape


def test_a_frame_that_is_all_scan_has_the_whole_as_sector() -> None:
    frame = render_frame(1001, marked=False)
    rows = np.flatnonzero(frame.sector.any(axis=1))
    part = frame.pixels[rows.min() + 60 : rows.min() + 200, 260:380]
    marks = find_marks(part)
    assert marks.box == (0, 0, *part.shape[:2])
    assert not marks.mask.any()


def test_a_black_frame_has_no_marks() -> None:
    marks = find_marks(np.zeros((100, 120), np.uint8))
    assert marks.box == (0, 0, 100, 120)
    assert not marks.mask.any()


def test_colour_flow_is_not_taken_for_marks() -> None:
    frame = render_frame(1001, marked=False)
    pixels = frame.pixels.copy()
    pixels[200:280, 280:360] = (200, 30, 20)
    assert find_marks(pixels).mask.sum() < 0.1 * 80 * 80


def test_marks_of_another_frame_are_refused() -> None:
    frame = render_frame(1001)
    with pytest.raises(ValueError, match="do not fit"):
        mask_marks(frame.pixels[:-1], find_marks(frame.pixels))


@pytest.mark.parametrize("size", [(448, 336), (320, 240), (1024, 768)])
@pytest.mark.parametrize("marked", [False, True])
def test_frames_are_recognised_at_any_size_and_in_grey(size: tuple[int, int], marked: bool) -> None:
    for seed in range(6):
        image = Image.fromarray(render_frame(seed, marked=marked, shape=(336, 448)).pixels)
        scaled = image.resize(size, Image.Resampling.BICUBIC)
        compressed = io.BytesIO()
        scaled.save(compressed, "JPEG", quality=75)
        for shown in (scaled, scaled.convert("L"), Image.open(compressed)):
            assert is_ultrasound(np.asarray(shown))


def _spots(rng: np.random.Generator) -> np.ndarray:
    """Smooth bright spots on black, as under fluorescence."""
    y, x = np.mgrid[:256, :256]
    spots = [np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 400) for cy, cx in rng.uniform(20, 236, (12, 2))]
    return np.asarray(np.clip(230 * np.max(spots, axis=0) + rng.normal(0, 1.5, (256, 256)), 0, 255)).astype(np.uint8)


def test_other_pictures_are_not_taken_for_ultrasound() -> None:
    rng = np.random.default_rng(0)
    others = [
        *(render_powder(k, 0, 0).image for k in range(6)),
        rng.integers(0, 255, (256, 256), dtype=np.uint8),  # noise
        np.where(np.hypot(*(np.mgrid[:256, :256] - 128.0)) < 90, rng.integers(60, 200, (256, 256)), 0).astype(np.uint8),
        _spots(rng),
        np.zeros((256, 256), np.uint8),
        np.full((256, 256, 3), 255, np.uint8),
        rng.integers(0, 255, (20, 4000), dtype=np.uint8),
    ]
    assert not any(is_ultrasound(pixels) for pixels in others)


def test_shares_of_marks_beside_and_on_the_scan() -> None:
    for seed in range(1000, 1010):
        bare, full = (render_frame(seed, marked=marked, shape=(336, 448)) for marked in (False, True))
        assert mark_shares(find_marks(bare.pixels)) == (0.0, 0.0)
        outside, inside = mark_shares(find_marks(full.pixels))
        assert outside == pytest.approx((full.marks & ~full.sector).mean(), rel=0.25)
        assert inside == pytest.approx((full.marks & full.sector).mean(), rel=0.35)
