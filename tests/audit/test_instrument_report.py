"""Pixel sizes and instruments over a data set: counts, and shortcuts that scale or source make."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.audit.instrument_report import ClassSizes, instrument_warnings, instruments_per_class, pixel_size_report

NAN = np.nan


def test_counts_and_sizes_per_class() -> None:
    report = pixel_size_report(np.array([4.0, 1.0, NAN, 2.0, 9.0]), ["b", "a", "a", "a", "b"])
    assert (report.n, report.n_known) == (5, 4)
    assert report.classes == (ClassSizes("a", 3, 2, 1.0, 1.5, 2.0), ClassSizes("b", 2, 2, 4.0, 6.5, 9.0))


def test_one_scale_known_everywhere_says_nothing() -> None:
    sizes = 10.0 * np.random.default_rng(0).uniform(1.0, 1.02, 40)
    assert pixel_size_report(sizes, ["a", "b"] * 20).warnings == ()


def test_mixed_scales_that_do_not_follow_the_classes() -> None:
    report = pixel_size_report(np.array([1.0, 2.0, 1.0, 2.0]), ["a", "a", "b", "b"])
    assert len(report.warnings) == 1
    assert "mixed: 1 to 2 nm" in report.warnings[0]


def test_scale_that_gives_the_class_away() -> None:
    report = pixel_size_report(np.array([1.0, 1.0, 3.0, 3.0]), ["a", "a", "b", "b"])
    assert "differ between classes (median 1 nm in a, 3 nm in b)" in report.warnings[1]


def test_unknown_for_some() -> None:
    some = pixel_size_report(np.array([1.0, NAN, 1.0, NAN]), ["a", "a", "b", "b"])
    assert some.warnings == ("2 of 4 images have a pixel size, 2 have none",)
    by_class = pixel_size_report(np.array([1.0, 1.0, NAN, NAN]), ["a", "a", "b", "b"])
    assert "every image of a and for none of b" in by_class.warnings[1]
    assert by_class.classes[1] == ClassSizes("b", 2, 0, None, None, None)
    nothing = pixel_size_report(np.array([NAN, NAN]), ["a", "b"])
    assert "in pixels only" in nothing.warnings[0]


def test_impossible_values_count_as_unknown_and_order_does_not_matter() -> None:
    sizes = np.array([np.inf, -1.0, 0.0, NAN, 5.0, 7.0])
    labels = np.array(["a", "b", "a", "b", "a", "b"])
    report = pixel_size_report(sizes, list(labels))
    assert report.n_known == 2
    order = np.random.default_rng(1).permutation(6)
    assert pixel_size_report(sizes[order], list(labels[order])) == report
    assert pixel_size_report(np.empty(0), []).classes == ()


def test_unlabelled_images_are_counted_but_not_compared() -> None:
    report = pixel_size_report(np.array([1.0, 1.0, 9.0, NAN]), ["a", "b", "", ""])
    assert report.classes[0] == ClassSizes("", 2, 1, 9.0, 9.0, 9.0)
    assert len(report.warnings) == 2  # some unknown, sizes mixed
    assert instrument_warnings(["S", "S", "T"], ["a", "b", ""]) == ()
    assert pixel_size_report(np.array([1.0, 9.0]), ["", ""]).warnings == ("pixel sizes are mixed: 1 to 9 nm",)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one per label"):
        pixel_size_report(np.zeros(3), ["a"])
    with pytest.raises(ValueError, match="one per label"):
        instruments_per_class(["x"], [])


def test_instruments_per_class() -> None:
    found = instruments_per_class(["S", "T", "S", "", "T"], ["b", "a", "b", "b", "b"])
    assert found == {"a": {"T": 1}, "b": {"S": 2, "": 1, "T": 1}}
    assert list(found["b"]) == ["S", "", "T"]


def test_class_alone_with_its_instrument() -> None:
    assert instrument_warnings(["S", "S", "T", "T"], ["a", "b", "a", "b"]) == ()
    assert instrument_warnings(["S", "S"], ["a", "a"]) == ()
    warnings = instrument_warnings(["S", "S", "T", ""], ["a", "a", "b", "b"])
    assert warnings == (
        "every image of a comes from instruments no other class has (S)",
        "every image of b comes from instruments no other class has (not known, T)",
    )
    assert instrument_warnings(["S", "S", "", ""], ["a", "a", "b", "b"])[1] == (
        "no image of b names its instrument, every image of the other classes does"
    )
