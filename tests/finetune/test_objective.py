"""What a classifier is trained for: classes weighed as asked, an epoch judged with each class counting the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.finetune.objective import balanced_loss, class_weights  # noqa: E402


def test_the_validation_loss_weighs_classes_alike_and_knows_its_error() -> None:
    rng = np.random.default_rng(0)
    y = np.array([0] * 300 + [1] * 100)
    means = []
    for _ in range(200):
        scores = rng.normal(0, 1, (400, 2)).astype(np.float32)
        scores[np.arange(400), y] += np.where(y == 0, 2.0, 0.5)
        means.append(balanced_loss(scores, y))
    losses, errors = np.array(means).T
    per_class = balanced_loss(scores[:300], y[:300])[0], balanced_loss(scores[300:], y[300:])[0]
    assert losses[-1] == pytest.approx(np.mean(per_class))
    assert errors.mean() == pytest.approx(losses.std(), rel=0.15)


def test_class_weights_have_mean_one_over_samples() -> None:
    y = np.array([0] * 90 + [1] * 10)
    weights = class_weights(y, 2, "loss")
    assert weights[y].mean() == pytest.approx(1.0, abs=1e-6)
    assert weights[1] / weights[0] == pytest.approx(3.0, rel=1e-5)
    assert class_weights(y, 2, "none").tolist() == [1.0, 1.0]


def test_losses_are_smoothed_cross_entropy_and_rows_weigh_as_their_class(small: Small) -> None:
    recipe = replace(small.recipe, balance="loss", label_smoothing=0.1)
    objective = small.objective(small.source(small.network()), recipe, n_train=50)
    rows = np.array([4, 0, 8])
    (x,), target = objective.shown(rows, 2)
    assert x.shape == (3, 3, 32, 32)
    assert torch.equal(x, objective.source.training(rows, 2))
    assert target.tolist() == [1, 0, 2]
    output = torch.tensor([[1.0, 2.0, 0.0]] * 3)
    surprise = -torch.log_softmax(output[0], 0)
    expected = 0.9 * surprise[[1, 0, 2]] + 0.1 * surprise.mean()
    assert objective.losses(output, target).tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    per_class = class_weights(small.y[:50], 3, "loss")
    assert objective.weights(rows).tolist() == per_class[[1, 0, 2]].tolist()
    assert objective.weights(objective.train).mean() == pytest.approx(1.0, abs=1e-6)


def test_an_epoch_is_judged_on_the_validation_rows_or_not_at_all(small: Small) -> None:
    network = small.network().eval()
    source = small.source(network)
    found = small.objective(source).judge(network, small.processes)
    assert found.loss == pytest.approx(np.log(3), abs=0.5)
    assert found.error > 0
    assert set(found.figures) == {"accuracy"}
    nothing = small.objective(source, end=66).judge(network, small.processes)
    assert (nothing.loss, nothing.figures) == (None, {"accuracy": None})
