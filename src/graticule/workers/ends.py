"""How worker processes end: by themselves, by a signal, by a limit; and what that says of the file that they held."""

import multiprocessing.resource_tracker
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from graticule.errors import OptionError
from graticule.workers.main_guard import UNGUARDED, script_name, unguarded
from graticule.workers.process import LATE, FileLimits

# tries of a file whose worker ends: of a decoder that fails by itself, and of a worker that is killed from outside
_TRIES = 2
_TRIES_KILLED = 4
_STARTS = 20
_KILLED = tuple(
    getattr(signal, name) for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT") if hasattr(signal, name)
)


@dataclass(frozen=True)
class End:
    """The end of a worker process.

    Attributes
    ----------
    code : int
        Exit code; below 0 the number of the signal.
    late : bool
        Whether the pool ended it because a file took far too long on the clock.
    """

    code: int
    late: bool = False

    @property
    def tries(self) -> int:
        """How often a file is tried in all, when its workers end like this."""
        return _TRIES_KILLED if -self.code in _KILLED and not self.late else _TRIES

    @property
    def words(self) -> str:
        """The exit code for people."""
        if self.code >= 0:
            return f"exit code {self.code}"
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"

    def cause(self, limits: FileLimits) -> str:
        """Why the file that it held cannot be read."""
        if self.late:
            return f"was not read within {limits.wall_seconds:g} s"
        if self.code == LATE or (hasattr(signal, "SIGPROF") and self.code == -signal.SIGPROF):
            return f"took longer than {limits.seconds:g} s of processor time to decode"
        if -self.code in _KILLED:
            return (
                f"its worker process was killed {self.tries} times ({self.words}), lastly while it read this file "
                "alone, as systems do when memory runs out"
            )
        return f"the decoder crashed on this file ({self.words})"

    def check_start(self, times: int) -> None:
        """Whether a worker that ended before it was ready may be replaced, `times` of them in a row.

        Raises
        ------
        OptionError
            When it could not start, or too many were killed.
        """
        if self.code == UNGUARDED:
            raise unguarded(script_name())
        if self.code >= 0:
            raise OptionError(
                f"worker processes cannot start ({self.words}; what they said stands above). A script that starts "
                'them is imported by them: its calls must stand under `if __name__ == "__main__":`'
            )
        if times >= _STARTS:
            raise OptionError(
                f"worker processes are killed as they start ({self.words}, {times} times in a row), as systems do "
                "when memory runs out: choose fewer --workers, or end other programs"
            )


def cannot_start(error: OSError) -> OptionError:
    """The system has no room for another process."""
    return OptionError(f"worker processes cannot start: {error}. Choose fewer --workers, or end other programs")


def end_of(process: BaseProcess, *, late: bool = False) -> End:
    """How a process ended whose end of the pipe is closed; waits for it a little."""
    process.join(5)
    code = process.exitcode
    if code is None:  # it waits for a drive that does not answer, and ends when that does
        process.kill()
        return End(-9, late)
    process.close()
    return End(code, late)


@contextmanager
def children_shielded_from_ctrl_c() -> Iterator[None]:
    """What this thread starts meanwhile comes up with SIGINT blocked: Ctrl-C goes to a whole group of processes."""
    if sys.platform == "win32":
        yield
        return
    multiprocessing.resource_tracker.ensure_running()  # it would unblock the signal when it is started later
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
