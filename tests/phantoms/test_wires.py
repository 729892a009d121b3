"""Wires on a canvas: shares, directions and lengths as asked for, and the last ones on top."""

import numpy as np
import pytest

from graticule.phantoms.canvas import Canvas, Finish, empty_canvas
from graticule.phantoms.wires import FieldOfView, Laid, WireStyle, lay_wires

FIELD = FieldOfView(14, 200, 260)
STRAIGHT = WireStyle(6.0, 0.2, 300.0, 0.0, 1.0, 0.0, 0.0, 0.0)


def laid_on(style: WireStyle, share: float, direction: float, seed: int = 0) -> tuple[Canvas, Laid]:
    canvas = empty_canvas(np.zeros((288, 288), dtype=np.float32), Finish())
    return canvas, lay_wires(canvas, FIELD, style, share, np.radians(direction), np.random.default_rng(seed))


@pytest.mark.parametrize("direction", [0.0, 30.0, 90.0, 150.0])
def test_aligned_wires_lie_as_asked_counter_clockwise_on_the_screen(direction: float) -> None:
    canvas, laid = laid_on(STRAIGHT, 1.0, direction)
    assert laid.aligned.all()
    np.testing.assert_allclose(laid.doubled, np.exp(2j * np.radians(direction)), atol=1e-9)
    # what is drawn: moments of the first wire's pixels, y upwards
    rows, columns = np.nonzero(np.asarray(canvas.objects)[canvas.part] == len(laid.aligned))
    _, vectors = np.linalg.eigh(np.cov(np.stack([columns, -rows])))
    seen = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    assert abs((seen - direction + 90) % 180 - 90) < 1.5


def test_area_reaches_the_coverage_and_lengths_count_only_inside() -> None:
    _, laid = laid_on(STRAIGHT, 0.5, 40.0)
    assert 0.6 * FIELD.area < laid.area.sum() < 1.6 * FIELD.area
    assert laid.length.max() < np.hypot(FIELD.height, FIELD.width) + 4
    assert laid.length.min() > 0


def test_the_share_of_aligned_wires_is_the_chance_given() -> None:
    aligned = np.concatenate([laid_on(STRAIGHT, 0.3, 40.0, seed)[1].aligned for seed in range(12)])
    assert abs(aligned.mean() - 0.3) < 4 * np.sqrt(0.21 / aligned.size)


def test_the_last_wire_is_seen_whole_and_earlier_ones_are_hidden_in_part() -> None:
    canvas, laid = laid_on(STRAIGHT, 0.5, 40.0)
    numbers = np.asarray(canvas.objects)[canvas.part]
    rows, columns = np.nonzero(numbers >= 0)
    inside = FIELD.holds(columns.astype(float), rows.astype(float)).reshape(numbers.shape)
    seen = np.bincount(numbers[inside], minlength=laid.area.size + 1)[1:]
    assert seen[-1] / laid.area[-1] == pytest.approx(1.0, abs=0.2)
    assert (seen / laid.area)[: laid.area.size // 2].mean() < (seen / laid.area)[laid.area.size // 2 :].mean()


def test_a_band_holds_the_aligned_wires() -> None:
    style = WireStyle(4.0, 0.0, 900.0, 0.0, 0.3, 0.0, 0.3, 0.0)
    canvas, _ = laid_on(style, 1.0, 0.0)
    rows = np.nonzero((canvas.part > 0).any(axis=1))[0]
    assert np.ptp(rows) < 0.3 * FIELD.height + 8


def test_bending_turns_a_wire_within_itself() -> None:
    bent = WireStyle(6.0, 0.0, 300.0, np.radians(15), 1.0, 0.0, 0.0, 0.0)
    assert abs(laid_on(bent, 0.0, 0.0)[1].doubled).mean() < 0.99
    assert abs(laid_on(STRAIGHT, 0.0, 0.0)[1].doubled).min() > 1 - 1e-9
