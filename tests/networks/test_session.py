"""Running the network: the same bits whatever the batch, and views that average over symmetries."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.networks.far import Far, far

from graticule.errors import OptionError
from graticule.networks.backbones import EMBEDDED
from graticule.networks.devices import Device
from graticule.networks.encoder import Encoder, embedded_encoder
from graticule.networks.session import Network

__all__ = ["far"]

RNG = np.random.default_rng(8)
PIXELS = RNG.integers(0, 256, (9, 48, 48, 3), dtype=np.uint8)


@pytest.fixture
def network(encoder: Encoder) -> Network:
    return Network(encoder.model)


def test_bit_equal_over_batch_size_order_and_threads(network: Network) -> None:
    whole = network(PIXELS)
    assert whole.shape == (9, 992)
    assert whole.dtype == np.float32
    for size in (1, 2, 4, 5, 8):
        parts = [network(PIXELS[start : start + size]) for start in range(0, 9, size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    order = RNG.permutation(9)
    np.testing.assert_array_equal(network(PIXELS[order]), whole[order])
    with ThreadPoolExecutor(4) as threads:
        one_by_one = list(threads.map(lambda i: network(PIXELS[i : i + 1])[0], range(9)))
    np.testing.assert_array_equal(np.stack(one_by_one), whole)


def test_every_statistic_is_bit_equal_over_batch_size() -> None:
    every = embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1, output="statistics")
    network = Network(every.model, every.output)
    one_by_one = np.concatenate([network(PIXELS[i : i + 1]) for i in range(9)])
    assert one_by_one.shape == (9, every.n_features)
    for size in (2, 5, 9):
        parts = [network(PIXELS[start : start + size]) for start in range(0, 9, size)]
        np.testing.assert_array_equal(np.concatenate(parts), one_by_one)


def test_memory_layout_does_not_matter(network: Network) -> None:
    turned = np.rot90(PIXELS, 1, axes=(1, 2))
    np.testing.assert_array_equal(network(turned), network(turned.copy()))


def symmetries(pixels: NDArray[np.uint8], *, mirrored: bool) -> list[NDArray[np.uint8]]:
    turned = [np.rot90(pixels, k, axes=(1, 2)) for k in range(4)]
    return turned + [picture[:, :, ::-1] for picture in turned] if mirrored else turned


@pytest.mark.parametrize(("views", "mirrored"), [(4, False), (8, True)])
def test_views_average_over_symmetries(network: Network, views: int, mirrored: bool) -> None:
    averaged = network.averaged(PIXELS, views)
    each = [network(picture).astype(np.float64) for picture in symmetries(PIXELS, mirrored=mirrored)]
    np.testing.assert_allclose(averaged, np.mean(each, axis=0), rtol=1e-6, atol=1e-7)
    assert np.abs(averaged - network(PIXELS)).max() > 0.05
    for picture in symmetries(PIXELS, mirrored=mirrored):
        np.testing.assert_allclose(network.averaged(picture, views), averaged, rtol=1e-6, atol=1e-6)


def test_four_views_tell_a_picture_from_its_mirror_image(network: Network) -> None:
    mirrored = network.averaged(PIXELS[:, :, ::-1], 4)
    assert np.abs(mirrored - network.averaged(PIXELS, 4)).max() > 0.05


def test_one_view_is_the_plain_output(network: Network) -> None:
    np.testing.assert_array_equal(network.averaged(PIXELS, 1), network(PIXELS))


@pytest.mark.parametrize("views", [0, 2, 3, 16, -1])
def test_other_numbers_of_views(network: Network, views: int) -> None:
    with pytest.raises(OptionError, match="allowed: 1, 4, 8"):
        network.averaged(PIXELS, views)


def test_a_device_gets_batches_of_one_size_whatever_stands_beside_a_picture(encoder: Encoder, far: Far) -> None:
    network = Network(encoder.model, device=Device("cuda:0", 4))
    found = network(PIXELS)
    assert far.sizes == [4, 4, 4]
    np.testing.assert_array_equal(found, Network(encoder.model)(PIXELS))
    np.testing.assert_array_equal(network(PIXELS[5:6]), found[5:6])
    assert far.sizes == [4] * 4


def test_a_device_that_fails_midway_loses_nothing(encoder: Encoder, far: Far) -> None:
    device = Device("cuda:0", 4)
    network = Network(encoder.model, device=device)
    far.calls = 4
    expected = Network(encoder.model)(PIXELS)
    for _ in range(3):
        np.testing.assert_array_equal(network(PIXELS), expected)
    assert len(far.sizes) == 5  # three of the first call, one of the second, and the one that failed
    assert device.lost
    (note,) = device.notes
    assert "CUDA failure 719" in note
    # what is opened later begins on the processor
    np.testing.assert_array_equal(Network(encoder.model, device=device)(PIXELS), expected)
    assert len(far.sizes) == 5


def test_too_little_memory_midway_halves_the_batches(encoder: Encoder, far: Far) -> None:
    device = Device("cuda:0", 8)
    network = Network(encoder.model, device=device)
    network(PIXELS)
    far.most = 3
    np.testing.assert_array_equal(network(PIXELS), Network(encoder.model)(PIXELS))
    assert (device.batch, device.lost) == (2, False)
    assert len(device.notes) == 2


def test_threads_take_turns_on_a_device(encoder: Encoder, far: Far) -> None:
    network = Network(encoder.model, device=Device("cuda:0", 2))
    with ThreadPoolExecutor(4) as threads:
        one_by_one = list(threads.map(lambda i: network(PIXELS[i : i + 1])[0], range(9)))
    np.testing.assert_array_equal(np.stack(one_by_one), Network(encoder.model)(PIXELS))
    assert far.sizes == [2] * 9
