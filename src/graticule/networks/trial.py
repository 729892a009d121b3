"""A trial of a network that others may have made: one grey picture, in a process with bounds on memory and time.

Few bytes of ONNX can ask for any amount of memory, or compute for days, already while the runtime prepares them. No
reading of the graph foresees all of it, so it is tried where it can do no harm: the child refuses to grow beyond a
stated memory (the system's limit where there is one, and the runtime's own), its processor time is bounded, and when it
dies, only it dies.
"""

import json
import math
import os
import subprocess
import sys
from typing import Any, BinaryIO

import numpy as np

from graticule.errors import BundleError
from graticule.networks.session import RUNTIME_ERRORS, Network, limit_arena

# beside the network itself, which takes part of it several times over: as bytes, parsed, and laid out for the processor
_MEMORY = 512 * 2**20
_COPIES = 5
_SECONDS = 2.5
_SECONDS_PER_BYTE = 20e-9
# wall time, for a machine on which many others want the processor
_PATIENCE = 20
_IMAGES = 2
_GREY = 128
_TOLERANCE = 1e-3
_FAULTS: tuple[type[Exception], ...] = (*RUNTIME_ERRORS, IndexError, TypeError)
_CODE = "from graticule.networks.trial import main; main()"


def try_network(model: bytes, output: str, size: int) -> int:
    """Run a network once on two equal grey pictures in a process of its own; returns the length of its features.

    Parameters are those of `graticule.networks.graph_check.check_graph`.

    Raises
    ------
    BundleError
        When it cannot be run, needs more memory or time than a network of its size should, or its answer is no finite
        vector per picture.
    """
    seconds = _SECONDS + _SECONDS_PER_BYTE * len(model)
    task = {"output": output, "size": size, "bytes": len(model), "seconds": math.ceil(seconds)}
    if getattr(sys, "frozen", False) or not sys.executable:
        found = _answer(model, task)  # no interpreter to start: without the bounds
    else:
        found = _in_child(model, task, seconds * _PATIENCE)
    if "fault" in found:
        raise BundleError(f"its network model.onnx cannot be run: {found['fault']}")
    return int(found["n_features"])


def _in_child(model: bytes, task: dict[str, Any], patience: float) -> dict[str, Any]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    # as many threads as there is work: none; their stacks would count as memory
    environment = os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    # -P: no module is taken from the folder where the user happens to be
    command = [sys.executable, "-P", "-c", _CODE, json.dumps(task)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=os.name == "posix",
    ) as process:
        try:
            out, _ = process.communicate(model, timeout=patience)
        except subprocess.TimeoutExpired:
            return {"fault": f"it did not end within {patience:.0f} s"}
        finally:
            process.kill()
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        return {"fault": f"the trial of it died (exit code {process.returncode}): too much memory, time, or a crash"}
    return found


def main() -> None:
    """Entry point of the child: the task as an argument, the network on standard input, the answer on output."""
    task = json.loads(sys.argv[1])
    _bound(_memory(task), task["seconds"])
    answer = _answer(_read(sys.stdin.buffer, task["bytes"]), task)
    sys.stdout.write(json.dumps(answer))


def _read(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) != length:
        raise EOFError("the parent ended")
    return content


def _memory(task: dict[str, Any]) -> int:
    return _MEMORY + _COPIES * int(task["bytes"])


def _bound(memory: int, seconds: int) -> None:
    """Limits of this process where the system has them: the runtime's own limit stands everywhere."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    used = _data_bytes()
    if used is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (used + memory, used + memory))


def _data_bytes() -> int | None:
    """Memory that counts against RLIMIT_DATA by now; None where the system does not say, and does not count it."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:  # noqa: PTH123 - no file of anybody's
            return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData:"))
    except (OSError, StopIteration, ValueError):
        return None


def _answer(model: bytes, task: dict[str, Any]) -> dict[str, Any]:
    """{"n_features"} or {"fault"}."""
    size, output = int(task["size"]), str(task["output"])
    try:
        limit_arena(_memory(task))
        network = Network(model, output, shared_arena=True)
        del model
        features = network(np.full((_IMAGES, size, size, 3), _GREY, np.uint8))
    except MemoryError:
        return {"fault": "it needs more memory than a network of its size should"}
    except _FAULTS as error:
        words = " ".join(str(error).split())
        return {"fault": "".join(c if c.isprintable() else "?" for c in words)[:300]}
    return _judged(features)


def _judged(features: Any) -> dict[str, Any]:
    if not isinstance(features, np.ndarray) or features.dtype != np.float32 or features.ndim != 2:
        return {"fault": "its features are no vectors of 32-bit numbers"}
    if len(features) != _IMAGES or not features.shape[1]:
        return {"fault": f"it gives features of shape {features.shape} for {_IMAGES} pictures"}
    if not np.isfinite(features).all():
        return {"fault": "its features of a grey picture are no finite numbers"}
    if np.abs(features[0] - features[1]).max() > _TOLERANCE * np.abs(features).max():
        return {"fault": "its features of a picture depend on the pictures beside it"}
    return {"n_features": int(features.shape[1])}
