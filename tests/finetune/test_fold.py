"""A fold: trained once and kept, taken up where it stopped, refused when it is of another run; then what is shipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.finetune.campaign import ROWS, campaign_of  # noqa: E402
from tests.small_network import Small  # noqa: E402

from graticule.errors import TrainingError  # noqa: E402
from graticule.finetune import fold  # noqa: E402
from graticule.finetune.classes import ClassGoal  # noqa: E402
from graticule.finetune.fold import finished_fold, judge_fold, load_network, settle_recipe  # noqa: E402
from graticule.finetune.numbers import ValueGoal  # noqa: E402
from graticule.finetune.progress import Teller  # noqa: E402
from graticule.progress import Silent  # noqa: E402


def teller() -> Teller:
    return Teller(Silent(), 10)


def test_a_fold_is_trained_once_and_then_read(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = campaign_of(small, tmp_path)
    first = finished_fold(campaign, small.processes, "fold-0", ROWS, teller())
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["fold-0.finished", "pixels.npy"]
    assert (first.n_train, first.n_validation, len(first.history)) == (40, 20, 2)
    assert list(first.history[0])[:4] == ["epoch", "loss", "validation_loss", "validation_accuracy"]

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("it is trained again")

    monkeypatch.setattr(fold, "fit_network", never)
    again = finished_fold(campaign, small.processes, "fold-0", ROWS, teller())
    assert all(torch.equal(again.weights[name], value) for name, value in first.weights.items())
    assert (again.best_epoch, again.history) == (first.best_epoch, first.history)
    with pytest.raises(TrainingError, match="other data, options or versions"):
        finished_fold(replace(campaign, fingerprint="another"), small.processes, "fold-0", ROWS, teller())


def test_what_was_held_out_is_scored_at_the_temperature_of_the_validation_rows(small: Small, tmp_path: Path) -> None:
    campaign = campaign_of(small, tmp_path)
    result = finished_fold(campaign, small.processes, "fold-0", ROWS, teller())
    found = judge_fold(campaign, small.processes, result, ROWS)
    assert found.answers.shape == (36, 3)
    assert found.answers.sum(axis=1) == pytest.approx(1)
    assert found.temperature > 0
    plain = judge_fold(campaign, small.processes, result, replace(ROWS, validation=np.zeros(0, np.int64)))
    assert plain.temperature == 1.0
    network = load_network(campaign, result)
    assert not network.training
    assert all(torch.equal(network.state_dict()[name], value) for name, value in result.weights.items())


def test_the_recipe_knows_the_classes_and_the_network(small: Small, tmp_path: Path) -> None:
    options = campaign_of(small, tmp_path).options
    network, y = small.network(), np.repeat([0, 1, 2], [90, 20, 10])
    rows = np.arange(len(y))
    recipe = settle_recipe(options, network.spec, network, ClassGoal(y, 3), rows, small.processes, ultrasound=True)
    assert (recipe.balance, recipe.augment, recipe.layer_decay, recipe.statistics) == (
        *("loss", "ultrasound"),
        *(1.0, "learned"),
    )


def test_a_number_keeps_the_scale_of_its_images(small: Small, tmp_path: Path) -> None:
    options = campaign_of(small, tmp_path).options
    network, rows = small.network(), np.arange(100)
    goal = ValueGoal(np.linspace(0, 1, 100), 0.3)
    recipe = settle_recipe(options, network.spec, network, goal, rows, small.processes, ultrasound=False)
    assert (recipe.augment, recipe.balance) == ("unscaled", "none")
    asked = replace(options, augment="microscopy")
    assert settle_recipe(asked, network.spec, network, goal, rows, small.processes, ultrasound=False).augment == (
        "microscopy"
    )
