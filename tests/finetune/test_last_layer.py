"""What the last layer's numbers mean: heads on the vectors of all members say what torch says of each."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.finetune.last_layer import NumberLayer, ScoresLayer, side_by_side  # noqa: E402
from graticule.finetune.network import build_network  # noqa: E402


def vectors(members: list[torch.nn.Module]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(5, member.n_features)).astype(np.float32) for member in members]


def test_each_member_looks_at_its_own_vector(small: Small) -> None:
    members = [small.network(), small.network()]
    (first, _), (second, _) = side_by_side(members)
    n = members[0].n_features
    assert not first[:, n:].any()
    assert not second[:, :n].any()
    assert first[:, :n].any()


def test_classes_are_answered_with_the_mean_softmax_at_each_temperature(small: Small) -> None:
    members, last = [small.network(), small.network()], ScoresLayer()
    with torch.no_grad():
        members[1].classifier.weight.mul_(40)
    own = vectors(members)
    with torch.inference_mode():
        logits = [member.classifier(torch.from_numpy(v)) for member, v in zip(members, own, strict=True)]
    expected = torch.stack([last.answered(logits[0]), last.answered(3 * logits[1])]).mean(dim=0).numpy()
    found = last.said(last.heads(members, [1.0, 3.0]), np.concatenate(own, axis=1))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.sum(axis=1) == pytest.approx(1)


def test_a_number_is_answered_with_the_mean_number() -> None:
    members = [build_network("test_efficientnet", 1, weights="none", seed=seed)[0] for seed in (0, 1)]
    last, own = NumberLayer(2.5), vectors(members)
    with torch.inference_mode():
        said = [
            last.answered(member.classifier(torch.from_numpy(v))).numpy()
            for member, v in zip(members, own, strict=True)
        ]
    heads = last.heads(members, [1.0, 1.0])
    assert [len(member) for member in heads] == [1, 1]
    np.testing.assert_allclose(last.said(heads, np.concatenate(own, axis=1)), np.mean(said, axis=0), atol=1e-6)
    assert (last.unit, last.disagreements(np.zeros((2, 1)), np.ones((2, 1)))) == (2.5, 0)


def test_only_clear_answers_of_another_class_disagree() -> None:
    last = ScoresLayer()
    sure, unsure = np.array([[0.9, 0.1]]), np.array([[0.5005, 0.4995]])
    assert last.disagreements(sure, sure[:, ::-1]) == 1
    assert last.disagreements(unsure, unsure[:, ::-1]) == 0
    assert last.disagreements(sure, sure) == 0
