"""The thread that hands work to worker processes, hears their answers, and buries those that end.

taken ──> waiting ──> a worker each ──> answers, file by file ──> future of the whole
             ^            │ ended
             └─ the rest ─┴─ the file it held ──> suspects: tried alone
"""

import itertools
import multiprocessing
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from graticule.errors import GraticuleError
from graticule.workers.ends import cannot_start, children_shielded_from_ctrl_c, end_of
from graticule.workers.process import FileLimits, serve


@dataclass(eq=False)
class Batch:
    """Items handed in together."""

    function: Callable[[Any], Any]
    items: Sequence[Any]
    lost: Callable[[str], Any]
    future: Future[list[Any]] = field(default_factory=Future)
    results: dict[int, Any] = field(default_factory=dict)
    deaths: Counter[int] = field(default_factory=Counter)

    def settle(self, place: int, result: Any) -> None:
        """Keep the result of one item; the last one gives the future its value."""
        self.results[place] = result
        if len(self.results) == len(self.items) and not self.future.done():
            self.future.set_result([self.results[i] for i in range(len(self.items))])

    def fail(self, error: BaseException) -> None:
        """Give up the whole."""
        if not self.future.done():
            self.future.set_exception(error)


_Place = tuple[Batch, int]


@dataclass(eq=False)
class _Worker:
    """A process and what it is to do, the first of which is under way."""

    process: BaseProcess
    link: Connection
    ready: bool = False
    alone: bool = False
    late: bool = False
    begun: float = 0.0
    todo: deque[_Place] = field(default_factory=deque)


class Crew:
    """Worker processes, started as work comes in, and the thread that talks with them. Safe for several threads.

    Parameters
    ----------
    most : int
        Processes at most, at least 1.
    limits : FileLimits
        Of one item.
    """

    def __init__(self, most: int, limits: FileLimits) -> None:
        self._most = most
        self._limits = limits
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._waiting: deque[list[_Place]] = deque()
        self._suspects: deque[_Place] = deque()
        self._new: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self._heard, self._bell = self._context.Pipe(duplex=False)
        self._lock = threading.Lock()
        self._closed = False
        self._failure: BaseException | None = None
        self._stillborn = 0
        self._thread: threading.Thread | None = None

    def take(self, job: Batch) -> None:
        """Begin with a batch, or fail it where the crew has been dismissed."""
        with self._lock:
            if self._closed:
                job.fail(self._failure or CancelledError())
            elif not job.items:
                job.future.set_result([])
            else:
                self._new.put(job)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="workers", daemon=True)
                    self._thread.start()
                self._ring()

    def dismiss(self) -> None:
        """End the workers at once; what is not finished is cancelled."""
        with self._lock:
            if not self._heard.closed:
                self._closed = True
                self._ring()
        if self._thread is not None:
            self._thread.join()
        self._heard.close()
        self._bell.close()

    def _ring(self) -> None:
        """Wake the thread that talks with the workers; called under the lock."""
        if not self._heard.poll():
            self._bell.send_bytes(b".")

    def _run(self) -> None:
        try:
            with children_shielded_from_ctrl_c():
                while not self._closed:
                    self._take_new()
                    self._hand_out()
                    self._listen()
        except (GraticuleError, OSError) as error:
            self._failure = error if isinstance(error, GraticuleError) else cannot_start(error)
        finally:
            self._end()

    def _take_new(self) -> None:
        with suppress(queue.Empty):
            while True:
                job = self._new.get_nowait()
                self._waiting.append([(job, place) for place in range(len(job.items))])

    def _hand_out(self) -> None:
        """Work for those that are ready, and more workers where there is more work; a suspect runs alone."""
        ready = sorted((worker for worker in self._workers if worker.ready), key=lambda worker: len(worker.todo))
        busy = [worker for worker in ready if worker.todo]
        if self._suspects or any(worker.alone for worker in busy):
            if busy:
                return
            if ready:
                ready[0].alone = True
                self._send(ready[0], [self._suspects.popleft()])
            elif not self._workers:
                self._start()
            return
        for worker in ready:
            # a worker at its last item gets the next ones already, so that it does not wait for this thread
            if self._waiting and len(worker.todo) <= 1:
                self._send(worker, self._waiting.popleft())
        starting = len(self._workers) - len(ready)
        for _ in range(min(self._most - len(self._workers), len(self._waiting) - starting)):
            self._start()

    def _send(self, worker: _Worker, places: list[_Place]) -> None:
        places = [(job, place) for job, place in places if not job.future.done()]
        if not places:
            return
        job = places[0][0]
        if not worker.todo:
            worker.begun = time.monotonic()
        worker.todo.extend(places)
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended, which is heard next
            worker.link.send((job.function, [job.items[place] for _, place in places]))

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._limits), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _listen(self) -> None:
        """Wait for a word from a worker, for new work, or for the time of a file to be up."""
        busy = [worker for worker in self._workers if worker.todo]
        first_due = min((worker.begun for worker in busy), default=None)
        patience = None if first_due is None else max(0.0, first_due + self._limits.wall_seconds - time.monotonic())
        by_link: dict[object, _Worker] = {worker.link: worker for worker in self._workers}
        for spoke in wait([self._heard, *(worker.link for worker in self._workers)], patience):
            if spoke is self._heard:
                self._heard.recv_bytes()
            else:
                self._hear(by_link[spoke])
        for worker in busy:
            if worker.todo and time.monotonic() > worker.begun + self._limits.wall_seconds:
                worker.late = True
                worker.process.kill()
                self._bury(worker)

    def _hear(self, worker: _Worker) -> None:
        try:
            answer = worker.link.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if answer is None:
            worker.ready, self._stillborn = True, 0
            return
        kind, content = answer
        job, place = worker.todo.popleft()
        worker.begun, worker.alone = time.monotonic(), False
        if kind == "error":
            content.add_note(f"while a worker had {job.items[place]!r}")
            job.fail(content)
        else:
            job.settle(place, content if kind == "value" else job.lost(content))

    def _bury(self, worker: _Worker) -> None:
        """A worker has ended: the item that it held becomes a suspect or is given up, the rest goes back."""
        self._workers.remove(worker)
        worker.link.close()
        end = end_of(worker.process, late=worker.late)
        if not worker.ready:
            self._stillborn += 1
            end.check_start(self._stillborn)
        if not worker.todo:
            return
        job, place = worker.todo.popleft()
        for other, places in itertools.groupby(reversed(worker.todo), key=lambda entry: entry[0]):
            self._waiting.appendleft([(other, number) for _, number in places][::-1])
        worker.todo.clear()
        job.deaths[place] += 1
        if job.deaths[place] < end.tries:
            self._suspects.append((job, place))
        else:
            job.settle(place, job.lost(end.cause(self._limits)))

    def _end(self) -> None:
        """End all workers and give up what is not finished."""
        with self._lock:
            self._closed = True
            self._take_new()
        left = [place for places in self._waiting for place in places] + list(self._suspects)
        for worker in self._workers:
            worker.process.kill()
            left += worker.todo
        for job, _ in left:
            job.fail(self._failure or CancelledError())
        for worker in self._workers:
            end_of(worker.process)
            worker.link.close()
