"""The coloured picture: one colour for one direction, the wheel beside it."""

import numpy as np
import pytest
from tests.directions.scenes import stripes

from graticule.directions.survey import colour_of, colour_survey, wheel, with_wheel


def test_colours_of_directions() -> None:
    one = np.ones(4)
    colours = colour_of(np.array([0.0, 60.0, 120.0, 180.0]), one, one)
    assert colours.tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 0, 0]]
    grey = colour_of(np.array([33.0]), np.zeros(1), np.full(1, 0.5))
    assert len(set(grey[0].tolist())) == 1


@pytest.mark.parametrize(("direction", "channel"), [(0.0, 0), (60.0, 1), (120.0, 2)])
def test_stripes_have_the_colour_of_the_wheel(direction: float, channel: int) -> None:
    survey = colour_survey(stripes(direction, 10, 96), 1.5)
    assert survey.shape == (96, 96, 3)
    assert survey[20:-20, 20:-20].mean(axis=(0, 1)).argmax() == channel
    colours, disc = wheel(101)
    t = np.radians(direction)
    place = round(50 - 40 * np.sin(t)), round(50 + 40 * np.cos(t))
    assert disc[place]
    assert colours[place].argmax() == channel


def test_what_does_not_count_is_grey() -> None:
    mask = np.ones((96, 96), dtype=np.bool_)
    mask[:, :48] = False
    survey = colour_survey(stripes(60, 10, 96), 1.5, mask).astype(int)
    assert np.ptp(survey[:, :40], axis=2).max() == 0
    assert np.ptp(survey[20:-20, 60:80], axis=2).max() > 100


def test_the_wheel_stands_beside_the_picture_and_hides_nothing() -> None:
    survey = colour_survey(stripes(60, 10, 96), 1.5)
    whole = with_wheel(survey)
    assert (whole[:96, :96] == survey).all()
    assert whole.shape[1] > 96 + 40
