"""Planted shortcuts are found and named; clean, grouped and unbalanced data are not accused."""

from dataclasses import replace

import numpy as np
import pytest

from graticule.arrays import StrArray, object_array
from graticule.audit.shortcuts import MOST_SAMPLES, Cue, Shortcuts, find_shortcuts

CLASSES = ("a", "b", "c")


def texts(values: list[str]) -> StrArray:
    return object_array(values)


def noise_cue(n: int, rng: np.random.Generator, m: int = 3) -> Cue:
    return Cue("noise", "The noise", "numeric", rng.normal(size=(n, m)), "picture", "picture")


def by_name(found: Shortcuts) -> set[str]:
    return {shortcut.cue for shortcut in found.flagged}


def test_a_planted_format_is_found_with_its_class() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 40)
    formats = texts(["JPEG" if k == 1 else "PNG" for k in y])
    found = find_shortcuts(
        [noise_cue(120, rng), Cue("file format", "The file format", "categorical", formats, "file")], y, CLASSES, None
    )
    (shortcut,) = found.flagged
    assert (shortcut.cue, shortcut.class_, shortcut.nature) == ("file format", "b", "acquisition")
    assert shortcut.accuracy == pytest.approx(2 / 3, abs=0.03)
    assert shortcut.chance == pytest.approx(1 / 3)
    assert shortcut.measure == "balanced accuracy"
    assert shortcut.low <= shortcut.strength <= shortcut.high
    assert shortcut.p_value < 0.01
    assert "'b'" in shortcut.advice
    assert [row.cue for row in found.associations] == ["noise", "file format"]


def test_one_class_of_many_is_found_where_the_overall_accuracy_hardly_rises() -> None:
    y = np.repeat(np.arange(20), 20)
    values = np.random.default_rng(1).normal(size=400) + 8.0 * (y == 13)
    names = [f"class {k}" for k in range(20)]
    found = find_shortcuts([Cue("pixel size", "The pixel size", "numeric", values, "scale")], y, names, None)
    (shortcut,) = found.flagged
    assert shortcut.class_ == "class 13"
    assert shortcut.measure.endswith("against the rest")
    assert shortcut.chance == 0.5
    assert shortcut.accuracy > 0.9


def test_a_class_in_the_middle_of_a_range_is_found() -> None:
    rng = np.random.default_rng(2)
    y = np.repeat([0, 1], 80)
    values = np.where(y == 0, rng.normal(0, 0.3, 160), rng.choice([-3.0, 3.0], 160) + rng.normal(0, 0.3, 160))
    found = find_shortcuts([Cue("day", "The day", "numeric", values, "session")], y, ("a", "b"), None)
    assert by_name(found) == {"day"}
    assert found.flagged[0].accuracy > 0.95


def test_what_is_unknown_for_one_class_gives_it_away() -> None:
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1, 2], 40)
    values = np.where(y == 2, np.nan, rng.normal(size=120))
    found = find_shortcuts([Cue("pixel size", "The pixel size", "numeric", values, "scale")], y, CLASSES, None)
    assert [shortcut.class_ for shortcut in found.flagged] == ["c"]


def test_a_weak_but_certain_association_is_shown_and_not_flagged() -> None:
    rng = np.random.default_rng(4)
    y = np.repeat([0, 1], 1000)
    values = texts(["x" if u < 0.5 + 0.06 * k else "y" for u, k in zip(rng.random(2000), y, strict=True)])
    found = find_shortcuts([Cue("site", "The site", "categorical", values, "session")], y, ("a", "b"), None)
    assert found.flagged == []
    assert found.associations[0].p_value < 0.05
    assert 0.5 < found.associations[0].accuracy < 0.6


def test_clean_data_are_rarely_accused() -> None:
    rng = np.random.default_rng(5)
    accused = 0
    for seed in range(15):
        y = rng.permutation(np.repeat([0, 1, 2], 25))
        levels = texts([str(v) for v in rng.integers(0, 4, 75)])
        cues = [noise_cue(75, rng), noise_cue(75, rng, 1), Cue("site", "The site", "categorical", levels, "session")]
        accused += bool(find_shortcuts(cues, y, CLASSES, None, seed=seed).flagged)
    assert accused <= 2


def test_what_only_groups_have_in_common_is_no_shortcut() -> None:
    rng = np.random.default_rng(6)
    accused = ungrouped = 0
    for seed in range(8):
        group = np.repeat(np.arange(12), 8)
        y = group % 3
        values = rng.normal(size=(12, 2))[group] + 0.05 * rng.normal(size=(96, 2))
        cue = Cue("border", "The border", "numeric", values, "border", "picture")
        accused += bool(find_shortcuts([cue], y, CLASSES, texts([f"g{g}" for g in group]), seed=seed).flagged)
        ungrouped += bool(find_shortcuts([cue], y, CLASSES, None, seed=seed).flagged)
    assert ungrouped == 8  # without groups the same numbers look like a perfect shortcut
    assert accused <= 2


def test_a_shortcut_across_groups_is_found_and_the_design_is_noted() -> None:
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(18), 4)
    y = group % 3
    values = rng.normal(size=72) + 6.0 * (y == 2)
    cue = Cue("border", "The border", "numeric", values, "border", "picture")
    found = find_shortcuts([cue], y, CLASSES, texts([f"g{g}" for g in group]))
    assert [shortcut.class_ for shortcut in found.flagged] == ["c"]
    assert any("each group holds one class" in note for note in found.notes)
    assert "information" in found.flagged[0].advice


def test_classes_of_one_group_are_noted_and_not_accused() -> None:
    y = np.repeat([0, 1, 2], 20)
    cue = Cue("day", "The day", "numeric", y * 10.0, "session")
    found = find_shortcuts([cue], y, CLASSES, texts([f"g{k}" for k in y]))
    assert found.flagged == []
    assert any("a, b, c" in note for note in found.notes)
    assert np.isnan(found.associations[0].low)


def test_constant_cues_and_single_classes_give_nothing() -> None:
    y = np.repeat([0, 1], 10)
    constant = Cue("bits", "The bit depth", "numeric", np.full(20, 0.1), "file")
    assert find_shortcuts([constant], y, ("a", "b"), None) == Shortcuts([], [], [])
    varied = replace(constant, values=np.arange(20.0))
    assert find_shortcuts([varied], np.zeros(20, dtype=np.int64), ("a", "b"), None).associations == []
    with pytest.raises(ValueError, match="20 values"):
        find_shortcuts([replace(constant, values=np.zeros(19))], y, ("a", "b"), None)


def test_rare_classes_and_large_sets_are_thinned_evenly() -> None:
    rng = np.random.default_rng(8)
    y = np.repeat([0, 1, 2], [6 * MOST_SAMPLES, 400, 30])
    cue = Cue("site", "The site", "numeric", rng.normal(size=len(y)) + 9.0 * (y == 2), "session")
    found = find_shortcuts([cue], y, CLASSES, None)
    assert [shortcut.class_ for shortcut in found.flagged] == ["c"]
    assert found.flagged[0].accuracy == pytest.approx(2 / 3, abs=0.07)


def test_the_answer_repeats_with_the_seed() -> None:
    rng = np.random.default_rng(9)
    y, cue = rng.integers(0, 3, 90), noise_cue(90, rng)
    assert find_shortcuts([cue], y, CLASSES, None, seed=4) == find_shortcuts([cue], y, CLASSES, None, seed=4)
