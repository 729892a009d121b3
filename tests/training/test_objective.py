"""The seam of training: what trains a classifier is an objective like any other."""

from __future__ import annotations

import inspect

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.finetune.objective import ClassObjective  # noqa: E402
from graticule.training.objective import Objective, Validation  # noqa: E402


def test_the_objective_of_classes_has_all_that_an_objective_is_asked_for() -> None:
    asked = {name for name, value in vars(Objective).items() if not name.startswith("_") and callable(value)}
    assert asked == {"weights", "shown", "losses", "judge"}
    for name in asked:
        theirs, own = (list(inspect.signature(getattr(kind, name)).parameters) for kind in (Objective, ClassObjective))
        assert own == theirs
    assert {"train", "seed", "names"} <= set(ClassObjective.__dataclass_fields__)


def test_without_rows_to_judge_by_there_is_no_loss() -> None:
    assert Validation(None, 0.0, {"r2": None}).loss is None
