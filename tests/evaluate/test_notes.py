"""What a reader must know is said where it holds, and nowhere else."""

from __future__ import annotations

import numpy as np

from graticule.arrays import object_array
from graticule.evaluate.bootstrap import score
from graticule.evaluate.notes import notes_on
from graticule.statistics.groups import Groups


def notes(y: np.ndarray, fold: np.ndarray, part: str = "test", n_groups: int = 0, k: int = 2) -> list[str]:
    proba = np.full((len(y), k), 0.1)
    proba[np.arange(len(y)), y] = 0.9
    names = object_array([f"{i:02d}" for i in range(n_groups)])
    groups = Groups(np.arange(len(y)) % n_groups, names) if n_groups else None
    return notes_on(score(y, proba, fold), fold, tuple("abc"[:k]), part, groups)


def test_plain_data_need_no_note() -> None:
    y = np.arange(60) % 2
    assert notes(y, np.zeros(60, int)) == []
    assert len(notes(y, np.arange(60) // 2 % 3, "cv")) == 1


def test_absent_rare_and_never_predicted_classes_are_named() -> None:
    y = np.array([0] * 30 + [1] * 4)
    found = " ".join(notes(y, np.zeros(34, int), k=3))
    assert "No sample of c" in found
    assert "Fewer than 10 samples of b" in found
    assert "Never predicted" not in found


def test_few_groups_and_classes_in_few_groups_are_said() -> None:
    y = np.arange(60) % 2
    assert any("Only 6 groups" in note for note in notes(y, np.zeros(60, int), n_groups=6))
    # with 12 groups by position each holds one class only: six groups a class
    assert any("fewer than 10 groups: a, b" in note for note in notes(y, np.zeros(60, int), n_groups=12))


def test_a_class_missing_in_a_fold_is_said() -> None:
    y = np.array([0, 1] * 20 + [0] * 20)
    fold = np.array([0] * 40 + [1] * 20)
    assert any("No sample of b in fold 1" in note for note in notes(y, fold))
