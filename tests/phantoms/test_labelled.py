"""Kinds with classes: how labels are made wrong, and which options they refuse."""

import pytest

from graticule.phantoms.families import FAMILIES
from graticule.phantoms.options import PhantomOptions


@pytest.mark.parametrize(("share", "n", "wrong"), [(0.0, 10, 0), (0.1, 10, 6), (0.33, 7, 14), (0.99, 50, 297)])
def test_label_noise_moves_that_many_labels_to_other_classes(share: float, n: int, wrong: int) -> None:
    tasks = FAMILIES["powder"].tasks(PhantomOptions(n_per_class=n, label_noise=share))
    assert sum(task.class_index != task.label_index for task in tasks) == wrong
    assert {task.label_index for task in tasks} <= set(range(6))


def test_options_that_a_kind_cannot_follow_are_named_together() -> None:
    faults = FAMILIES["ultrasound"].faults(PhantomOptions(info_bar="zeiss", marks="tumour", per_specimen=2))
    assert len(faults) == 3
    assert "info bar" in faults[0]
    assert FAMILIES["powder"].faults(PhantomOptions(info_bar="zeiss")) == []


def test_the_usual_number_is_made_where_none_is_given() -> None:
    assert len(FAMILIES["ultrasound"].tasks(PhantomOptions())) == 2 * FAMILIES["ultrasound"].usual == 80
