"""Orientation statistics behind the network's features: measured by the workers, cached, without the info bar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
from tests.conftest import WriteImages, picture

from graticule.directions.features import feature_names, orientation_features
from graticule.features.cache import FeatureCache
from graticule.features.embed import embed_files
from graticule.images.decode import ImageFile, decode_file
from graticule.networks.encoder import Encoder
from graticule.networks.pooling import ORIENTATION, WHOLE

D = len(feature_names())


def test_they_stand_behind_the_network_and_come_back_from_the_cache(
    encoder: Encoder, write_images: WriteImages, tmp_path: Path
) -> None:
    files = [ImageFile(file) for file in write_images(3)]
    both = encoder.with_orientation(D)
    assert both.space() != encoder.space()
    assert both.without_orientation() == encoder or both.without_orientation().parts == ((WHOLE, encoder.n_features),)
    assert (both.orientation, encoder.orientation) == (True, False)
    plain = embed_files(files, encoder, workers=1)
    with FeatureCache(tmp_path, both.space()) as cache:
        first = embed_files(files, both, workers=2, cache=cache)
    with FeatureCache(tmp_path, both.space()) as cache:
        again = embed_files(files, both, workers=1, cache=cache)
    assert again.cached == 3
    np.testing.assert_array_equal(first.features, again.features)
    np.testing.assert_array_equal(first.features[:, : encoder.n_features], plain.features)
    grey = picture(0) @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(
        first.features[0, encoder.n_features :], orientation_features(grey.astype(np.float32)), rtol=1e-5, atol=1e-5
    )


def test_sizes_stand_behind_them(encoder: Encoder) -> None:
    both = encoder.reading(encoder.preprocessing, sizes=True).with_orientation(D)
    assert both.parts[-1] == (ORIENTATION, D)
    assert both.n_features == encoder.n_features + D + 2
    assert both.without_orientation().n_features == encoder.n_features + 2


def test_a_file_that_cannot_be_read_has_none(encoder: Encoder, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    PIL.Image.fromarray(picture(1)).save(file)
    assert decode_file(ImageFile(file), encoder.preprocessing).orientation is None
    found = decode_file(ImageFile(file), encoder.preprocessing, facts=False, orientation=True).orientation
    assert found is not None
    assert found.shape == (D,)
    assert decode_file(ImageFile(tmp_path / "none"), encoder.preprocessing, orientation=True).orientation is None
