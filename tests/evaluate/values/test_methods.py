"""Methods on the same images: order, ratios and limits."""

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.evaluate.values.methods import ComparedImages, MethodValues, compare_methods


def images() -> ComparedImages:
    rng = np.random.default_rng(0)
    y = rng.uniform(0, 1, 120)
    error = rng.normal(0, 0.1, 120)
    width = np.where(np.arange(120) % 2, 0.1, 0.3)
    methods = [
        MethodValues("rough", "a rough one", y + 2 * error),
        MethodValues("fine", "a fine one", y + error, y + error - width, y + error + width, trained=True),
    ]
    group = object_array([f"s{i // 6}" for i in range(120)])
    return ComparedImages("new", object_array([f"{i}.png" for i in range(120)]), group, y, methods, 0.5)


def test_the_least_error_comes_first_with_its_ratio() -> None:
    fine, rough = compare_methods(images(), ["rough"])
    assert (fine["name"], rough["name"]) == ("fine", "rough")
    assert fine["ratio"]["rough"]["value"] == pytest.approx(0.5)
    assert fine["ratio"]["rough"]["low"] == pytest.approx(0.5, abs=0.01)
    assert rough["ratio"] == {}
    assert fine["trained"]


def test_limits_tell_coverage_and_width() -> None:
    fine, rough = compare_methods(images(), ["rough"])
    assert rough["limits"] is None
    assert fine["limits"]["width"] == pytest.approx(0.4)
    assert 0.5 < fine["limits"]["coverage_narrowest_third"] < fine["limits"]["coverage"] < 1


def test_a_method_is_found_by_its_name() -> None:
    assert images().of("fine").words == "a fine one"
