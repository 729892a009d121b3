"""The training loop, for whatever objective: steps, moving average, the epoch kept, checkpoints, interruption.

    rows ── Objective ──> batch ── network ──> loss ──> gradients ──> AdamW ──> moving average ── judged each epoch

Everything random is drawn from seed, epoch, step and sample: a run that was stopped goes on to the same weights.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch._dynamo.exc import TorchDynamoException

from graticule.arrays import IntArray
from graticule.errors import TrainingError
from graticule.training.interrupt import Interrupt
from graticule.training.memory import memory_told
from graticule.training.objective import Objective, Trainee
from graticule.training.order import epoch_batches, share
from graticule.training.processes import Processes
from graticule.training.schedule import Schedule, average_at, rate_at
from graticule.training.state import EpochRecord, TrainingState, begin, restore_state, save_state, update_average

CHECKPOINT_SECONDS = 180.0


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
    network : torch.nn.Module
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
    trainee: Trainee,
    objective: Objective,
    schedule: Schedule,
    processes: Processes,
    *,
    watch: Watch | None = None,
    saved: Saved | None = None,
    until: int | None = None,
) -> Trained:
    """Train a network.

    Parameters
    ----------
    trainee : Trainee
        On the device of `processes`; its network is changed.
    objective : Objective
    schedule : Schedule
    processes : Processes
    watch : Watch, optional
    saved : Saved, optional
        Where to write checkpoints; without it there are none.
    until : int, optional
        Stop after so many epochs of the schedule.

    Raises
    ------
    TrainingError
        When the loss is not finite, memory does not suffice, or the checkpoint is damaged or of another run.
    KeyboardInterrupt
        After Ctrl-C or a request to end (SIGTERM), once a checkpoint is written.
    """
    state = begin(trainee, schedule)
    if saved is not None and saved.file.exists():
        restore_state(saved.file, state, saved.fingerprint)
    called = processes.trained(trainee.called)
    if schedule.compile:
        called = torch.compile(called)
    steps = schedule.epochs * len(_batches(objective, schedule, 0))
    last = schedule.epochs if until is None else min(until, schedule.epochs)
    written = time.monotonic()
    with Interrupt() as interrupt:
        while state.epoch < last and not _exhausted(state, schedule):
            batches = _batches(objective, schedule, state.epoch)
            trainee.begin_epoch()
            while state.batch < len(batches):
                start = time.perf_counter()
                _step(state, called, objective, schedule, processes, batches[state.batch], steps)
                state.seconds += time.perf_counter() - start
                if watch is not None:
                    watch.step(state.step, steps, state.losses[-1])
                stop = processes.any(interrupt.asked or (watch is not None and watch.stop()))
                if saved is not None and (stop or time.monotonic() - written > CHECKPOINT_SECONDS):
                    _save(saved, state, processes)
                    written = time.monotonic()
                if stop:
                    raise KeyboardInterrupt
            record = _judge(state, objective, schedule, processes, steps)
            if watch is not None:
                watch.epoch(record)
            if saved is not None:
                _save(saved, state, processes)
                written = time.monotonic()
        if processes.any(interrupt.asked):  # while the last epoch was judged
            raise KeyboardInterrupt
    state.average.load_state_dict(state.best)
    return Trained(state.average, state.best_epoch, state.history)


def _batches(objective: Objective, schedule: Schedule, epoch: int) -> list[IntArray]:
    return epoch_batches(len(objective.train), schedule.batch_size, seed=objective.seed, epoch=epoch)


def _step(
    state: TrainingState,
    called: torch.nn.Module,
    objective: Objective,
    schedule: Schedule,
    processes: Processes,
    batch: IntArray,
    steps: int,
) -> None:
    """One step of the optimiser over a batch that the processes share."""
    mine = objective.train[share(batch, processes.rank, processes.count)]
    whole = float(objective.weights(objective.train[batch]).sum())
    # dropout draws from here: the same whether the run was stopped before or not
    key = [objective.seed, 5, state.step, processes.rank]
    torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
    for group in state.optimizer.param_groups:
        group["lr"] = schedule.lr * group["share"] * rate_at(state.step, steps, schedule.warm_up)
    state.optimizer.zero_grad(set_to_none=True)
    with memory_told(schedule.batch_size), _compiler_told():
        inputs, target = objective.shown(mine, state.epoch)
        with _precision(processes.device, schedule.precision):
            output = called(*inputs)
        each = objective.losses(output.float(), target)
        loss = (each * torch.from_numpy(objective.weights(mine)).to(each.device)).sum() / whole
        # the mean of the processes' gradients is then that of the whole batch
        (loss * processes.count).backward()
    value = float(processes.sum(loss))
    parameters = [p for group in state.optimizer.param_groups for p in group["params"]]
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, schedule.clip))
    if not np.isfinite(value) or not np.isfinite(norm):
        raise TrainingError(_not_finite(state, objective, batch, "loss" if np.isfinite(norm) else "gradient"))
    with memory_told(schedule.batch_size):
        state.optimizer.step()
    update_average(state.average, state.network, average_at(state.step, schedule.average))
    state.losses.append(value)
    state.step += 1
    state.batch += 1


def _judge(
    state: TrainingState, objective: Objective, schedule: Schedule, processes: Processes, steps: int
) -> EpochRecord:
    """Judge the averaged network, keep it when it is as good as any, begin the next epoch."""
    start = time.perf_counter()
    processes.agree(state.average)
    found = objective.judge(state.average, processes)
    if found.loss is not None and found.loss < state.lowest_loss:
        state.lowest_loss, state.lowest_error = found.loss, found.error
    # the latest epoch whose loss is within a standard error of the lowest: a small validation part cannot tell such
    # epochs apart, and later ones have had more of the schedule (after the rule of Breiman et al., 1984)
    if found.loss is None or found.loss <= state.lowest_loss + state.lowest_error:
        state.best = {k: v.detach().cpu().clone() for k, v in state.average.state_dict().items()}
        state.best_epoch = state.epoch + 1
    record = EpochRecord(
        epoch=state.epoch + 1,
        loss=float(np.mean(state.losses)),
        validation={"loss": found.loss, **found.figures},
        rate=schedule.lr * rate_at(state.step - 1, steps, schedule.warm_up),
        seconds=round(state.seconds + time.perf_counter() - start, 3),
        images_per_second=round(len(objective.train) / max(state.seconds, 1e-9), 2),
    )
    state.history.append(record)
    state.epoch, state.batch, state.losses, state.seconds = state.epoch + 1, 0, [], 0.0
    return record


def _exhausted(state: TrainingState, schedule: Schedule) -> bool:
    """Whether the validation loss has been worse than the lowest for long."""
    return state.best_epoch > 0 and state.epoch - state.best_epoch >= max(2, round(schedule.patience * schedule.epochs))


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


def _not_finite(state: TrainingState, objective: Objective, batch: IntArray, what: str) -> str:
    shown = ", ".join(str(name) for name in objective.names[objective.train[batch[:3]]])
    return (
        f"the {what} is not a finite number in epoch {state.epoch + 1}, batch {state.batch + 1} ({len(batch)} images: "
        f"{shown}, ...). The checkpoint before it is kept. Look at these images; or train into another --out with a "
        "smaller --lr, since --resume repeats what was done"
    )


def _save(saved: Saved, state: TrainingState, processes: Processes) -> None:
    # no waiting for each other here: what a process writes at a time of its own must not stop the others
    if processes.main:
        save_state(saved.file, state, saved.fingerprint)
