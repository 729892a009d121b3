"""Networks whose maps are in sight: the embedded one, one with an output "maps", one that averages nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graticule.errors import OptionError
from graticule.explain.fidelity import rank_correlation
from graticule.explain.model import ExplainableModel, turned_back, views_of
from graticule.explain.overlay import peak
from graticule.heads.scoring import LinearHead, LogitHead
from graticule.networks.backbones import EMBEDDED
from graticule.networks.encoder import Encoder, embedded_encoder
from graticule.networks.session import Network

Spot = Callable[..., Any]
RED, BLUE = (250, 20, 20), (20, 20, 250)


def linear(d: int, classes: int = 3, seed: int = 0) -> LinearHead:
    generator = np.random.default_rng(seed)
    return LinearHead(generator.normal(size=(classes, d)).astype(np.float32), np.zeros(classes, np.float32), 1.0)


@pytest.mark.parametrize("views", [1, 4, 8])
def test_features_are_those_of_prediction(encoder: Encoder, views: int) -> None:
    encoder = replace(encoder, views=views)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    model = ExplainableModel.of(encoder, [linear(encoder.n_features)])
    assert np.array_equal(model.features(pixels), Network(encoder.model).averaged(pixels, views))


def test_the_four_layers_of_the_embedded_network_are_found(encoder: Encoder) -> None:
    model = ExplainableModel.of(encoder, [linear(encoder.n_features)])
    assert [(tap.mean, tap.deviation, tap.channels) for tap in model.taps] == [
        (0, 24, 24),
        (48, 88, 40),
        (128, 240, 112),
        (352, 672, 320),
    ]
    assert model.method == "hirescam"


def test_maps_of_a_linear_head_add_up_to_half_its_margin(encoder: Encoder) -> None:
    # z is homogeneous of degree 1/2 in the features: gradient times feature is z w / 2
    head = linear(encoder.n_features)
    model = ExplainableModel.of(encoder, [head])
    pixels = np.random.default_rng(1).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    classes = np.array([[0, 1, 2], [2, 1, 0]])
    totals = sum(layer.sum(axis=(2, 3)) for layer in model.layers(pixels, classes))
    expected = np.take_along_axis(model.margins(pixels), classes, axis=1) / 2
    assert np.allclose(totals, expected, rtol=1e-3)


@pytest.fixture(scope="module")
def wide() -> Encoder:
    """The embedded network with all parts of its statistics."""
    return embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1, output="statistics")


def test_all_parts_of_the_statistics_are_found(wide: Encoder) -> None:
    taps = ExplainableModel.of(wide, []).taps
    assert [(tap.mean, tap.deviation, tap.channels) for tap in taps] == [
        (0, 24, 24),
        (48, 88, 40),
        (128, 240, 112),
        (352, 672, 320),
    ]
    around = [tap.around for tap in taps if tap.around is not None]
    assert [(at.mean, at.deviation, at.covariance) for at in around] == [
        (992, 1016, 1984),
        (1040, 1080, 2284),
        (1120, 1232, 3104),
        (1344, 1664, 5184),
    ]


@pytest.mark.parametrize("side", [48, 100])
def test_layers_add_up_to_gradient_times_statistics(wide: Encoder, side: int) -> None:
    # the last layer of a fine-tuned network acts on features as they are: its gradient is its weights
    generator = np.random.default_rng(7)
    weights = generator.normal(size=(2, wide.n_features)).astype(np.float32)
    model = ExplainableModel.of(wide, [LogitHead(weights, np.zeros(2, np.float32), 1.0)])
    pixels = generator.integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    classes = np.array([[0, 1], [0, 1]])
    totals = sum(layer.sum(axis=(2, 3)) for layer in model.layers(pixels, classes, target="score"))
    assert np.allclose(totals, model.features(pixels) @ weights.T, rtol=1e-3, atol=1e-3)


def test_maps_of_one_cell_leave_a_network_to_occlusion(wide: Encoder) -> None:
    small = wide.reading(replace(wide.preprocessing, size=32))
    model = ExplainableModel.of(small, [linear(wide.n_features)])
    assert model.method == "occlusion"
    with pytest.raises(OptionError, match="several cells at an input of 32 px; use occlusion"):
        model.check_method("hirescam")


def test_with_a_baseline_the_cells_add_up_to_the_lead_over_it(encoder: Encoder) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    model = ExplainableModel.of(encoder, [linear(encoder.n_features)])
    model = replace(model, baseline=model.features(pixels[1:])[0].astype(np.float64))
    maps = model.any_maps(pixels, np.array([[0], [0]]), None, "hirescam")
    lead = model.margins(pixels)[:, 0] - model.margins(pixels)[1, 0]
    assert np.allclose(maps.sum(axis=(1, 2, 3)), lead, atol=1e-4)


@pytest.mark.parametrize("view", range(8))
def test_a_view_is_undone(view: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (1, 6, 6, 3), dtype=np.uint8)
    turned = list(views_of(pixels, 8))[view]
    assert np.array_equal(turned_back(turned[..., 0].astype(float), view), pixels[..., 0])


def test_the_map_turns_with_the_picture(encoder: Encoder) -> None:
    model = ExplainableModel.of(replace(encoder, views=4), [linear(encoder.n_features)])
    pixels = np.random.default_rng(4).integers(0, 256, (1, 48, 48, 3), dtype=np.uint8)
    classes = np.array([[1]])
    turned = model.maps(np.ascontiguousarray(np.rot90(pixels, 1, axes=(1, 2))), classes)
    assert np.allclose(turned, np.rot90(model.maps(pixels, classes), 1, axes=(2, 3)), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("method", ["hirescam", "gradcam", "gradcam++", "occlusion"])
@pytest.mark.parametrize("views", [1, 4])
def test_maps_point_at_what_makes_the_class(
    colours: Callable[..., Encoder], red_or_blue: LogitHead, spot: Spot, method: str, views: int
) -> None:
    model = ExplainableModel.of(colours(views=views), [red_or_blue])
    for k, colour in enumerate((RED, BLUE)):
        pixels = spot(colour, 4, 20)
        assert model.proba(pixels[None])[0].argmax() == k
        x, y = peak(model.any_maps(pixels[None], np.array([[k]]), None, method)[0, 0], pixels)
        assert 19 / 32 <= x <= 27 / 32
        assert 3 / 32 <= y <= 11 / 32


def test_maps_inside_the_graph_are_found_without_an_output(
    colours: Callable[..., Encoder], red_or_blue: LogitHead
) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    shown, hidden = (ExplainableModel.of(colours(maps=maps), [red_or_blue]) for maps in (True, False))
    assert shown.taps == hidden.taps
    assert np.array_equal(shown.maps(pixels, np.array([[0], [1]])), hidden.maps(pixels, np.array([[0], [1]])))


def test_a_network_that_averages_nothing_is_left_to_occlusion(
    colours: Callable[..., Encoder], red_or_blue: LogitHead, spot: Spot
) -> None:
    model = ExplainableModel.of(colours(pooled=False), [red_or_blue])
    assert model.taps == ()
    assert model.method == "occlusion"
    with pytest.raises(OptionError, match="use occlusion"):
        model.check_method("gradcam")
    pixels = spot(RED, 20, 4)
    x, y = peak(model.any_maps(pixels[None], np.array([[0]]), None, "occlusion")[0, 0], pixels)
    assert 1 / 32 <= x <= 13 / 32
    assert 17 / 32 <= y <= 29 / 32


def test_methods_that_do_not_fit_are_refused(encoder: Encoder) -> None:
    model = ExplainableModel.of(encoder, [linear(encoder.n_features)])
    with pytest.raises(OptionError, match="deviations"):
        model.check_method("gradcam")
    with pytest.raises(OptionError, match="allowed"):
        model.check_method("lime")


def test_destroyed_weights_change_the_map(encoder: Encoder) -> None:
    model = ExplainableModel.of(encoder, [linear(encoder.n_features, classes=6)])
    pixels = np.random.default_rng(6).integers(0, 256, (1, 48, 48, 3), dtype=np.uint8)
    classes = np.array([[0]])
    mine = model.maps(pixels, classes)[0, 0]
    found = {name: rank_correlation(mine, other.maps(pixels, classes)[0, 0]) for name, other in model.randomised(0)}
    assert next(iter(found)) == "head"
    assert len(found) == 5
    assert abs(list(found.values())[-1]) < 0.5


def test_a_single_layer_is_destroyed_in_parts(colours: Callable[..., Encoder], red_or_blue: LogitHead) -> None:
    model = ExplainableModel.of(colours(), [red_or_blue])
    assert [name for name, _ in model.randomised(0)] == ["head", "layers 1 to 1 of 1"]
