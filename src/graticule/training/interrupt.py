"""Ctrl-C and SIGTERM while a network is trained: the step under way is finished first, then the state is written."""

import signal
import threading
from types import FrameType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Within this context a request to stop sets `asked`; a second Ctrl-C stops at once. Main thread only."""

    def __init__(self) -> None:
        self.asked = False
        self._raised = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
        elif not self._raised:  # a third one must not break what the second is tidying up
            self._raised = True
            raise KeyboardInterrupt
