"""The training loop: head first, then all layers, judged each epoch on a validation part of the training images.

    rows ── Source ──> batch ── network ──> loss ──> gradients ──> AdamW ──> moving average ── judged each epoch

Everything random is drawn from seed, epoch, step and sample: a run that was stopped goes on to the same weights.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch._dynamo.exc import TorchDynamoException
from torch.nn import functional

from graticule.arrays import IntArray
from graticule.errors import TrainingError
from graticule.finetune.batches import BatchSource
from graticule.finetune.logits import Entered, balanced_loss, score_rows
from graticule.finetune.recipe import Recipe, average_at, rate_at
from graticule.finetune.state import EpochRecord, TrainingState, begin, restore_state, save_state, update_average
from graticule.training.interrupt import Interrupt
from graticule.training.memory import memory_told
from graticule.training.order import class_weights, epoch_batches, share
from graticule.training.processes import Processes

CHECKPOINT_SECONDS = 180.0


@dataclass(frozen=True)
class TrainingTask:
    """What one network is trained on.

    Attributes
    ----------
    y : int array, shape (n,)
        Classes of all samples, 0 to n_classes - 1.
    train, validation : int arrays
        Rows that train, and rows that choose the epoch (may be empty).
    n_classes, seed : int
    names : sequence of str
        Names of all samples, for messages.
    """

    y: IntArray
    train: IntArray
    validation: IntArray
    n_classes: int
    seed: int
    names: NDArray[np.object_]


class Watch(Protocol):
    """Is told how training goes on."""

    def step(self, done: int, steps: int, loss: float) -> None:
        """`done` of `steps` steps are made."""

    def epoch(self, record: EpochRecord) -> None:
        """An epoch was judged."""

    def stop(self) -> bool:
        """Whether training should stop here, as after Ctrl-C."""


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes
    ----------
    network : Classifier
        With the weights of the best epoch, in eval mode.
    best_epoch : int
        From 1.
    history : list of EpochRecord
    """

    network: Any
    best_epoch: int
    history: list[EpochRecord]


@dataclass(frozen=True)
class Saved:
    """Where checkpoints are kept, and of which run they are; training goes on from the one that is there.

    Attributes
    ----------
    file : Path
    fingerprint : str
    """

    file: Path
    fingerprint: str


def fit_network(
    network: Any,
    source: BatchSource,
    task: TrainingTask,
    recipe: Recipe,
    processes: Processes,
    *,
    watch: Watch | None = None,
    saved: Saved | None = None,
    until: int | None = None,
) -> Trained:
    """Train a network whose last layer is set already (`head_first`).

    Parameters
    ----------
    network : Classifier
        On the device of `processes`; changed.
    source : BatchSource
    task : TrainingTask
    recipe : Recipe
    processes : Processes
    watch : Watch, optional
    saved : Saved, optional
        Where to write checkpoints; without it there are none.
    until : int, optional
        Stop after so many epochs of the recipe's schedule.

    Raises
    ------
    TrainingError
        When the loss is not finite, memory does not suffice, or the checkpoint is damaged or of another run.
    KeyboardInterrupt
        After Ctrl-C or a request to end (SIGTERM), once a checkpoint is written.
    """
    state = begin(network, recipe)
    if saved is not None and saved.file.exists():
        restore_state(saved.file, state, saved.fingerprint)
    trained = processes.trained(Entered(network, source.start))
    if recipe.compile:
        trained = torch.compile(trained)
    steps = recipe.epochs * len(_batches(task, recipe, 0))
    last = recipe.epochs if until is None else min(until, recipe.epochs)
    written = time.monotonic()
    with Interrupt() as interrupt:
        while state.epoch < last and not _exhausted(state, recipe):
            batches = _batches(task, recipe, state.epoch)
            _set_mode(network, recipe)
            while state.batch < len(batches):
                start = time.perf_counter()
                _step(state, trained, source, task, recipe, processes, batches[state.batch], steps)
                state.seconds += time.perf_counter() - start
                if watch is not None:
                    watch.step(state.step, steps, state.losses[-1])
                stop = processes.any(interrupt.asked or (watch is not None and watch.stop()))
                if saved is not None and (stop or time.monotonic() - written > CHECKPOINT_SECONDS):
                    _save(saved, state, processes)
                    written = time.monotonic()
                if stop:
                    raise KeyboardInterrupt
            record = _judge(state, source, task, recipe, processes, steps)
            if watch is not None:
                watch.epoch(record)
            if saved is not None:
                _save(saved, state, processes)
                written = time.monotonic()
        if processes.any(interrupt.asked):  # while the last epoch was judged
            raise KeyboardInterrupt
    state.average.load_state_dict(state.best)
    return Trained(state.average, state.best_epoch, state.history)


def _batches(task: TrainingTask, recipe: Recipe, epoch: int) -> list[IntArray]:
    return epoch_batches(len(task.train), recipe.batch_size, seed=task.seed, epoch=epoch)


def _set_mode(network: Any, recipe: Recipe) -> None:
    """Training mode; frozen blocks, and batch normalisation whose statistics are kept, stay as in prediction."""
    network.train()
    kept = [block for _, block in network.blocks()[: recipe.frozen_blocks]]
    if recipe.statistics == "kept":
        kept += [module for module in network.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    for module in kept:
        module.eval()


def _step(
    state: TrainingState,
    trained: torch.nn.Module,
    source: BatchSource,
    task: TrainingTask,
    recipe: Recipe,
    processes: Processes,
    batch: IntArray,
    steps: int,
) -> None:
    """One step of the optimiser over a batch that the processes share."""
    mine = task.train[share(batch, processes.rank, processes.count)]
    weights = class_weights(task.y[task.train], task.n_classes, recipe.balance)
    whole = float(weights[task.y[task.train[batch]]].sum())
    # dropout draws from here: the same whether the run was stopped before or not
    torch.manual_seed(int(np.random.SeedSequence([task.seed, 5, state.step, processes.rank]).generate_state(1)[0]))
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.lr * group["share"] * rate_at(state.step, steps, recipe.warm_up)
    state.optimizer.zero_grad(set_to_none=True)
    with memory_told(recipe.batch_size), _compiler_told():
        x = source.training(mine, state.epoch)
        with _precision(processes.device, recipe.precision):
            logits = trained(x)
        target = torch.from_numpy(task.y[mine]).to(logits.device)
        each = functional.cross_entropy(
            logits.float(), target, reduction="none", label_smoothing=recipe.label_smoothing
        )
        loss = (each * torch.from_numpy(weights).to(logits.device)[target]).sum() / whole
        # the mean of the processes' gradients is then that of the whole batch
        (loss * processes.count).backward()
    value = float(processes.sum(loss))
    parameters = [p for group in state.optimizer.param_groups for p in group["params"]]
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, recipe.clip))
    if not np.isfinite(value) or not np.isfinite(norm):
        raise TrainingError(_not_finite(state, task, batch, "loss" if np.isfinite(norm) else "gradient"))
    with memory_told(recipe.batch_size):
        state.optimizer.step()
    update_average(state.average, state.network, average_at(state.step, recipe.average))
    state.losses.append(value)
    state.step += 1
    state.batch += 1


def _judge(
    state: TrainingState, source: BatchSource, task: TrainingTask, recipe: Recipe, processes: Processes, steps: int
) -> EpochRecord:
    """Score the averaged network on the validation part, keep it when it is as good as any, begin the next epoch."""
    start = time.perf_counter()
    processes.agree(state.average)
    loss: float | None = None
    accuracy: float | None = None
    if len(task.validation):
        scores = score_rows(state.average, source, task.validation, processes, at_once=recipe.at_once)
        y = task.y[task.validation]
        accuracy = float((scores.argmax(axis=1) == y).mean())
        loss, error = balanced_loss(scores, y)
        if loss < state.lowest_loss:
            state.lowest_loss, state.lowest_error = loss, error
    # the latest epoch whose loss is within a standard error of the lowest: a small validation part cannot tell such
    # epochs apart, and later ones have had more of the schedule (after the rule of Breiman et al., 1984)
    if loss is None or loss <= state.lowest_loss + state.lowest_error:
        state.best = {k: v.detach().cpu().clone() for k, v in state.average.state_dict().items()}
        state.best_epoch = state.epoch + 1
    record = EpochRecord(
        epoch=state.epoch + 1,
        loss=float(np.mean(state.losses)),
        validation_loss=loss,
        validation_accuracy=accuracy,
        rate=recipe.lr * rate_at(state.step - 1, steps, recipe.warm_up),
        seconds=round(state.seconds + time.perf_counter() - start, 3),
        images_per_second=round(len(task.train) / max(state.seconds, 1e-9), 2),
    )
    state.history.append(record)
    state.epoch, state.batch, state.losses, state.seconds = state.epoch + 1, 0, [], 0.0
    return record


def _exhausted(state: TrainingState, recipe: Recipe) -> bool:
    """Whether the validation loss has been worse than the lowest for long."""
    return state.best_epoch > 0 and state.epoch - state.best_epoch >= max(2, round(recipe.patience * recipe.epochs))


@contextlib.contextmanager
def _precision(device: torch.device, precision: str) -> Iterator[None]:
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
        yield


@contextlib.contextmanager
def _compiler_told() -> Iterator[None]:
    """Turn what torch's compiler cannot do into a message; it first works when the network is first run."""
    try:
        yield
    except TorchDynamoException as error:
        raise TrainingError(
            f"torch cannot compile the network here: {str(error).splitlines()[0]}. Leave --compile out (a C++ compiler "
            "is needed on a processor)"
        ) from error


def _not_finite(state: TrainingState, task: TrainingTask, batch: IntArray, what: str) -> str:
    shown = ", ".join(str(name) for name in task.names[task.train[batch[:3]]])
    return (
        f"the {what} is not a finite number in epoch {state.epoch + 1}, batch {state.batch + 1} ({len(batch)} images: "
        f"{shown}, ...). The checkpoint before it is kept. Look at these images; or train into another --out with a "
        "smaller --lr, since --resume repeats what was done"
    )


def _save(saved: Saved, state: TrainingState, processes: Processes) -> None:
    # no waiting for each other here: what a process writes at a time of its own must not stop the others
    if processes.main:
        save_state(saved.file, state, saved.fingerprint)
