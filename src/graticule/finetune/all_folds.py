"""The folds of fine-tuning: one after the other, or one per GPU where this machine has several."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event

import torch

from graticule.errors import TrainingError
from graticule.finetune.fold import Campaign, Finished, finished_fold
from graticule.finetune.goal import FoldRows
from graticule.finetune.progress import Teller
from graticule.training.processes import Processes
from graticule.training.state import EpochRecord
from graticule.workers.ends import children_shielded_from_ctrl_c
from graticule.workers.main_guard import check_main_guard
from graticule.workers.process import end_with_parent

_processes: Processes | None = None
_stopped: Event | None = None


class _Quiet:
    """A watch in a process of its own, whose folds are told of when they are finished."""

    def step(self, done: int, steps: int, loss: float) -> None:
        """Ignored."""

    def epoch(self, record: EpochRecord) -> None:
        """Ignored."""

    def stop(self) -> bool:
        """Whether another fold failed, or Ctrl-C was pressed."""
        return _stopped is not None and _stopped.is_set()


def train_folds(campaign: Campaign, parts: Sequence[FoldRows], processes: Processes, teller: Teller) -> list[Finished]:
    """Train every fold and score what it held out.

    Parameters
    ----------
    campaign : Campaign
    parts : sequence of FoldRows
        One entry per fold.
    processes : Processes
        With several processes or one device, they all work on one fold after the other.
    teller : Teller
    """
    devices = _gpus() if processes.count == 1 and campaign.options.device == "auto" else []
    if len(devices) > 1 and len(parts) > 1:
        return train_apart(campaign, parts, devices, processes, teller)
    finished = []
    for fold, rows in enumerate(parts):
        teller.fold(fold, len(parts))
        finished.append(finished_fold(campaign, processes, fold_name(fold), rows, teller))
    return finished


def train_apart(
    campaign: Campaign, parts: Sequence[FoldRows], devices: Sequence[str], processes: Processes, teller: Teller
) -> list[Finished]:
    """Train the folds at the same time, each on one of the devices ("cuda:0", ...), in a process per device."""
    check_main_guard()
    context = multiprocessing.get_context("spawn")
    free, stopped = context.Queue(), context.Event()
    for device in devices:
        free.put(device)
    pool = ProcessPoolExecutor(len(devices), mp_context=context, initializer=_begin, initargs=(free, stopped))
    with children_shielded_from_ctrl_c():  # they are told to stop by `stopped`
        running = [pool.submit(_one, campaign, fold_name(fold), rows) for fold, rows in enumerate(parts)]
    finished = []
    try:
        for fold, future in enumerate(running):
            future.result()
            finished.append(finished_fold(campaign, processes, fold_name(fold), parts[fold], teller))
            teller.finished(fold, len(parts), finished[-1].seconds)
    except BrokenProcessPool as error:
        raise TrainingError(
            "a process that trained a fold was ended from outside, as systems do when memory runs out. Finished folds "
            "are kept: repeat the command with --resume, on fewer GPUs (CUDA_VISIBLE_DEVICES) or one (--device cuda:0)"
        ) from error
    finally:
        # after a failure or Ctrl-C no further fold begins; those at work write a checkpoint and stop
        stopped.set()
        pool.shutdown(cancel_futures=True)
    return finished


def fold_name(fold: int) -> str:
    """Name of a fold's files in the work folder."""
    return f"fold-{fold}"


def _gpus() -> list[str]:
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]


def _begin(free: Queue[str], stopped: Event) -> None:
    """Take a device for this process."""
    global _processes, _stopped
    threading.Thread(target=end_with_parent, daemon=True).start()
    _processes, _stopped = Processes(free.get()), stopped


def _one(campaign: Campaign, name: str, rows: FoldRows) -> None:
    if _processes is None or _stopped is None:
        raise RuntimeError("this process has no device")
    if not _stopped.is_set():
        finished_fold(campaign, _processes, name, rows, _Quiet())
