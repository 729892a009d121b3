"""Run an ONNX network over batches of pixels on the CPU."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from graticule.errors import OptionError
from graticule.networks.options import VIEWS


class Network:
    """An ONNX Runtime session whose `features` may be called from several threads at once.

    Each call uses one core: parallelism comes from calling threads, so that no core waits for another inside a layer
    and decoding workers can share the cores. Results do not depend on batch size, order or threads.

    Parameters
    ----------
    model : bytes
        An ONNX model with input "pixels" (uint8, N x H x W x 3).
    output : str
        Name of the output to return.
    shared_arena : bool
        Take memory from the process's arena, which `limit_arena` bounds, instead of an own one.
    """

    def __init__(self, model: bytes, output: str = "features", *, shared_arena: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if shared_arena:
            options.add_session_config_entry("session.use_env_allocators", "1")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._output = output

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Output for a batch of uint8 pixels of shape (N, H, W, 3)."""
        result: NDArray[np.float32] = self._session.run([self._output], {"pixels": np.ascontiguousarray(pixels)})[0]
        return result

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


def limit_arena(most: int) -> None:
    """Bound the memory of sessions that share the process's arena, in bytes; for a whole process, once."""
    kind, place = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, place)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": most}))
