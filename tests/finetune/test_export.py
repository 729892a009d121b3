"""Networks as ONNX files: they say what torch says, alone and together, and a file that does not is refused."""

from __future__ import annotations

import functools

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")
pytest.importorskip("timm", reason="fine-tuning needs timm: pip install 'graticule[torch]'")
pytest.importorskip("onnxscript", reason="export needs onnxscript: pip install 'graticule[torch]'")

from graticule.errors import ExportError  # noqa: E402
from graticule.finetune.export import (  # noqa: E402
    Parity,
    check_parity,
    check_room,
    export_onnx,
    torch_answers,
)
from graticule.finetune.last_layer import NumberLayer, ScoresLayer  # noqa: E402
from graticule.finetune.network import Classifier, build_network  # noqa: E402
from graticule.heads.scoring import pack_heads, probabilities, softmax, unpack_heads  # noqa: E402
from graticule.networks.session import Network  # noqa: E402
from graticule.regress.packing import pack_values, unpack_values  # noqa: E402
from graticule.regress.scoring import member_values  # noqa: E402

SIZE = 64


def pixels(n: int = 3, size: int = SIZE) -> NDArray[np.uint8]:
    """Noise of another strength in each picture."""
    rng = np.random.default_rng(0)
    strength = np.linspace(0.1, 1.0, n)[:, None, None, None]
    return (rng.integers(0, 256, (n, size, size, 3)) * strength).astype(np.uint8)


def size_of(network: Classifier) -> int:
    return network.spec.input_size if network.spec.fixed_size else SIZE


def normalised(network: Classifier, batch: NDArray[np.uint8]) -> torch.Tensor:
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (network.spec.mean, network.spec.std))
    return (torch.from_numpy(batch).permute(0, 3, 1, 2).float() - mean) / std


def torch_logits(network: Classifier, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
    mode = network.training
    with torch.inference_mode():
        logits = network.eval()(normalised(network, batch)).numpy()
    network.train(mode)
    return np.asarray(logits)


@functools.cache
def trained(name: str, seed: int = 0) -> Classifier:
    """A network whose logits spread as those of a trained one do; tests do not change it."""
    network = build_network(name, 4, weights=None if "lite" in name else "none", seed=seed)[0]
    if "lite" not in name:
        generator = torch.Generator().manual_seed(seed)
        for key, value in network.trunk.named_parameters():
            # new residual branches are multiplied by 0: nothing in them could be told from anything else
            if value.ndim == 1 and key.endswith(("weight", "gamma")):
                torch.nn.init.uniform_(value, 0.5, 1.0, generator=generator)
    logits = torch_logits(network, pixels(8, size_of(network)))
    with torch.no_grad():
        network.classifier.weight /= float(logits.std(axis=0).mean())
        network.classifier.bias -= torch.from_numpy(logits.mean(axis=0) / logits.std(axis=0).mean())
    return network


@functools.cache
def pair() -> tuple[list[Classifier], bytes]:
    members = [trained("test_resnet", seed) for seed in (0, 1)]
    return members, export_onnx(members, SIZE)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "vgg11", "test_convnext", "test_vit"])
def test_one_network_as_a_file(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    network = trained(name)
    size = size_of(network)
    batch = pixels(3, size)
    model = export_onnx([network], size)
    assert capfd.readouterr() == ("", "")
    parity = check_parity(model, [network], batch)
    assert parity == Parity(3, parity.largest_difference, 0, 1e-3)
    assert parity.largest_difference < 2e-5
    expected = softmax(torch_logits(network, batch))
    found = probabilities(ScoresLayer().heads([network], [1.0]), Network(model)(batch))
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.ptp(expected, axis=0).max() > 0.05, "the scores are too alike to tell anything"
    assert Network(model, "maps")(batch).shape[:2] == (3, network.n_channels)


def test_an_ensemble_is_the_mean_of_its_members() -> None:
    members, model = pair()
    expected = np.mean([softmax(torch_logits(m, pixels())) for m in members], axis=0)
    features = Network(model)(pixels())
    assert features.shape == (3, 192)
    np.testing.assert_allclose(Network(model, "scores")(pixels()), expected, atol=1e-5)
    np.testing.assert_allclose(
        probabilities(ScoresLayer().heads(members, [1.0] * len(members)), features), expected, atol=1e-5
    )
    maps = Network(model, "maps")(pixels())
    np.testing.assert_allclose(maps.mean(axis=(2, 3)), features, atol=1e-4)


def test_the_temperature_sharpens_each_member_and_heads_survive_a_bundle() -> None:
    members, model = pair()
    heads = unpack_heads(pack_heads(ScoresLayer().heads(members, [2.0] * len(members))))
    expected = np.mean([softmax(2.0 * torch_logits(m, pixels())) for m in members], axis=0)
    np.testing.assert_allclose(probabilities(heads, Network(model)(pixels())), expected, atol=1e-5)


def test_any_number_of_images_at_once_gives_the_same() -> None:
    _, model = pair()
    whole = Network(model)(pixels(5))
    for n in (1, 2):
        np.testing.assert_allclose(Network(model)(pixels(5)[:n]), whole[:n], atol=1e-5)


def test_the_file_is_one_and_tells_nothing_of_this_machine() -> None:
    _, model = pair()
    proto = onnx.load_from_string(model)
    onnx.checker.check_model(proto)
    assert not any(weight.external_data for weight in proto.graph.initializer)
    assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)
    assert b"site-packages" not in model
    assert [o.name for o in proto.graph.output] == ["features", "maps", "scores"]


def test_export_repeats_itself_and_leaves_networks_as_they_were() -> None:
    members, model = pair()
    members[0].train()
    members[1].eval()
    before = {key: value.clone() for key, value in members[0].state_dict().items()}
    assert export_onnx(members, SIZE) == model
    assert members[0].training
    assert not members[1].training
    assert all(torch.equal(value, before[key]) for key, value in members[0].state_dict().items())


def altered(model: bytes, factor: float) -> bytes:
    """The file with its largest weight tensor scaled."""
    proto = onnx.load_from_string(model)
    weight = max(proto.graph.initializer, key=lambda w: len(w.raw_data))
    values = numpy_helper.to_array(weight) * np.float32(factor)
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    return proto.SerializeToString()


@pytest.mark.parametrize("factor", [1.5, float("nan")])
def test_a_file_that_says_something_else_is_refused(factor: float) -> None:
    members, model = pair()
    with pytest.raises(ExportError, match=r"test_resnet does not agree with the trained network on 3 images"):
        check_parity(altered(model, factor), members, pixels())


def test_double_precision_judges_where_single_precision_may_be_the_one_that_rounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    members, model = pair()
    exact = torch_answers(members, pixels(), torch.float64)
    assert 0 < np.abs(exact - torch_answers(members, pixels())).max() < 1e-5

    def rounding(given: object, batch: object, precision: torch.dtype, last: object) -> NDArray[np.float64]:
        """Torch whose single precision is far off."""
        return exact if precision == torch.float64 else exact[:, ::-1]

    assert check_parity(model, members, pixels()).precision == "float32"
    monkeypatch.setattr("graticule.finetune.export.torch_answers", rounding)
    parity = check_parity(model, members, pixels())
    assert parity.precision == "float64"
    assert parity.largest_difference < 1e-5
    with pytest.raises(ExportError, match="does not agree"):
        check_parity(altered(model, 1.5), members, pixels())


def test_what_torchs_exporter_cannot_write_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise torch.onnx.OnnxExporterError(
            "\nFailed to decompose the graph. \x1b[96mThis is step 2/3\x1b[0m. Next steps:\n"
        )

    monkeypatch.setattr(torch.onnx, "export", failing)
    with pytest.raises(
        ExportError, match=r"as ONNX \(Failed to decompose the graph\), so that it could not be shipped"
    ):
        export_onnx([trained("test_resnet")], SIZE)


def test_more_members_than_one_file_holds_are_refused_with_what_to_do() -> None:
    network = trained("test_resnet")
    check_room(network, 5)
    with pytest.raises(ExportError, match=r"5000 networks of test_resnet hold .* leave --ensemble out, or take fewer"):
        check_room(network, 5000)


def test_what_cannot_be_exported_is_refused() -> None:
    network = trained("test_resnet")
    with pytest.raises(ExportError, match="no network"):
        export_onnx([], SIZE)
    with pytest.raises(ExportError, match="at least 32"):
        export_onnx([network], 16)
    other = build_network("test_resnet", 3, weights="none", seed=0)[0]
    with pytest.raises(ExportError, match="test_resnet with 3 classes, test_resnet with 4 classes"):
        export_onnx([network, other], SIZE)
    with pytest.raises(ExportError, match="without images"):
        check_parity(b"", [network], pixels(0))


def test_numbers_are_exported_as_they_are_and_heads_say_their_mean() -> None:
    members = [build_network("test_efficientnet", 1, weights="none", seed=seed)[0] for seed in (0, 1)]
    for member in members:
        with torch.no_grad():
            member.classifier.weight.mul_(300)
    last = NumberLayer(unit=2.0)
    model = export_onnx(members, SIZE, last)
    expected = np.mean([torch_logits(member, pixels()) for member in members], axis=0)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(Network(model, "values")(pixels()), expected, atol=1e-4)
    parity = check_parity(model, members, pixels(), last=last)
    assert (parity.n, parity.disagreements) == (3, 0)
    features = Network(model)(pixels())
    heads = unpack_values(pack_values(last.heads(members, [1.0, 1.0])), features.shape[1])
    np.testing.assert_allclose(member_values(heads, features).mean(axis=0), expected[:, 0], atol=1e-4)
    # what differs is told in standard deviations of the training numbers
    with pytest.raises(ExportError, match="a number, in standard deviations"):
        check_parity(model, members[:1] * 2, pixels(), last=last)
