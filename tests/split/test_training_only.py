"""Synthetic images and those that a queue picked train and are never tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graticule.arrays import object_array
from graticule.heads.crossval import fold_rows, training_rows
from graticule.manifest import Manifest
from graticule.split.folds import make_folds
from graticule.split.training_only import LEFT_OUT, PICKED, SYNTHETIC, add_training_only, training_only

Y = np.arange(40) % 2
REAL = make_folds(Y, k=4, test_size=0.2, group=object_array([f"g{i // 2}" for i in range(40)]), seed=1)
KIND = object_array([""] * 40 + [SYNTHETIC] * 10)


def extended(group: list[str], duplicates: np.ndarray | None = None) -> tuple[object, np.ndarray]:
    names = object_array([f"g{i // 2}" for i in range(40)] + group)
    copies = np.arange(50) if duplicates is None else duplicates
    return add_training_only(REAL, KIND, names, copies), names


def test_they_train_in_every_fold_and_are_held_out_in_none() -> None:
    folds, _ = extended([""] * 10)
    for train, test in fold_rows(folds):
        assert set(range(40, 50)) <= set(train.tolist())
        assert test.max() < 40
    assert (folds.part[40:] == SYNTHETIC).all()
    assert training_rows(folds)[40:].all()
    np.testing.assert_array_equal(folds.part[:40], REAL.part)


def test_one_made_from_a_patient_stays_out_where_the_patient_is_tested() -> None:
    cv = int(np.flatnonzero(REAL.part == "cv")[0])
    folds, names = extended([f"g{cv // 2}"] + [""] * 9)
    for train, test in fold_rows(folds):
        assert not set(names[train]) & (set(names[test]) - {""})
    assert any(40 in train for train, _ in fold_rows(folds))


def test_one_made_from_the_held_out_part_trains_nowhere() -> None:
    held = int(np.flatnonzero(REAL.part == "test")[0])
    copies = np.arange(50)
    copies[45] = copies[held]
    folds, _ = extended([""] * 10, copies)
    assert folds.part[45] == LEFT_OUT
    assert not any(45 in train for train, _ in fold_rows(folds))
    assert any("1 synthetic images belong to images of the held-out part" in note for note in folds.notes)


def test_images_of_either_kind_train_alone_and_each_is_told() -> None:
    kind = KIND.copy()
    kind[45:] = PICKED
    folds = add_training_only(REAL, kind, None, np.arange(50))
    assert folds.part[40:].tolist() == [SYNTHETIC] * 5 + [PICKED] * 5
    assert training_rows(folds)[40:].all()
    assert not any((test >= 40).any() for _, test in fold_rows(folds))
    assert [note.split(" train")[0] for note in folds.notes[-2:]] == [
        "5 synthetic images",
        "5 images picked by a review queue",
    ]


def test_an_empty_chance_means_picked_and_no_column_means_none() -> None:
    path, label = object_array(["a", "b", "c"]), object_array(["x"] * 3)
    assert training_only(Manifest(Path("/"), path, label)).tolist() == ["", "", ""]
    columns = {"sampling_prob": object_array(["1", "", ""]), "origin": object_array(["real", "real", "synthetic"])}
    assert training_only(Manifest(Path("/"), path, label, columns)).tolist() == ["", PICKED, SYNTHETIC]
