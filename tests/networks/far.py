"""Another device for tests: a session that computes on the processor, and errs as it is told to."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from graticule.networks import devices, session
from graticule.networks.devices import Device

OUT_OF_MEMORY = "BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 1073741824"


class Far:
    """Provider "CUDAExecutionProvider" with room for so many images, an error in its features, and a life of so long.

    Attributes
    ----------
    most, off, calls : int, float, int
        Images for which there is memory; part by which its features are off; calls after which it fails, or -1.
    absent : str
        Why no session can be opened, or "".
    sizes : list of int
        Images of each call.
    """

    def __init__(self) -> None:
        self.most, self.off, self.calls, self.absent = 1000, 0.0, -1, ""
        self.sizes: list[int] = []

    def opened(self, model: bytes, device: Device) -> Far:
        if self.absent:
            raise Fail(self.absent)
        self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        return self

    def run(self, outputs: list[str], feeds: dict[str, np.ndarray]) -> list[Any]:
        n = len(feeds["pixels"])
        self.sizes.append(n)
        if n > self.most:
            raise Fail(OUT_OF_MEMORY)
        if 0 <= self.calls < len(self.sizes):
            raise Fail("CUDA failure 719: unspecified launch failure")
        (found,) = self._session.run(outputs, feeds)
        return [found * np.float32(1 + self.off)]


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Far:
    device = Far()
    monkeypatch.setattr(
        devices.onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(session, "_opened", device.opened)
    return device
