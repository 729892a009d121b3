"""Classifiers from timm trunks: blocks, maps and vectors fit together whatever the architecture."""

from __future__ import annotations

import copy
import functools
import sys

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")
timm = pytest.importorskip("timm", reason="fine-tuning needs timm: pip install 'graticule[torch]'")

from graticule.errors import BackboneError  # noqa: E402
from graticule.finetune.network import Classifier, build_network, network_spec, runs_at  # noqa: E402
from graticule.networks.timm_hub import checked_timm  # noqa: E402

POOLING = {"resnet18": True, "vgg11": True, "vgg11_bn": True, "tf_efficientnet_lite0": True}
LAYERS_AFTER = {"convnext_atto": False, "mobilenetv3_small_050": False}
NETWORKS = POOLING | LAYERS_AFTER


@functools.cache
def shared(name: str) -> Classifier:
    """A network that tests share and do not change."""
    return build_network(name, 5, weights="none", seed=0)[0].eval()


def images(size: int = 64, n: int = 2) -> torch.Tensor:
    return torch.randn((n, 3, size, size), generator=torch.Generator().manual_seed(1))


def test_a_spec_says_what_the_name_says() -> None:
    spec = network_spec("resnet18")
    assert (spec.input_size, spec.min_size, spec.fixed_size) == (224, 32, False)
    assert spec.mean == pytest.approx((123.675, 116.28, 103.53))
    assert spec.std == pytest.approx((58.395, 57.12, 57.375))


@pytest.mark.parametrize("name", ["efficientnet_lite0", "tf_efficientnet_lite0"])
def test_both_names_of_an_embedded_network_mean_the_same(name: str) -> None:
    spec = network_spec(name)
    assert (spec.name, spec.mean[0], spec.std[0], spec.input_size) == ("tf_efficientnet_lite0", 127.0, 128.0, 224)


def test_the_smallest_input_is_found() -> None:
    with torch.device("meta"):
        trunk = timm.create_model("inception_v4", num_classes=0).eval()
    smallest = network_spec("inception_v4").min_size
    assert smallest == 75
    assert trunk.forward_features(torch.zeros((1, 3, 75, 75), device="meta")).shape[2:] == (1, 1)
    with pytest.raises(RuntimeError):
        trunk.forward_features(torch.zeros((1, 3, 74, 74), device="meta"))


@pytest.mark.parametrize(
    ("name", "nearest"), [("resnet81", "resnet18"), ("vgg_16", "vgg16"), ("efficientnet_lite9", "efficientnet_lite0")]
)
def test_an_unknown_name_shows_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(BackboneError, match=rf"no model '{name}'.*{nearest}"):
        network_spec(name)


def test_unknown_weights_of_a_known_network_show_the_known_ones() -> None:
    with pytest.raises(BackboneError, match=r"no weights 'nosuch' of resnet18.*resnet18\.a1_in1k"):
        network_spec("resnet18.nosuch")


def test_without_torch_the_install_command_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackboneError, match=r"pip install 'graticule\[torch\]'"):
        checked_timm("resnet18")
    monkeypatch.delitem(sys.modules, "graticule.finetune.network")
    with pytest.raises(BackboneError, match=r"pip install 'graticule\[torch\]'"):
        __import__("graticule.finetune.network")


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_vector_and_logits_fit_together(name: str) -> None:
    network, x = shared(name), images()
    with torch.inference_mode():
        maps, features = network.maps(x), network.features(x)
        assert maps.shape == (2, network.n_channels, 2, 2)
        assert features.shape == (2, network.n_features)
        torch.testing.assert_close(network.pooled(maps), features)
        torch.testing.assert_close(network.classify(features), network(x))
        torch.testing.assert_close(network(x), features @ network.classifier.weight.T + network.classifier.bias)
        assert network.maps_pool_to_features == NETWORKS[name]
        same = maps.mean(dim=(2, 3)).shape == features.shape and torch.allclose(maps.mean(dim=(2, 3)), features)
        assert same == NETWORKS[name]


@pytest.mark.parametrize("name", [name for name in NETWORKS if not name.startswith("vgg")])
def test_the_vector_is_timms_own(name: str) -> None:
    network, x = shared(name), images(96)
    whole = timm.create_model(name, num_classes=5).eval()
    state = {key: value for key, value in network.trunk.state_dict().items() if key in whole.state_dict()}
    whole.load_state_dict(state, strict=False)
    whole.get_classifier().load_state_dict(network.classifier.state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(network(x), whole(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_blocks_hold_the_trunk_up_to_its_pooling_once(name: str) -> None:
    network = shared(name)
    held = [id(p) for _, block in network.blocks() for p in block.parameters()]
    assert len(held) == len(set(held))
    rest = {key for key, p in network.named_parameters() if id(p) not in set(held)}
    after = {"convnext_atto": {"trunk.head.norm"}, "mobilenetv3_small_050": {"trunk.conv_head"}}.get(name, set())
    assert {key.rpartition(".")[0] for key in rest} == {"classifier"} | after
    assert all(any(True for _ in block.parameters()) for _, block in network.blocks())


@pytest.mark.parametrize("name", [*NETWORKS, "test_mambaout"])
def test_a_row_of_blocks_may_be_cut_anywhere(name: str) -> None:
    network, x = shared(name), images()
    count = len(network.blocks())
    assert network.sequential
    with torch.inference_mode():
        whole = network.maps(x)
        for cut in {0, 1, count // 2, count - 1, count}:
            part = network.stage(x, 0, cut)
            torch.testing.assert_close(network.stage(part.clone(), cut, count), whole)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "test_efficientnet", "test_resnet"])
def test_synchronised_norms_keep_activations_weights_and_their_place_in_the_blocks(name: str) -> None:
    network = build_network(name, 3, weights="none", seed=0)[0].eval()
    with torch.inference_mode():
        before = network.features(images())
    parameters = {key: id(value) for key, value in network.named_parameters()}
    network.synchronise()
    with torch.inference_mode():
        torch.testing.assert_close(network.features(images()), before)
        torch.testing.assert_close(network.pooled(network.stage(images(), 0, len(network.blocks()))), before)
    assert {key: id(value) for key, value in network.named_parameters()} == parameters
    norms = [m for _, block in network.blocks() for m in block.modules() if "BatchNorm" in type(m).__name__]
    assert len(norms) > 5
    assert all(isinstance(norm, torch.nn.SyncBatchNorm) for norm in norms)
    network.train()
    assert all(norm.training for norm in norms)


def test_some_networks_take_some_sizes_only() -> None:
    assert [runs_at("dla34", side) for side in (100, 128)] == [False, True]
    assert runs_at("resnet18", 100)


def test_a_transformer_is_no_row_of_blocks_but_its_blocks_are_known() -> None:
    network = shared("vit_tiny_patch16_224")
    names = [name for name, _ in network.blocks()]
    assert names[:2] == ["embeddings", "patch_embed.proj"] or names[:2] == ["embeddings", "patch_embed"]
    held = {id(p) for _, block in network.blocks() for p in block.parameters()}
    assert {id(p) for p in network.trunk.parameters()} == held
    assert not network.sequential
    with pytest.raises(BackboneError, match="cannot be run in parts"):
        network.stage(images(), 0, 1)
    with torch.inference_mode():
        assert network.maps(images(224, 1)).shape == (1, 192, 14, 14)
        assert network(images(224, 1)).shape == (1, 5)
    with pytest.raises(BackboneError, match="--input-size 224"):
        network(images(64))


def test_vgg_goes_from_pooled_maps_into_one_layer() -> None:
    network = shared("vgg11")
    assert network.n_features == 512
    assert sum(p.numel() for p in network.parameters()) == 9_220_480 + 5 * 513


def test_the_seed_decides_everything_and_torchs_generator_is_left_alone() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, again, other = (build_network("resnet18", 3, weights="none", seed=s)[0] for s in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.training
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
    assert not torch.equal(first.trunk.conv1.weight, other.trunk.conv1.weight)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)


def test_building_leaves_batch_normalisation_as_it_was() -> None:
    buffers = dict(build_network("resnet18", 3, weights="none", seed=0)[0].named_buffers())
    assert not any(value.any() for key, value in buffers.items() if key.endswith("running_mean"))
    assert not any(value for key, value in buffers.items() if key.endswith("num_batches_tracked"))


def test_the_blocks_of_a_copy_are_its_own() -> None:
    network = shared("resnet18")
    twin = copy.deepcopy(network)
    with torch.no_grad():
        twin.blocks()[0][1][0].weight.zero_()
    assert not twin.trunk.conv1.weight.any()
    assert network.trunk.conv1.weight.any()


def test_dropout_acts_in_training_only() -> None:
    network = build_network("resnet18", 3, weights="none", seed=0, drop_rate=0.5)[0]
    vector = torch.ones((1, 512))
    assert not torch.equal(network.classify(vector), network.classify(vector))
    network.eval()
    assert torch.equal(network.classify(vector), network.classify(vector))


def test_memory_order_does_not_matter() -> None:
    network, x = shared("resnet18"), images()
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        torch.testing.assert_close(last(x.to(memory_format=torch.channels_last)), network(x))
