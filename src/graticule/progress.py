"""How a verb tells of its progress."""

from typing import Protocol


class Reporter(Protocol):
    """How a job tells of its progress; the command line draws bars, the Python API is silent by default."""

    def step(self, text: str) -> None:
        """A new step has begun."""

    def begin(self, text: str, total: int) -> None:
        """A step of `total` items has begun."""

    def advance(self, done: int) -> None:
        """`done` items of the step are finished."""

    def note(self, text: str) -> None:
        """Something worth a line of its own, which stays."""


class Silent:
    """A reporter that says nothing."""

    def step(self, text: str) -> None:
        """Ignored."""

    def begin(self, text: str, total: int) -> None:
        """Ignored."""

    def advance(self, done: int) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""
