"""The ONNX graph of EfficientNet-Lite: against golden numbers, NumPy, and timm where it is installed."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from graticule.errors import BackboneError
from graticule.networks.backbones import EMBEDDED, BackboneSpec, verified_weights, weights_file
from graticule.networks.efficientnet_lite import build_graph
from graticule.networks.encoder import embedded_encoder
from graticule.networks.session import Network
from graticule.networks.torch_pickle import read_tensors

Floats = NDArray[np.float64]
LITE0 = EMBEDDED["efficientnet_lite0"]
WEIGHTS = read_tensors(verified_weights(LITE0))
STAGES = [f"blocks.{s}" for s in range(7)]


def pattern(height: int, width: int) -> NDArray[np.uint8]:
    """A fixed picture, shape (1, height, width, 3)."""
    i, j, c = np.indices((height, width, 3))
    return ((i * 7 + j * 13 + c * 29 + i * j) % 256).astype(np.uint8)[None]


def run(pixels: NDArray[np.uint8], output: str, spec: BackboneSpec = LITE0) -> NDArray[np.float32]:
    weights = WEIGHTS if spec is LITE0 else read_tensors(verified_weights(spec))
    return Network(build_graph(spec, weights, [output]).SerializeToString(), output)(pixels)


@pytest.mark.parametrize(
    ("output", "places", "values"),
    [
        (
            "features",
            [0, 141, 283, 424, 566, 707, 849, 991],
            [-3.68639, -4.01333, 2.43416, 9.97704, -5.53513, 0.35992, 0.47201, 0.27801],
        ),
        (
            "penultimate",
            [0, 182, 365, 548, 730, 913, 1096, 1279],
            [6.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.00104, 0.0],
        ),
        (
            "logits",
            [0, 142, 285, 428, 570, 713, 856, 999],
            [2.49548, -1.50438, -10.21502, 7.90421, 11.60757, -7.21222, -4.87703, 0.78827],
        ),
    ],
)
def test_golden_numbers(output: str, places: list[int], values: list[float]) -> None:
    np.testing.assert_allclose(run(pattern(64, 64), output)[0, places], values, atol=1e-4)


def numpy_conv(x: Floats, kernel: Floats, stride: int, *, depthwise: bool) -> Floats:
    """Convolution of a map (C, h, w) with TensorFlow's SAME padding, tap by tap in double precision."""
    size = kernel.shape[2]
    out_h, out_w = (math.ceil(n / stride) for n in x.shape[1:])
    pads = []
    for n, out in zip(x.shape[1:], (out_h, out_w), strict=True):
        total = max((out - 1) * stride + size - n, 0)
        pads.append((total // 2, total - total // 2))
    padded = np.pad(x, [(0, 0), *pads])
    result = np.zeros((kernel.shape[0], out_h, out_w))
    for i in range(size):
        for j in range(size):
            window = padded[:, i : i + stride * out_h : stride, j : j + stride * out_w : stride][:, :out_h, :out_w]
            tap = kernel[:, :, i, j]
            result += tap[:, :, None] * window if depthwise else np.einsum("oc,chw->ohw", tap, window)
    return result


def numpy_layer(x: Floats, conv: str, bn: str, stride: int = 1, *, relu6: bool = True) -> Floats:
    """Convolution, batch normalisation as published (not folded), ReLU6."""
    w = {name: values.astype(np.float64) for name, values in WEIGHTS.items() if name.startswith((conv + ".", bn + "."))}
    out = numpy_conv(x, w[f"{conv}.weight"], stride, depthwise="depthwise" in conv)
    column = (slice(None), None, None)
    normal = (out - w[f"{bn}.running_mean"][column]) / np.sqrt(w[f"{bn}.running_var"][column] + 1e-3)
    out = normal * w[f"{bn}.weight"][column] + w[f"{bn}.bias"][column]
    return np.clip(out, 0, 6) if relu6 else out


def numpy_network(pixels: NDArray[np.uint8]) -> dict[str, Floats]:
    """Every output of Lite0 for one picture of shape (h, w, 3), written independently of the graph."""
    x = numpy_layer((pixels.transpose(2, 0, 1) - 127.0) / 128.0, "_conv_stem", "_bn0", 2)
    maps: dict[str, Floats] = {}
    block = 0
    # kernel sizes come with the weights; (blocks, stride of the first) per stage, Tan and Le 2019, table 1
    for stage, (blocks, stride) in enumerate([(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]):
        for i in range(blocks):
            name, inner = f"_blocks.{block}", x
            if stage > 0:
                inner = numpy_layer(inner, f"{name}._expand_conv", f"{name}._bn0")
            inner = numpy_layer(inner, f"{name}._depthwise_conv", f"{name}._bn1", stride if i == 0 else 1)
            inner = numpy_layer(inner, f"{name}._project_conv", f"{name}._bn2", relu6=False)
            x = inner + x if i > 0 else inner
            block += 1
        maps[f"blocks.{stage}"] = x
    penultimate = numpy_layer(x, "_conv_head", "_bn1").mean(axis=(1, 2))
    return maps | {"penultimate": penultimate, "logits": WEIGHTS["_fc.weight"] @ penultimate + WEIGHTS["_fc.bias"]}


@pytest.mark.parametrize("size", [(64, 64), (45, 70)])
def test_agrees_with_numpy(size: tuple[int, int]) -> None:
    pixels = pattern(*size)
    for output, expected in numpy_network(pixels[0]).items():
        found = run(pixels, output)[0]
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max(), output


def test_features_are_means_and_deviations_of_the_named_maps() -> None:
    pixels = np.concatenate([pattern(64, 64), pattern(64, 64)[:, ::-1]])
    expected = []
    for layer in ("blocks.1", "blocks.2", "blocks.4", "blocks.6"):
        maps = run(pixels, layer).astype(np.float64)
        expected += [maps.mean(axis=(2, 3)), maps.std(axis=(2, 3))]
    found = run(pixels, "features")
    assert found.shape == (2, 992)
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-5)
    names = embedded_encoder(LITE0, views=1, output="features").feature_names()
    assert len(set(names)) == 992
    assert (names[0], names[24], names[-1]) == ("blocks.1.mean.000", "blocks.1.deviation.000", "blocks.6.deviation.319")


@pytest.mark.parametrize("size", [32, 64, 224])
def test_one_graph_serves_any_size(size: int) -> None:
    assert run(pattern(size, size), "features").shape == (1, 992)
    side = size // 32
    assert run(pattern(size, size), "blocks.6").shape == (1, 320, side, side)


def test_constant_pictures_give_finite_features() -> None:
    for value in (0, 127, 255):
        assert np.isfinite(run(np.full((1, 64, 64, 3), value, np.uint8), "features")).all()


def test_a_graph_holds_only_what_its_outputs_need() -> None:
    small = build_graph(LITE0, WEIGHTS, ["blocks.1"])
    assert not any("_blocks.5" in constant.name or "_fc" in constant.name for constant in small.graph.initializer)
    assert small.ByteSize() < build_graph(LITE0, WEIGHTS, ["features"]).ByteSize() / 10
    both = build_graph(LITE0, WEIGHTS, ["features", "logits"])
    assert [output.name for output in both.graph.output] == ["features", "logits"]
    onnx.checker.check_model(both, full_check=True)


def test_the_graph_is_the_same_every_time() -> None:
    one, other = (build_graph(LITE0, WEIGHTS).SerializeToString(deterministic=True) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("outputs", [["blocks.7"], ["features", "softmax"], []])
def test_unknown_outputs(outputs: list[str]) -> None:
    with pytest.raises(BackboneError, match=r"allowed: features, statistics, penultimate, logits, blocks\.0"):
        build_graph(LITE0, WEIGHTS, outputs)


def test_weights_of_another_network() -> None:
    fewer = {name: values for name, values in WEIGHTS.items() if not name.startswith("_blocks.9.")}
    with pytest.raises(BackboneError, match=r"do not fit efficientnet_lite0: .*_blocks\.9\._depthwise_conv"):
        build_graph(LITE0, fewer)


def timm_name(name: str, repeats: tuple[int, ...]) -> str:
    """Where timm keeps a tensor of the published file."""
    module, _, tensor = name.rpartition(".")
    outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    if module in outer:
        return f"{outer[module]}.{tensor}"
    _, number, layer = module.split(".")
    block = int(number)
    stage = next(s for s in range(len(repeats)) if block < sum(repeats[: s + 1]))
    place = f"blocks.{stage}.{block - sum(repeats[:stage])}"
    first = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    later = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
    later |= {"_project_conv": "conv_pwl", "_bn2": "bn3"}
    return f"{place}.{(first if stage == 0 else later)[layer]}.{tensor}"


@pytest.mark.parametrize("name", EMBEDDED)
def test_agrees_with_timm(name: str, record_property: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with", exc_type=ImportError)
    timm = pytest.importorskip("timm", reason="timm is not installed: nothing to compare with", exc_type=ImportError)
    spec = EMBEDDED[name]
    if weights_file(spec) is None:
        pytest.skip(f"{spec.package} is not installed")
    network = timm.create_model(spec.timm_name).eval()
    state = torch.load(weights_file(spec), weights_only=True)
    network.load_state_dict({timm_name(key, spec.repeats): values for key, values in state.items()})
    pixels = np.random.default_rng(0).integers(0, 256, (2, spec.input_size, spec.input_size, 3), dtype=np.uint8)
    with torch.no_grad():
        x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - spec.mean[0]) / spec.std[0]
        logits = network(x).numpy()
        x = network.bn1(network.conv_stem(x))
        maps = {}
        for stage, layer in zip(STAGES, network.blocks, strict=True):
            x = layer(x)
            maps[stage] = x.numpy()
    worst_logit = np.abs(run(pixels, "logits", spec) - logits).max()
    worst_map = max(np.abs(run(pixels, s, spec) - m).max() / np.abs(m).max() for s, m in maps.items())
    record_property("logits", float(worst_logit))
    record_property("maps", float(worst_map))
    print(name, importlib.import_module("timm").__version__, worst_logit, worst_map)
    assert worst_logit <= 1e-4
    assert worst_map <= 1e-3
