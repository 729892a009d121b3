"""Options of generated images: numbers in their ranges, makes that have a bar."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.phantoms.options import ALL_MARKS, MAKERS, NO_MARKS, PhantomOptions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"n_per_class": 0}, "--n-per-class 0: allowed are whole numbers from 1"),
        ({"label_noise": 1.0}, "--label-noise 1.0: allowed are"),
        ({"label_noise": -0.1}, "--label-noise -0.1: allowed are"),
        ({"label_noise": float("nan")}, "--label-noise nan: allowed are"),
        ({"info_bar": "leica"}, f"--info-bar leica: allowed are {', '.join(MAKERS)}"),
    ],
)
def test_faults(given: dict[str, Any], told: str) -> None:
    (fault,) = PhantomOptions(**given).faults()
    assert fault.startswith(told)


@pytest.mark.parametrize("given", [{}, {"n_per_class": 1, "label_noise": 0.99}, {"marks": ALL_MARKS}])
def test_what_is_allowed(given: dict[str, Any]) -> None:
    assert PhantomOptions(**given).faults() == []


def test_nothing_is_planted_unless_it_is_asked_for() -> None:
    plain = PhantomOptions()
    assert (plain.label_noise, plain.info_bar, plain.masks, plain.marks) == (0.0, None, False, NO_MARKS)
    assert next(item.name for item in PhantomOptions.listed()) == "n_per_class"
