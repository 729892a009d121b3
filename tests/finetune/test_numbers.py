"""A number as the goal: a robust loss on the standardised target, and a network that answers on the learnt scale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.finetune.campaign import ROWS, campaign_of  # noqa: E402
from tests.small_network import Small  # noqa: E402

from graticule.finetune.fold import finished_fold, judge_fold  # noqa: E402
from graticule.finetune.goal import FoldRows  # noqa: E402
from graticule.finetune.head import head_first  # noqa: E402
from graticule.finetune.logits import score_rows  # noqa: E402
from graticule.finetune.numbers import ValueGoal, standard_of  # noqa: E402
from graticule.finetune.progress import Teller  # noqa: E402
from graticule.progress import Silent  # noqa: E402

LEARNT = np.random.default_rng(0).normal(300.0, 40.0, 96)
GOAL = ValueGoal(LEARNT, float(LEARNT.std()))
NOTHING = np.zeros(0, np.int64)


def test_large_errors_count_by_their_size_and_small_ones_by_their_square(small: Small) -> None:
    objective = GOAL.objective(ROWS, small.source(small.network()), small.recipe, small.names, 0)
    (_, target) = objective.shown(np.arange(40), 0)
    assert abs(float(target.mean())) < 1e-6
    assert float(target.std(correction=0)) == pytest.approx(1, abs=1e-6)
    output = torch.tensor([[0.5], [-3.0]])
    assert objective.losses(output, torch.zeros(2)).tolist() == pytest.approx([0.125, 2.5])
    assert (objective.weights(np.arange(5)) == 1).all()


def test_an_epoch_is_judged_by_the_same_loss_or_not_at_all(small: Small) -> None:
    network = small.network()
    objective = GOAL.objective(ROWS, small.source(network), small.recipe, small.names, 0)
    found = objective.judge(network, small.processes)
    rows = ROWS.validation
    said = torch.from_numpy(score_rows(network, objective.source, rows, small.processes))[:, :1]
    middle, spread = standard_of(LEARNT[ROWS.train])
    target = torch.from_numpy(((LEARNT[rows] - middle) / spread).astype(np.float32))
    assert found.loss == pytest.approx(float(objective.losses(said, target).mean()), rel=1e-5)
    assert found.figures["mae"] == pytest.approx(float((said[:, 0] - target).abs().mean()), rel=1e-5)
    assert found.error > 0
    none = GOAL.objective(FoldRows(ROWS.train, NOTHING, NOTHING), objective.source, small.recipe, small.names, 0)
    assert (none.judge(network, small.processes).loss, none.judge(network, small.processes).figures) == (
        *(None, {"mae": None}),
    )


def test_the_first_layer_is_a_ridge_of_the_standardised_number_and_the_last_answers_on_the_learnt_scale(
    small: Small,
) -> None:
    from graticule.finetune.network import build_network

    network = build_network("test_efficientnet", 1, weights="none", seed=0)[0]
    source = small.source(network)
    # a number that the features tell exactly
    features = score_rows(network, source, np.arange(96), small.processes, features=True).astype(float)
    learnt = 300 + 40 * (features[:, 3] - features[:, 3].mean()) / features[:, 3].std()
    goal = ValueGoal(learnt, 40.0)
    objective = goal.objective(ROWS, source, small.recipe, small.names, 0)
    head_first(network, goal, objective, small.processes)
    middle, spread = standard_of(learnt[ROWS.train])
    before = score_rows(network, source, ROWS.held, small.processes)[:, 0]
    assert np.corrcoef(before, learnt[ROWS.held])[0, 1] > 0.8
    assert abs(before.mean()) < 1
    goal.finish(network, ROWS.train)
    after = score_rows(network, source, ROWS.held, small.processes)[:, 0]
    np.testing.assert_allclose(after, middle + spread * before, rtol=1e-4)


def test_rows_that_choose_the_epoch_come_from_all_of_the_range_and_units_stay_whole() -> None:
    unit = np.arange(96) // 4
    means = np.linspace(0, 1, 24)[np.random.default_rng(1).permutation(24)]
    goal = ValueGoal(means[unit] + np.random.default_rng(2).normal(0, 0.01, 96), 1.0)
    strata = goal.strata(np.arange(96), unit)
    assert all(len(set(strata[unit == u])) == 1 for u in range(24))
    assert len(set(strata)) == 3
    order = [goal.learnt[strata == s].mean() for s in range(strata.max() + 1)]
    assert order == sorted(order)


def test_a_fold_answers_on_the_learnt_scale_and_better_than_the_mean(small: Small, tmp_path: Path) -> None:

    # how coarse the stripes are, 0 without any: what the network of a class would tell too
    period = np.choose(small.y, [4.0, 10.0, 0.0]) + 100
    goal = ValueGoal(period, float(period.std()))
    campaign = replace(campaign_of(small, tmp_path), goal=goal, recipe=replace(small.recipe, epochs=20, augment="none"))
    rows = FoldRows(np.arange(60), np.arange(60, 72), np.arange(72, 96))
    result = finished_fold(campaign, small.processes, "fold-0", rows, Teller(Silent(), 10))
    assert list(result.history[0])[:4] == ["epoch", "loss", "validation_loss", "validation_mae"]
    found = judge_fold(campaign, small.processes, result, rows)
    assert found.temperature == 1.0
    error = np.abs(found.answers[:, 0] - period[rows.held]).mean()
    assert error < 0.6 * np.abs(period[rows.held] - period[rows.train].mean()).mean()
