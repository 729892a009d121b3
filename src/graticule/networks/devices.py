"""Processors that compute networks through ONNX Runtime: what was asked for, what is installed, how each is set up.

The options of the providers are those of their documentation: single precision in full, and of several algorithms
always the same one, so that a network says elsewhere what it says on the processor, and each time the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import onnxruntime

from graticule.errors import OptionError

CPU_BATCH, BATCH = 8, 32


@dataclass(frozen=True)
class Provider:
    """An execution provider of ONNX Runtime.

    Attributes
    ----------
    name : str
        As ONNX Runtime calls it.
    remedy : str
        What brings it.
    settings : mapping of str to str
        Options that it is opened with.
    """

    name: str
    remedy: str
    settings: Mapping[str, str]


PROVIDERS = {
    "cuda": Provider(
        "CUDAExecutionProvider",
        "pip install 'graticule[gpu]', then pip uninstall onnxruntime and pip install --force-reinstall --no-deps "
        "onnxruntime-gpu, which takes its place; CUDA and cuDNN of its version must be there",
        {"cudnn_conv_algo_search": "DEFAULT", "use_tf32": "0"},
    ),
    "directml": Provider(
        "DmlExecutionProvider", "on Windows onnxruntime-directml in the place of onnxruntime brings it", {}
    ),
    "openvino": Provider(
        "OpenVINOExecutionProvider",
        "onnxruntime-openvino in the place of onnxruntime brings it",
        {"precision": "FP32"},
    ),
    "coreml": Provider(
        "CoreMLExecutionProvider",
        "onnxruntime for macOS has it",
        {"ModelFormat": "MLProgram", "MLComputeUnits": "CPUAndGPU", "AllowLowPrecisionAccumulationOnGPU": "0"},
    ),
}
# in the order in which they are tried; that of CoreML is in every installation on macOS, so that nobody has chosen it
_TRIED = ("cuda", "directml", "openvino")


@dataclass(eq=False)
class Device:
    """What computes a network, and what there is to tell of it afterwards.

    Attributes
    ----------
    name : str
        "cpu", "cuda:0", "openvino", ...
    batch : int
        Images that go through a network together; halved where memory is too little.
    lost : bool
        Whether it gave up, and the processor went on in its place.
    unopened : str
        Why it could not even be opened, or "".
    notes : list of str
        What happened, in sentences.
    """

    name: str = "cpu"
    batch: int = CPU_BATCH
    lost: bool = False
    unopened: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def is_cpu(self) -> bool:
        """Whether it is the processor itself, by choice or by now."""
        return self.lost or self.name == "cpu"

    def describe(self) -> str:
        """For the record."""
        return f"{self.name}, then cpu" if self.lost else self.name

    def provider(self) -> tuple[str, dict[str, str]]:
        """The execution provider by its name, and its options."""
        kind, _, number = self.name.partition(":")
        chosen = PROVIDERS[kind]
        return chosen.name, {**chosen.settings, **({"device_id": number} if number else {})}

    def leave_closed(self, why: str) -> None:
        """It could not even be opened."""
        self.lost, self.unopened = True, why
        self.notes.append(f"{self.name} was not used: {why}")

    def give_up(self, why: str) -> None:
        """Leave what is still to be done to the processor."""
        if not self.lost:
            self.lost = True
            self.notes.append(f"{self.name} was given up, what was left was computed on the processor: {why}")

    def halve(self) -> None:
        """Take half as many images at a time from now on."""
        self.notes.append(f"{self.name} has too little memory for {self.batch} images at a time: {self.batch // 2} now")
        self.batch //= 2


CPU = Device()


def candidates(asked: str) -> list[str]:
    """Names of the devices to try for what was asked for, best first; none: the processor.

    Parameters
    ----------
    asked : str
        "auto", "cpu", "cuda", "cuda:N", "directml", "openvino" or "coreml".

    Raises
    ------
    OptionError
        When a device is named that this installation has no provider for.
    """
    found = installed()
    if asked == "auto":
        return [_numbered(kind) for kind in _TRIED if kind in found]
    kind = asked.partition(":")[0]
    if kind == "cpu":
        return []
    if kind not in PROVIDERS:
        raise OptionError(f"--device {asked} computes no features; allowed here: auto, {', '.join(['cpu', *found])}")
    if kind not in found:
        raise OptionError(
            f"--device {asked}: ONNX Runtime {onnxruntime.__version__} has no {PROVIDERS[kind].name} here; it has "
            f"{', '.join(onnxruntime.get_available_providers())}. Allowed here: auto, {', '.join(['cpu', *found])}. "
            f"For {kind}: {PROVIDERS[kind].remedy}"
        )
    return [_numbered(asked)]


def installed() -> list[str]:
    """Kinds of devices that this installation has a provider for, besides the processor."""
    there = onnxruntime.get_available_providers()
    return [kind for kind, provider in PROVIDERS.items() if provider.name in there]


def _numbered(name: str) -> str:
    """One name for one device: the first GPU is cuda:0."""
    return "cuda:0" if name == "cuda" else name
