"""Graphs of any family: a small one that the program does not know runs like the embedded ones."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate

from graticule.errors import BackboneError
from graticule.networks.backbones import BackboneSpec
from graticule.networks.graph_writer import Weights

SPEC = BackboneSpec(
    name="small",
    timm_name="small",
    package="small",
    file="small.pth",
    sha256="",
    licence="Apache-2.0",
    input_size=16,
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
    layers=("layer0", "layer1"),
    channels=(4, 4),
    repeats=(1, 2),
    penultimate=4,
    family="tests.networks.small_family",
)
PIXELS = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)


def weights_of(spec: BackboneSpec) -> Weights:
    rng = np.random.default_rng(0)
    weights: Weights = {"fc.weight": rng.normal(size=(1000, 4)), "fc.bias": rng.normal(size=1000)}
    names = [f"layer{s}.{r}" for s, repeats in enumerate(spec.repeats) for r in range(repeats)]
    for name, inputs in [("stem", 3), *((name, 4) for name in names)]:
        weights[f"{name}.weight"] = rng.normal(size=(4, inputs, 3, 3)) / 5
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            weights[f"{name}.bn.{leaf}"] = rng.uniform(0.5, 1.5, 4)
    return weights


def run(outputs: list[str]) -> list[NDArray[np.float32]]:
    graph = SPEC.builder().build_graph(SPEC, weights_of(SPEC), outputs)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(outputs, {"pixels": PIXELS}))


def by_hand() -> dict[str, NDArray[np.float64]]:
    """The maps of the first picture, in double precision and without ONNX."""
    weights, maps = weights_of(SPEC), {}

    def conv(x: NDArray[np.float64], name: str, stride: int) -> NDArray[np.float64]:
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        out = np.stack([correlate(padded, kernel, "valid")[0] for kernel in weights[f"{name}.weight"]])
        gain, shift, mean, variance = (
            weights[f"{name}.bn.{leaf}"][:, None, None] for leaf in ("weight", "bias", "running_mean", "running_var")
        )
        return np.maximum((out[:, ::stride, ::stride] - mean) / np.sqrt(variance + 1e-5) * gain + shift, 0)

    x = conv(((PIXELS[0] - np.array(SPEC.mean)) / np.array(SPEC.std)).transpose(2, 0, 1), "stem", 2)
    for stage, repeats in enumerate(SPEC.repeats):
        for repeat in range(repeats):
            x = x + conv(x, f"layer{stage}.{repeat}", 1)
        maps[f"layer{stage}"] = x
    return maps


def test_another_family_gives_the_features_of_its_layers_with_its_own_normalisation() -> None:
    features, last, penultimate, logits = run(["features", "layer1", "penultimate", "logits"])
    maps = by_hand()
    expected = np.concatenate([moment(maps[layer], (1, 2)) for layer in SPEC.layers for moment in (np.mean, np.std)])
    np.testing.assert_allclose(features[0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last[0], maps["layer1"], rtol=1e-4, atol=1e-4)
    assert features.shape == (2, SPEC.width("features"))
    assert penultimate.shape == (2, SPEC.width("penultimate"))
    weights = weights_of(SPEC)
    np.testing.assert_allclose(logits, penultimate @ weights["fc.weight"].T + weights["fc.bias"], rtol=1e-4, atol=1e-4)


def test_what_an_output_does_not_need_is_left_out() -> None:
    whole = SPEC.builder().build_graph(SPEC, weights_of(SPEC), ["logits"])
    part = SPEC.builder().build_graph(SPEC, weights_of(SPEC), ["layer0"])
    assert len(part.graph.node) < len(whole.graph.node)
    assert {constant.name for constant in part.graph.initializer} < {c.name for c in whole.graph.initializer}
    with pytest.raises(BackboneError, match="unknown output"):
        SPEC.builder().build_graph(SPEC, weights_of(SPEC), ["layer7"])
