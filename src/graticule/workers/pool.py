"""Apply a pure function to files in worker processes with limits: no file that a user gave is decoded anywhere else.

    for uri in in_workers(thumbnail_of, files, lambda cause: None): ...

A worker that ends by itself or is killed costs only itself. The file that it held is tried again while no other
worker is busy; one that ends its worker again is given up and named, the others are kept. So the answer depends
neither on the number of workers nor on what else the machine does.

"""

import itertools
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from typing import Self, TypeVar

from graticule.workers.crew import Batch, Crew
from graticule.workers.main_guard import check_main_guard
from graticule.workers.process import FileLimits

Item = TypeVar("Item")
Result = TypeVar("Result")

LIMITS = FileLimits()


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_workers(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    lost: Callable[[str], Result],
    *,
    workers: int | None = None,
    at_once: int = 4,
    limits: FileLimits = LIMITS,
) -> Generator[Result, None, None]:
    """Results of a function over items, in their order, computed in worker processes; see `WorkerPool`.

    Parameters
    ----------
    function, lost
        See `WorkerPool.submit`.
    items : iterable
        Taken as they are needed; none: no process is started.
    workers : int, optional
        Processes, default the cores available.
    at_once : int
        Items that a worker is handed together, >= 1; results do not depend on it.
    limits : FileLimits
        Of one item.
    """
    with WorkerPool(workers or available_cores(), limits=limits) as pool:
        yield from pool.map(function, items, lost, at_once=at_once)


class WorkerPool:
    """Worker processes, started as work comes in. Use as a context manager; safe for several threads.

    Parameters
    ----------
    workers : int
        Processes at most, at least 1.
    limits : FileLimits
        Of one item.

    Raises
    ------
    OptionError
        When the running script has no main guard, see `check_main_guard`.
    """

    def __init__(self, workers: int, *, limits: FileLimits = LIMITS) -> None:
        check_main_guard()
        self._most = workers
        self._crew = Crew(workers, limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(
        self, function: Callable[[Item], Result], items: Sequence[Item], lost: Callable[[str], Result]
    ) -> Future[list[Result]]:
        """Start applying a function to some items.

        Parameters
        ----------
        function : picklable function of an item
            Pure. An `ImageError` or a lack of memory is an answer about the item; any other exception ends the whole.
        items : sequence of n picklable objects
        lost : function
            From the cause, in words, to the result that stands for an item that gave none: its file cannot be read,
            or ended its worker, or takes more than its limits.

        Returns
        -------
        Future of a list of n results
            Its errors: OptionError when workers cannot start; errors of the user and of the system as the function
            raised them; RuntimeError with the worker's traceback for a defect; CancelledError when the pool was closed.
        """
        job = Batch(function, list(items), lost)
        job.future.set_running_or_notify_cancel()
        self._crew.take(job)
        return job.future

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[str], Result],
        *,
        at_once: int = 4,
    ) -> Generator[Result, None, None]:
        """Results in the order of the items; only a few are under way, so that memory stays bounded."""
        pending: deque[Future[list[Result]]] = deque()
        source = iter(items)
        while chunk := list(itertools.islice(source, at_once)):
            pending.append(self.submit(function, chunk, lost))
            while len(pending) > 3 * self._most:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()

    def close(self) -> None:
        """End the workers at once; what is not finished is cancelled."""
        self._crew.dismiss()
