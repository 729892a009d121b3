"""One process or several (torchrun): who does which part, and how they agree. Wraps accelerate.

Start several with `torchrun --nproc_per_node N -m graticule train ...`; without it there is one.
"""

import atexit
import os
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from accelerate.utils import gather_object
from numpy.typing import NDArray

from graticule.errors import OptionError

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_PATIENCE = timedelta(days=2)  # one process may decode for hours while the others wait for it


class Processes:
    """The processes that train together.

    Parameters
    ----------
    device : "auto", "cpu", "cuda", "cuda:N" or "mps"
        With "auto" a GPU is taken where there is one.

    Raises
    ------
    OptionError
        When the device is unknown or not there, or fewer processes came up than were started.
    """

    def __init__(self, device: str = "auto") -> None:
        started = int(os.environ.get("WORLD_SIZE", "1"))
        _check_device(device, started)
        self._accelerator: Any = None
        self.count, self.rank = 1, 0
        self.device = torch.device(_best_device() if device == "auto" else device)
        if started > 1:
            self._accelerator = Accelerator(
                cpu=device == "cpu", mixed_precision="no", kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)]
            )
            atexit.register(_leave)
            self.device = self._accelerator.device
            self.count, self.rank = int(self._accelerator.num_processes), int(self._accelerator.process_index)
        if self.count != started:
            raise OptionError(
                f"{started} processes were started, but {self.count} found each other; start them with "
                f"torchrun --nproc_per_node {started} -m graticule train ..."
            )

    @property
    def main(self) -> bool:
        """Whether this is the process that writes files and reports."""
        return self.rank == 0

    @property
    def gpu(self) -> bool:
        """Whether the work is done on a GPU."""
        return str(self.device.type) != "cpu"

    @property
    def bfloat16(self) -> bool:
        """Whether the work is done on a GPU that computes in bfloat16 itself; older ones imitate it slowly."""
        return bool(self.device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False))

    def trained(self, network: torch.nn.Module) -> torch.nn.Module:
        """The network as training calls it: gradients are averaged over the processes.

        On GPUs its batch normalisation should have been synchronised (`Classifier.synchronise`).
        """
        if self.count == 1:
            return network
        prepared: torch.nn.Module = self._accelerator.prepare_model(network)
        return prepared

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """The sum of a number over the processes."""
        total = value.detach().clone()
        if self.count > 1:
            torch.distributed.all_reduce(total)
        return total

    def any(self, mine: bool) -> bool:
        """Whether it holds in any process."""
        return mine if self.count == 1 else bool(self.sum(torch.tensor(float(mine), device=self.device)) > 0)

    def wait(self) -> None:
        """Go on when all have come this far."""
        if self.count > 1:
            self._accelerator.wait_for_everyone()

    def on_main_first(self, work: Callable[[], Any]) -> Any:
        """Do the same in every process, in the main one first, so that the others find what it left."""
        if self.count == 1:
            return work()
        with self._accelerator.main_process_first():
            return work()

    def all_rows(self, rows: NDArray[np.int64], values: NDArray[Any], n: int) -> NDArray[Any]:
        """Put together what each process computed for some of n rows.

        Raises
        ------
        RuntimeError
            When a row was computed by none or by two.
        """
        parts = [(rows, values)] if self.count == 1 else gather_object([(rows, values)])
        whole = np.zeros((n, *values.shape[1:]), values.dtype)
        times = np.zeros(n, np.int64)
        for mine, found in parts:
            whole[mine] = found
            np.add.at(times, mine, 1)
        if (times != 1).any():
            raise RuntimeError("rows were computed by none or by two of the processes")
        return whole

    def agree(self, network: torch.nn.Module) -> None:
        """Give the buffers of the main process (means of batch normalisation) to all."""
        if self.count > 1:
            for buffer in network.buffers():
                torch.distributed.broadcast(buffer, src=0)


def _leave() -> None:
    """Leave the group of processes: its threads that outlive Python now and then abort the process."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _check_device(device: str, started: int) -> None:
    if _DEVICE.fullmatch(device) is None:
        raise OptionError(f"--device {device} is not known; allowed: auto, cpu, cuda, cuda:N, mps")
    kind, _, number = device.partition(":")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind, True):
        raise OptionError(f"--device {device}: torch finds no such device here; use --device auto or cpu")
    if number and int(number) >= torch.cuda.device_count():
        raise OptionError(f"--device {device}: torch finds {torch.cuda.device_count()} GPUs here, counted from 0")
    if number and started > 1:
        raise OptionError(f"--device {device} is one GPU, but {started} processes were started; leave --device out")
