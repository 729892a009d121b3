"""What can be asked to compute networks, and what is there."""

from __future__ import annotations

import pytest

from graticule.errors import OptionError
from graticule.networks import devices
from graticule.networks.devices import CPU, PROVIDERS, Device, candidates, installed


def having(monkeypatch: pytest.MonkeyPatch, *kinds: str) -> None:
    names = [*(PROVIDERS[kind].name for kind in kinds), "CPUExecutionProvider"]
    monkeypatch.setattr(devices.onnxruntime, "get_available_providers", lambda: names)


@pytest.mark.parametrize(
    ("there", "asked", "tried"),
    [
        ((), "auto", []),
        ((), "cpu", []),
        (("cuda",), "cpu", []),
        (("openvino", "cuda"), "auto", ["cuda:0", "openvino"]),
        (("coreml",), "auto", []),  # there with every installation on macOS: nobody has chosen it
        (("coreml",), "coreml", ["coreml"]),
        (("cuda",), "cuda", ["cuda:0"]),
        (("cuda",), "cuda:3", ["cuda:3"]),
        (("directml", "cuda"), "directml", ["directml"]),
    ],
)
def test_what_is_tried(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], asked: str, tried: list[str]) -> None:
    having(monkeypatch, *there)
    assert installed() == [kind for kind in PROVIDERS if kind in there]
    assert candidates(asked) == tried


def test_a_device_that_is_not_installed_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    having(monkeypatch, "openvino")
    with pytest.raises(OptionError) as caught:
        candidates("cuda:1")
    told = str(caught.value)
    assert "--device cuda:1" in told
    assert "OpenVINOExecutionProvider, CPUExecutionProvider" in told
    assert "Allowed here: auto, cpu, openvino" in told
    assert "graticule[gpu]" in told
    assert "uninstall onnxruntime" in told


def test_a_name_of_torch_computes_no_features() -> None:
    with pytest.raises(OptionError, match="--device mps computes no features; allowed here: auto, cpu"):
        candidates("mps")


def test_providers_are_opened_in_full_precision_on_the_gpu_that_was_named() -> None:
    assert Device("cuda:2").provider() == (
        "CUDAExecutionProvider",
        {"cudnn_conv_algo_search": "DEFAULT", "use_tf32": "0", "device_id": "2"},
    )
    assert Device("openvino").provider() == ("OpenVINOExecutionProvider", {"precision": "FP32"})


def test_what_happened_is_told_once() -> None:
    device = Device("cuda:0", 32)
    device.halve()
    device.give_up("no memory")
    device.give_up("no memory")
    assert (device.batch, device.lost, device.is_cpu) == (16, True, True)
    assert device.describe() == "cuda:0, then cpu"
    assert device.notes == [
        "cuda:0 has too little memory for 32 images at a time: 16 now",
        "cuda:0 was given up, what was left was computed on the processor: no memory",
    ]
    assert (CPU.describe(), CPU.is_cpu, CPU.notes) == ("cpu", True, [])
