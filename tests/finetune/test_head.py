"""The last layer before the others: a logistic regression on the features of the pretrained network."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.errors import TrainingError  # noqa: E402
from graticule.finetune.classes import ClassGoal  # noqa: E402
from graticule.finetune.head import head_first  # noqa: E402
from graticule.finetune.logits import score_rows  # noqa: E402


def test_the_head_comes_first_and_is_a_logistic_regression(small: Small) -> None:
    from sklearn.linear_model import LogisticRegression

    network = small.network()
    source = small.source(network)
    objective = small.objective(source)
    head_first(network, ClassGoal(small.y, 3), objective, small.processes)
    logits = score_rows(network, source, objective.train, small.processes)
    x = score_rows(network, source, objective.train, small.processes, features=True).astype(float)
    y = small.y[objective.train]
    z = (x - x.mean(0)) / (x.std() + 1e-6)
    expected = LogisticRegression(C=0.03, max_iter=300, class_weight="balanced").fit(z, y).decision_function(z)
    assert logits - logits.mean(1, keepdims=True) == pytest.approx(expected - expected.mean(1, keepdims=True), abs=1e-2)


def test_weights_that_are_not_finite_are_refused_before_the_head(small: Small) -> None:
    network = small.network()
    with torch.no_grad():
        next(network.trunk.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="features that are not finite numbers"):
        head_first(network, ClassGoal(small.y, 3), small.objective(small.source(network)), small.processes)
