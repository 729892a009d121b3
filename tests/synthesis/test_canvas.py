"""Pictures on a square canvas: none enlarged, none stretched, the background goes on."""

import numpy as np
import pytest

from graticule.split.duplicates.symmetry import symmetric
from graticule.synthesis.canvas import canvas_side, centred_canvas, cut_out, grey_canvas, to_canvas


@pytest.mark.parametrize(
    ("longer", "side"),
    [([27] * 10, 32), ([32] * 10, 32), ([33] * 10, 48), ([27] * 95 + [200] * 5, 32), ([360] * 4, 128)],
)
def test_the_smallest_canvas_that_holds_nine_in_ten(longer: list[int], side: int) -> None:
    assert canvas_side(longer) == side


@pytest.mark.parametrize("shape", [(20, 11), (20, 11, 3), (1, 1), (32, 32), (5, 32, 3)])
def test_a_small_picture_stands_in_the_middle_untouched(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    canvas = to_canvas(picture, 32)
    assert canvas.shape == (32, 32, *shape[2:])
    top, left = (32 - shape[0]) // 2, (32 - shape[1]) // 2
    inside = canvas[top : top + shape[0], left : left + shape[1]]
    np.testing.assert_allclose(inside * 255, picture, atol=1e-4)
    np.testing.assert_array_equal(cut_out(canvas, *shape[:2]), picture)


def test_outside_the_picture_goes_on_by_reflection() -> None:
    ramp = np.tile(np.arange(0, 160, 10, dtype=np.uint8), (16, 1))
    canvas = to_canvas(ramp, 24) * 255
    # four columns beside the picture repeat its own first four, mirrored
    np.testing.assert_allclose(canvas[12, :8], [30, 20, 10, 0, 0, 10, 20, 30], atol=1e-4)


def test_a_large_picture_is_shrunk_by_area_and_keeps_its_shape() -> None:
    picture = np.zeros((200, 100), np.uint8)
    picture[:100] = 200
    canvas = to_canvas(picture, 32) * 255
    assert canvas.shape == (32, 32)
    # 32 rows by 16 columns, mirrored to both sides
    np.testing.assert_allclose(canvas[:16], 200, atol=1)
    np.testing.assert_allclose(canvas[16:], 0, atol=1)


def test_brightness_of_colour_and_of_grey() -> None:
    grey = np.random.default_rng(1).random((4, 32, 32)).astype(np.float32)
    np.testing.assert_allclose(grey_canvas(np.repeat(grey[..., None], 3, 3)), grey, atol=1e-6)
    assert grey_canvas(grey) is grey or np.array_equal(grey_canvas(grey), grey)
    # three small grey pictures are no colour picture
    assert grey_canvas(np.zeros((3, 32, 32), np.float32)).shape == (3, 32, 32)


@pytest.mark.parametrize("shape", [(27, 21), (26, 21, 3), (40, 27), (32, 32)])
def test_a_picture_turned_is_the_canvas_turned(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    canvas = centred_canvas(picture, 32)
    for symmetry in range(8):
        mirrored = picture[:, ::-1] if symmetry >= 4 else picture
        turned = np.ascontiguousarray(np.rot90(mirrored, symmetry % 4))
        np.testing.assert_allclose(centred_canvas(turned, 32), symmetric(canvas, symmetry), atol=0.02)
