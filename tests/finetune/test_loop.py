"""The training loop: it learns, goes on where it stopped, stops where it should, and leaves alone what is frozen."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.errors import TrainingError  # noqa: E402
from graticule.finetune import loop  # noqa: E402
from graticule.finetune.head import head_first  # noqa: E402
from graticule.finetune.logits import balanced_loss, score_rows, score_views  # noqa: E402
from graticule.finetune.loop import Saved, fit_network  # noqa: E402
from graticule.finetune.state import begin, parameter_groups  # noqa: E402


class StopAt:
    """A watch that asks to stop after some steps, as Ctrl-C does, or of its own accord."""

    def __init__(self, step: int, *, signalled: bool = True) -> None:
        self.at, self.signalled, self.done = step, signalled, 0

    def step(self, done: int, steps: int, loss: float) -> None:
        self.done = done
        if done == self.at and self.signalled:
            signal.raise_signal(signal.SIGINT)

    def epoch(self, record: Any) -> None:
        pass

    def stop(self) -> bool:
        return not self.signalled and self.done >= self.at


def test_it_learns_what_is_there(small: Small) -> None:
    trained = small.run(epochs=25)
    assert trained.history[-1].loss < 0.6 * trained.history[0].loss
    assert trained.history[trained.best_epoch - 1].validation_accuracy >= 0.9


@pytest.mark.parametrize(("step", "signalled"), [(1, True), (4, True), (7, False), (11, True), (12, False)])
def test_a_stopped_run_goes_on_to_the_same_weights(small: Small, tmp_path: Path, step: int, signalled: bool) -> None:
    whole = small.run().network.state_dict()
    with pytest.raises(KeyboardInterrupt):
        small.run(tmp_path / "c", watch=StopAt(step, signalled=signalled))
    assert (tmp_path / "c").exists()
    resumed = small.run(tmp_path / "c")
    assert all(torch.equal(value, whole[name]) for name, value in resumed.network.state_dict().items())
    assert [record.epoch for record in resumed.history] == [1, 2, 3]


def test_ctrl_c_while_the_last_epoch_is_judged_stops_after_it(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, judged = loop.balanced_loss, []

    def interrupted(*given: Any) -> Any:
        judged.append(len(judged))
        if len(judged) == small.recipe.epochs:
            signal.raise_signal(signal.SIGINT)
        return plain(*given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "balanced_loss", interrupted)
        with pytest.raises(KeyboardInterrupt):
            small.run(tmp_path / "c")
    assert len(small.run(tmp_path / "c").history) == small.recipe.epochs


def test_a_checkpoint_of_another_run_is_refused(small: Small, tmp_path: Path) -> None:
    small.run(tmp_path / "c", epochs=1)
    network = small.network()
    with pytest.raises(TrainingError, match="other data, options or versions"):
        fit_network(
            network, small.source(network), small.task, small.recipe, small.processes, saved=Saved(tmp_path / "c", "x")
        )


def test_a_loss_that_is_not_finite_stops_and_names_the_batch(small: Small, tmp_path: Path) -> None:
    network = small.network()
    with torch.no_grad():
        network.classifier.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"epoch 1, batch 1 \(1\d images: \d+\.png"):
        fit_network(network, small.source(network), small.task, small.recipe, small.processes)


def test_a_gradient_that_is_not_finite_stops_before_it_moves_a_weight(small: Small, tmp_path: Path) -> None:
    network = small.network()
    network.classifier.weight.register_hook(lambda gradient: gradient * float("inf"))
    before = network.classifier.weight.detach().clone()
    with pytest.raises(TrainingError, match=r"the gradient is not a finite number in epoch 1, batch 1"):
        fit_network(network, small.source(network), small.task, small.recipe, small.processes)
    assert torch.equal(network.classifier.weight, before)


def test_weights_that_are_not_finite_are_refused_before_the_head(small: Small) -> None:
    network = small.network()
    with torch.no_grad():
        next(network.trunk.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="features that are not finite numbers"):
        head_first(network, small.source(network), small.task, small.processes)


def test_a_network_that_cannot_be_compiled_is_told(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    def uncompiled(module: Any) -> Any:
        def run(_: Any) -> Any:
            raise torch._dynamo.exc.TorchDynamoException("no working C++ compiler found\nmore")

        return run

    monkeypatch.setattr(torch, "compile", uncompiled)
    with pytest.raises(TrainingError, match=r"no working C\+\+ compiler found\. Leave --compile out"):
        small.run(compile=True)


@pytest.mark.parametrize(
    "text", ["DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory"]
)
def test_too_little_memory_while_scoring_proposes_a_batch_size(
    small: Small, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    network = small.network()

    def exhausted(*_: Any) -> Any:
        raise RuntimeError(text)

    monkeypatch.setattr(network, "forward", exhausted)
    with pytest.raises(TrainingError, match="batch of 16 images; try --batch-size 8"):
        score_rows(network, small.source(network), np.arange(5), small.processes, at_once=small.recipe.at_once)


def test_too_little_memory_proposes_a_batch_size(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    network = small.network()

    def exhausted(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(network, "forward", exhausted)
    with pytest.raises(TrainingError, match="--batch-size 8 or a smaller --input-size"):
        fit_network(network, small.source(network), small.task, small.recipe, small.processes)


def test_frozen_blocks_keep_weights_and_statistics(small: Small) -> None:
    before = {k: v.clone() for k, v in small.network().state_dict().items()}
    trained = small.run(frozen_blocks=3)
    inside = {id(t) for _, block in trained.network.blocks()[:3] for t in (*block.parameters(), *block.buffers())}
    named = [*trained.network.named_parameters(), *trained.network.named_buffers()]
    moved = {name for name, value in named if not torch.equal(value, before[name])}
    assert len(inside) > 10
    assert not moved & {name for name, value in named if id(value) in inside}
    assert {"classifier.weight", "classifier.bias"} <= moved


def test_kept_statistics_stay_while_weights_move(small: Small) -> None:
    before = {k: v.clone() for k, v in small.network().state_dict().items()}
    after = small.run(epochs=1, statistics="kept").network.state_dict()
    statistics = {k for k in before if "running_" in k}
    moved = {k for k in before if not torch.equal(before[k], after[k])}
    assert len(statistics) > 10
    assert not statistics & moved
    assert len(moved) > 20


def test_the_head_comes_first_and_is_a_logistic_regression(small: Small) -> None:
    from sklearn.linear_model import LogisticRegression

    network = small.network()
    source = small.source(network)
    head_first(network, source, small.task, small.processes)
    logits = score_rows(network, source, small.task.train, small.processes)
    x = score_rows(network, source, small.task.train, small.processes, features=True).astype(float)
    y = small.task.y[small.task.train]
    z = (x - x.mean(0)) / (x.std() + 1e-6)
    expected = LogisticRegression(C=0.03, max_iter=300, class_weight="balanced").fit(z, y).decision_function(z)
    assert logits - logits.mean(1, keepdims=True) == pytest.approx(expected - expected.mean(1, keepdims=True), abs=1e-2)


def test_learning_rates_grow_from_the_input_to_the_head(small: Small) -> None:
    recipe = replace(small.recipe, layer_decay=0.5)
    network = small.network()
    groups = parameter_groups(network, recipe)
    shares = [group["share"] for group in groups]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[0] == 0.5 ** len(network.blocks())
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert all((group["weight_decay"] > 0) == (group["params"][0].ndim > 1) for group in groups)


def test_a_class_weight_acts_on_the_loss_and_early_stopping_stops(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([1.0, 0.8, 0.84, 0.9, 0.9, 0.9, 0.9, 0.9])
    monkeypatch.setattr(loop, "balanced_loss", lambda *_: (next(losses), 0.05))
    trained = small.run(epochs=8, patience=0.25)
    assert trained.best_epoch == 3  # within a standard error of the lowest, and later
    assert len(trained.history) == 5


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


def test_views_are_averaged_as_prediction_does(small: Small) -> None:
    network = small.network().eval()
    source = small.source(network)
    rows = np.arange(5)
    mean = np.zeros((5, 3))
    for mirrored in (False, True):
        for turns in range(4):
            turned = np.rot90(small.pixels[rows], turns, axes=(1, 2))
            turned = turned[:, :, ::-1] if mirrored else turned
            x = (torch.from_numpy(np.ascontiguousarray(turned)).permute(0, 3, 1, 2).float()) - torch.tensor(
                network.spec.mean
            ).view(1, 3, 1, 1)
            with torch.inference_mode():
                mean += network(x / torch.tensor(network.spec.std).view(1, 3, 1, 1)).numpy() / 8
    assert score_views(network, source, rows, small.processes, views=8) == pytest.approx(mean, abs=1e-4)


def test_a_state_begins_with_an_average_equal_to_the_network(small: Small) -> None:
    state = begin(small.network(), small.recipe)
    pairs = zip(state.network.state_dict().values(), state.average.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not any(p.requires_grad for p in state.average.parameters())


def test_same_seed_same_weights(small: Small, weights_of: Callable[[Any], dict[str, Any]]) -> None:
    first, second = weights_of(small.run(epochs=1)), weights_of(small.run(epochs=1))
    assert all(torch.equal(first[k], second[k]) for k in first)
