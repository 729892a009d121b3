"""Figures at a mix of classes: what 550 common images show, and how many would show more."""

from __future__ import annotations

import numpy as np

from graticule.arrays import object_array
from graticule.evaluate.prevalence import figures_at
from graticule.predictions import Predictions

CLASSES = ("air", "oil", "protein")
MIX = np.array([500.0, 500.0, 500_000.0])


def table(n: tuple[int, int, int], wrong: int = 0) -> Predictions:
    """Scores that are right, but for some images of the common class that are taken for air."""
    y = np.repeat(np.arange(3), n)
    given = y.copy()
    given[len(y) - wrong :] = 0
    proba = np.full((len(y), 3), 0.05)
    proba[np.arange(len(y)), given] = 0.9
    names = object_array([f"{i}.png" for i in range(len(y))])
    label = object_array([CLASSES[k] for k in y])
    return Predictions(names, names, object_array(["cv"] * len(y)), np.zeros(len(y), np.int64), label, CLASSES, proba)


def test_550_common_images_cannot_show_a_macro_precision_of_half() -> None:
    found = figures_at(table((200, 200, 550)), MIX)
    assert found["macro_precision"]["value"] == 1.0
    assert found["macro_precision"]["low"] < 0.5
    assert found["macro_precision"]["method"] == "clopper-pearson"
    assert found["average_precision_macro"]["low"] < 0.5
    assert found["mix"] == {"air": 500.0, "oil": 500.0, "protein": 500_000.0}
    assert "550 images of protein were judged, 0 of them given another class: up to 0.67 % may be" in found["words"][0]
    assert "among 500,000 are 3,342 images, beside 500 of air" in found["words"][0]


def test_the_number_of_images_still_needed_is_enough_and_hardly_more_than_that() -> None:
    found = figures_at(table((500, 500, 550)), MIX)
    needed = found["more"]["n_more"]
    assert 40_000 < needed < 70_000
    assert f"{-(-needed // 1000) * 1000:,} more judged images of protein" in found["words"][1]
    enough = figures_at(table((500, 500, 550 + needed)), MIX)
    assert enough["macro_precision"]["low"] >= 0.95
    assert (enough["more"]["n_more"], enough["words"][1]) == (0, "A macro precision of 95 % at this mix is shown.")
    assert figures_at(table((500, 500, 550 + needed - 1000)), MIX)["macro_precision"]["low"] < 0.95


def test_where_no_number_of_common_images_would_do_that_is_said() -> None:
    below = figures_at(table((500, 500, 2000), wrong=10), MIX)
    assert below["more"]["n_more"] is None
    assert "the value itself lies below it" in below["words"][1]
    few = figures_at(table((12, 12, 2000)), np.array([1.0, 1.0, 2.0]) * 10)
    assert few["macro_precision"]["low"] < 0.95
    rare = figures_at(table((2, 2, 20_000)), np.array([500.0, 500.0, 600.0]))
    assert "those of the other classes are too few" in rare["words"][1]


def test_groups_are_what_is_sampled() -> None:
    rows = table((100, 100, 1000))
    group = object_array([f"g{i % 40}" for i in range(len(rows))])
    found = figures_at(rows, MIX, group)
    assert found["macro_precision"]["method"] == "cluster-t"
    assert found["macro_precision"]["low"] < figures_at(rows, MIX)["macro_precision"]["low"]
    assert "in groups like these" in found["words"][1]
    few = figures_at(rows, MIX, object_array([f"g{i % 4}" for i in range(len(rows))]))
    assert (few["macro_precision"]["low"], few["macro_precision"]["method"]) == (None, "too_few_groups")
    assert few["words"] == [
        "1,000 images of protein were judged, 0 of them given another class. They come from too few groups for an "
        "interval."
    ]


def test_a_class_of_the_mix_that_was_not_judged_and_one_that_is_not_in_it() -> None:
    found = figures_at(table((0, 50, 200)), MIX)
    assert found["words"] == ["Of air no image was judged, so that nothing can be said at this mix."]
    assert found["average_precision_macro"]["value"] is None
    assert found["macro_precision"]["low"] is None
    two = figures_at(table((0, 50, 200)), MIX * [0, 1, 1])
    assert set(two["per_class"]) == {"oil", "protein"}
    assert two["macro_precision"]["value"] == 1.0
