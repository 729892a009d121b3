"""The training loop: it learns, goes on where it stopped, and stops where it should, whatever the objective."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from numpy.typing import NDArray  # noqa: E402
from tests.small_network import Small  # noqa: E402

from graticule.errors import TrainingError  # noqa: E402
from graticule.finetune import objective  # noqa: E402
from graticule.training import loop  # noqa: E402
from graticule.training.loop import Saved, fit_network  # noqa: E402
from graticule.training.objective import Trainee, Validation  # noqa: E402
from graticule.training.order import sample_generator  # noqa: E402
from graticule.training.processes import Processes  # noqa: E402
from graticule.training.schedule import Schedule  # noqa: E402


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
    assert trained.history[trained.best_epoch - 1].validation["accuracy"] >= 0.9


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
    plain, judged = objective.balanced_loss, []

    def interrupted(*given: Any) -> Any:
        judged.append(len(judged))
        if len(judged) == small.recipe.epochs:
            signal.raise_signal(signal.SIGINT)
        return plain(*given)

    with monkeypatch.context() as patch:
        patch.setattr(objective, "balanced_loss", interrupted)
        with pytest.raises(KeyboardInterrupt):
            small.run(tmp_path / "c")
    assert len(small.run(tmp_path / "c").history) == small.recipe.epochs


def test_a_checkpoint_of_another_run_is_refused(small: Small, tmp_path: Path) -> None:
    small.run(tmp_path / "c", epochs=1)
    network = small.network()
    with pytest.raises(TrainingError, match="other data, options or versions"):
        small.fit(network, small.objective(small.source(network)), saved=Saved(tmp_path / "c", "x"))


def test_a_loss_that_is_not_finite_stops_and_names_the_batch(small: Small, tmp_path: Path) -> None:
    network = small.network()
    with torch.no_grad():
        network.classifier.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"epoch 1, batch 1 \(1\d images: \d+\.png"):
        small.fit(network, small.objective(small.source(network)))


def test_a_gradient_that_is_not_finite_stops_before_it_moves_a_weight(small: Small, tmp_path: Path) -> None:
    network = small.network()
    network.classifier.weight.register_hook(lambda gradient: gradient * float("inf"))
    before = network.classifier.weight.detach().clone()
    with pytest.raises(TrainingError, match=r"the gradient is not a finite number in epoch 1, batch 1"):
        small.fit(network, small.objective(small.source(network)))
    assert torch.equal(network.classifier.weight, before)


def test_a_network_that_cannot_be_compiled_is_told(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    def uncompiled(module: Any) -> Any:
        def run(_: Any) -> Any:
            raise torch._dynamo.exc.TorchDynamoException("no working C++ compiler found\nmore")

        return run

    monkeypatch.setattr(torch, "compile", uncompiled)
    with pytest.raises(TrainingError, match=r"no working C\+\+ compiler found\. Leave --compile out"):
        small.run(compile=True)


def test_too_little_memory_proposes_a_batch_size(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    network = small.network()

    def exhausted(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(network, "forward", exhausted)
    with pytest.raises(TrainingError, match="--batch-size 8 or a smaller --input-size"):
        small.fit(network, small.objective(small.source(network)))


def test_early_stopping_stops_and_keeps_a_late_epoch_as_good_as_the_best(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([1.0, 0.8, 0.84, 0.9, 0.9, 0.9, 0.9, 0.9])
    monkeypatch.setattr(objective, "balanced_loss", lambda *_: (next(losses), 0.05))
    trained = small.run(epochs=8, patience=0.25)
    assert trained.best_epoch == 3  # within a standard error of the lowest, and later
    assert len(trained.history) == 5


def test_same_seed_same_weights(small: Small, weights_of: Callable[[Any], dict[str, Any]]) -> None:
    first, second = weights_of(small.run(epochs=1)), weights_of(small.run(epochs=1))
    assert all(torch.equal(first[k], second[k]) for k in first)


@dataclass(frozen=True)
class Frequency:
    """Another objective: the frequency of the stripes, 0 to 2, from grey pictures with noise drawn for each epoch."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    seed: int
    names: NDArray[np.object_]
    grey: NDArray[np.float32]
    value: NDArray[np.float32]

    def weights(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.ones(len(rows), np.float32)

    def shown(self, rows: NDArray[np.int64], epoch: int) -> Any:
        noise = [sample_generator(self.seed, epoch, int(row)).normal(0, 0.2, (1, 32, 32)) for row in rows]
        x = self.grey[rows] + np.stack(noise).astype(np.float32)
        return (torch.from_numpy(x),), torch.from_numpy(self.value[rows])

    def losses(self, output: Any, target: Any) -> Any:
        return (output[:, 0] - target) ** 2

    def judge(self, network: Any, processes: Processes) -> Validation:
        with torch.inference_mode():
            found = network(torch.from_numpy(self.grey[self.validation]))[:, 0].numpy()
        squared, spread = (found - self.value[self.validation]) ** 2, self.value[self.validation].var()
        error = float(squared.std()) / len(squared) ** 0.5
        return Validation(float(squared.mean()), error, {"r2": 1 - float(squared.mean() / spread)})


def regressed(small: Small, **more: Any) -> Any:
    """A fresh network of a few layers, of no blocks and no classes, trained on the frequency."""
    torch.manual_seed(0)
    layer = torch.nn
    network = layer.Sequential(
        *(layer.Conv2d(1, 16, 5), layer.ReLU(), layer.Conv2d(16, 16, 5, stride=2), layer.ReLU()),
        *(layer.AdaptiveAvgPool2d(1), layer.Flatten(), layer.Dropout(0.1), layer.Linear(16, 1)),
    )
    groups = [{"params": list(network.parameters()), "share": 1.0}]
    grey = (small.pixels[:, None, :, :, 0].astype(np.float32) - 128) / 40
    value = np.array([2.0, 0.8, 0.0], np.float32)[small.y]
    aim = Frequency(np.arange(66), np.arange(66, 96), 0, small.names, grey, value)
    trainee = Trainee(network, network, groups, network.train)
    return fit_network(trainee, aim, Schedule(epochs=20, batch_size=16, lr=1e-2), small.processes, **more)


def test_another_objective_trains_and_a_stopped_run_goes_on_to_the_same_weights(small: Small, tmp_path: Path) -> None:
    whole = regressed(small)
    assert whole.history[whole.best_epoch - 1].validation["r2"] > 0.8
    assert whole.history[-1].loss < 0.3 * whole.history[0].loss
    for stop in (3, 13, 50):
        with pytest.raises(KeyboardInterrupt):
            regressed(small, saved=Saved(tmp_path / "c", "these values"), watch=StopAt(stop))
    resumed = regressed(small, saved=Saved(tmp_path / "c", "these values"))
    weights = whole.network.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in resumed.network.state_dict().items())
    assert [r.validation for r in resumed.history] == [r.validation for r in whole.history]


def test_the_engine_names_no_class_and_no_label() -> None:
    words = re.compile("label|accuracy|logit|softmax|cross_entropy|n_classes|class_weight")
    rooms = ("finetune", "heads", "evaluate", "split", "predictions")
    files = sorted(Path(loop.__file__).parent.glob("*.py"))
    assert len(files) > 8
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not words.search(text), f"{file.name} names {words.search(text)}"
        assert not [room for room in rooms if f"graticule.{room}" in text], file.name
