"""Run an ONNX network over batches of pixels, on the processor or on another device."""

import contextlib
import functools
import io
import re
import threading

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state

from graticule.errors import OptionError
from graticule.networks.devices import CPU, Device
from graticule.networks.options import VIEWS

# what ONNX Runtime raises; its own errors have no common base
RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    MemoryError,
    *(
        kind
        for kind in vars(onnxruntime_pybind11_state).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
)
_NO_MEMORY = re.compile(
    r"out.?of.?memory|allocat|bad_alloc|not enough memory|insufficient memory|8007000E|_ALLOC_FAILED", re.IGNORECASE
)
_LONGEST = 200


class Network:
    """An ONNX Runtime session whose `features` may be called from several threads at once.

    On the processor each call uses one core: parallelism comes from calling threads, so that no core waits for another
    inside a layer and decoding workers can share the cores. Results do not depend on batch size, order or threads.

    Another device works on one batch at a time, filled up to always the same size, so that the features of a picture
    do not depend on how many stand beside it. Where its memory is too little the batches are halved; where it fails
    altogether the processor goes on, and the device's notes say so.

    Parameters
    ----------
    model : bytes
        An ONNX model with input "pixels" (uint8, N x H x W x 3).
    output : str
        Name of the output to return.
    device : Device
    shared_arena : bool
        Take memory from the process's arena, which `limit_arena` bounds, instead of an own one.
    """

    def __init__(
        self, model: bytes, output: str = "features", device: Device = CPU, *, shared_arena: bool = False
    ) -> None:
        self._output, self._device = output, device
        self._lock = threading.Lock()
        self._far: onnxruntime.InferenceSession | None = None
        if not device.is_cpu:
            try:
                self._far = _opened(model, device)
            except RUNTIME_ERRORS as error:
                device.leave_closed(_in_one_line(error))
        self._near = _on_cpu(model, shared_arena=shared_arena) if self._far is None else None
        self._model = b"" if self._far is None else model  # large, so kept only for what may be made of it later

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Output for a batch of uint8 pixels of shape (N, H, W, 3)."""
        far = self._far
        if far is not None:
            with self._lock:
                found = self._elsewhere(far, pixels)
            if found is not None:
                return found
        return self._run(self._here(), pixels)

    def averaged(self, pixels: NDArray[np.uint8], views: int) -> NDArray[np.float32]:
        """Output averaged over the symmetries of the square.

        Parameters
        ----------
        pixels : uint8 array, shape (N, S, S, 3)
        views : 1, 4 or 8
            1: as it is; 4: quarter turns; 8: quarter turns of the picture and of its mirror image.

        Raises
        ------
        OptionError
            For another number of views.
        """
        if views not in VIEWS:
            raise OptionError(f"--views {views} is not possible; allowed: {', '.join(map(str, VIEWS))}")
        total = np.zeros((), np.float64)
        for view in range(views):
            turned = np.rot90(pixels, view % 4, axes=(1, 2))
            total = total + self(turned[:, :, ::-1] if view >= 4 else turned)
        return (total / views).astype(np.float32)

    def _run(self, session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = session.run([self._output], {"pixels": np.ascontiguousarray(pixels)})[0]
        return result

    def _here(self) -> onnxruntime.InferenceSession:
        """The session of the processor, made when it is needed."""
        with self._lock:
            self._far = None
            if self._near is None:
                self._near = _on_cpu(self._model)
            return self._near

    def _elsewhere(self, far: onnxruntime.InferenceSession, pixels: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Output by the device in batches of its size; None when it gave up."""
        while not self._device.lost:
            try:
                return self._in_batches(far, pixels)
            except RUNTIME_ERRORS as error:
                if _NO_MEMORY.search(str(error)) and self._device.batch > 1:
                    self._device.halve()
                else:
                    self._device.give_up(_in_one_line(error))
        return None

    def _in_batches(self, session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = self._device.batch
        parts = []
        for start in range(0, len(pixels), size):
            part = pixels[start : start + size]
            filled = np.zeros((size, *pixels.shape[1:]), np.uint8)
            filled[: len(part)] = part
            parts.append(self._run(session, filled)[: len(part)])
        return np.concatenate(parts)


def _on_cpu(model: bytes, *, shared_arena: bool = False) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if shared_arena:
        options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _opened(model: bytes, device: Device) -> onnxruntime.InferenceSession:
    """The session of a device.

    Raises
    ------
    RuntimeError, or another of `RUNTIME_ERRORS`
        When it cannot be used.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.use_deterministic_compute = True
    options.enable_mem_pattern = False  # DirectML does not take it
    provider, settings = device.provider()
    if provider == "CUDAExecutionProvider":
        _load_cuda()
    # without its own fallback, which is silent or prints
    session = onnxruntime.InferenceSession(model, options, providers=[(provider, settings)], enable_fallback=0)
    if provider not in session.get_providers():
        raise RuntimeError(
            f"{provider} is installed, but does not work here; what it lacks, such as a driver or a library, ONNX "
            "Runtime says above"
        )
    return session


@functools.cache
def _load_cuda() -> None:
    """Let ONNX Runtime find the libraries of CUDA that came with torch; what lacks is told when it is used."""
    load = getattr(onnxruntime, "preload_dlls", None)  # from 1.21
    if load is not None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(RuntimeError, OSError):
            load()


def _in_one_line(error: Exception) -> str:
    """What ONNX Runtime says, without its lines and colours, and not all of it."""
    words = " ".join(str(error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in words)[:_LONGEST]


def limit_arena(most: int) -> None:
    """Bound the memory of sessions that share the process's arena, in bytes; for a whole process, once."""
    kind, place = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, place)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": most}))
