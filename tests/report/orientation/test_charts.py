"""The half rose and the wheel as pictures."""

import re

import numpy as np
from tests.directions.scenes import wires

from graticule.directions.measure import measure_directions
from graticule.report.orientation.charts import colour_wheel, half_rose


def test_the_longest_sector_lies_at_the_direction() -> None:
    figures = measure_directions(wires(60, share=0.9)).figures
    picture = half_rose(figures.distribution, figures.fitted, "of <a> picture", 60.0)
    sectors = re.findall(r'class="sector" d="M[\d.]+ [\d.]+ L([\d.]+) ([\d.]+).*?<title>(\d+)°', picture)
    assert len(sectors) == 36
    centre = re.search(r'class="sector" d="M([\d.]+) ([\d.]+)', picture)
    assert centre is not None
    x, y = map(float, centre.groups())
    longest = max(sectors, key=lambda one: np.hypot(float(one[0]) - x, float(one[1]) - y))
    assert abs(int(longest[2]) - 60) <= 5
    # counter-clockwise from the right, upwards
    assert float(longest[0]) > x
    assert float(longest[1]) < y
    assert "&lt;a&gt;" in picture
    assert 'class="named"' in picture


def test_an_empty_distribution_is_said() -> None:
    assert "no structure" in half_rose(np.zeros(180), np.zeros(180), "empty")


def test_the_wheel_has_its_degrees() -> None:
    wheel = colour_wheel()
    assert wheel.count("hsl(") == 72
    assert all(f"{tick}°" in wheel for tick in (0, 45, 90, 135))
