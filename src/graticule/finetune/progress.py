"""How fine-tuning tells of itself: one bar per network, a line per epoch, the time left, a warning when it is long."""

import time

from graticule.progress import Reporter
from graticule.training.state import EpochRecord

LONG = 3600.0
_SETTLED_STEPS, _SETTLED_SECONDS = 8, 10.0
_KEPT = 50
# what an objective logs beside its loss, for people
_FIGURES = {"accuracy": "accuracy {:.1f} %", "mae": "mean error {:.1f} % of a standard deviation"}


class Teller:
    """Watches the training of all networks of a run.

    Parameters
    ----------
    reporter : Reporter
    steps : int
        Training steps of the whole run, as planned.
    freezable : int
        How many blocks to propose for freezing when training takes long; 0: none.
    """

    def __init__(self, reporter: Reporter, steps: int, freezable: int = 0) -> None:
        self._reporter, self._steps, self._freezable = reporter, steps, freezable
        self._made = 0
        self._last = 0
        self._name = ""
        self._times: list[float] = []
        self._clock = 0.0
        self._warned = False

    def fold(self, number: int, folds: int) -> None:
        """The network of a fold (from 0) comes next."""
        self._name = f"fold {number + 1} of {folds}" if folds > 1 else "network"

    def finished(self, number: int, folds: int, seconds: float) -> None:
        """A fold that was trained in a process of its own is finished."""
        self._reporter.note(f"fold {number + 1} of {folds} finished after {duration(seconds)}")

    def refit(self) -> None:
        """The shipped network comes next."""
        self._name = "shipped network"

    def step(self, done: int, steps: int, loss: float) -> None:
        """See `graticule.training.loop.Watch`."""
        now = time.monotonic()
        if done <= self._last or self._last == 0:
            self._reporter.begin(f"training {self._name}: steps", steps)
            self._clock = 0.0
        self._made += 1
        self._last = done if done < steps else 0
        if self._clock:
            self._times = [*self._times[-_KEPT:], now - self._clock]
        self._clock = now
        self._reporter.advance(done)
        settled = len(self._times) >= _SETTLED_STEPS and sum(self._times) >= _SETTLED_SECONDS
        if settled and not self._warned:
            self._warned = True
            self._estimate()

    def epoch(self, record: EpochRecord) -> None:
        """See `graticule.training.loop.Watch`."""
        judged = ""
        loss = record.validation["loss"]
        if loss is not None:
            judged = f", validation loss {loss:.3f}"
            for name, words in _FIGURES.items():
                figure = record.validation.get(name)
                judged += "" if figure is None else f", {words.format(100 * figure)}"
        left = self.seconds_left()
        more = f", about {duration(left)} left" if left else ""
        self._reporter.note(
            f"{self._name}, epoch {record.epoch}: loss {record.loss:.3f}{judged}, {record.seconds:.0f} s, "
            f"{record.images_per_second:.1f} images/s{more}"
        )

    def stop(self) -> bool:
        """Never; Ctrl-C is seen by the loop itself."""
        return False

    def seconds_left(self) -> float | None:
        """Estimate for the whole run; None before the first steps."""
        if not self._times:
            return None
        # the median: a step that writes a checkpoint or waits for another program says nothing
        typical = sorted(self._times)[len(self._times) // 2]
        return max(0, self._steps - self._made) * typical

    def _estimate(self) -> None:
        left = self.seconds_left() or 0.0
        text = f"training will take about {duration(left)} in all"
        if left > LONG:
            frozen = f"--frozen-blocks {self._freezable} (the first half of the network keeps its weights), "
            text += (
                f". Cheaper: {frozen if self._freezable else ''}a smaller --input-size or --epochs, "
                "--folds 1 --test-size 0.2, or --method features. Ctrl-C stops; --resume goes on"
            )
        self._reporter.note(text)


def duration(seconds: float) -> str:
    """A time for people: "40 s", "12 min", "1 h 25 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
