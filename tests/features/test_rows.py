"""Rows of decoded files: each its own features, unreadable ones none, sizes where they are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.features.here import WriteImages, expected_features, images_of

from graticule.features.rows import rows_of, with_size
from graticule.images.decode import Decoded, decode_file
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network


def test_rows_are_in_order_and_drop_their_pixels(write_images: WriteImages, encoder: Encoder, tmp_path: Path) -> None:
    files = write_images(3)
    given = [files[0], tmp_path / "gone.png", *files[1:]]
    decoded = [decode_file(file, encoder.preprocessing) for file in images_of(given)]
    rows = rows_of(decoded, Network(encoder.model), encoder)
    assert [row.features is None for row in rows] == [False, True, False, False]
    assert rows[1].info.error
    found = np.stack([row.features for row in rows if row.features is not None])
    np.testing.assert_array_equal(found, expected_features(files, encoder))
    assert all(row.info.pixels is None and not row.cached for row in rows)


def test_sizes_stand_behind_the_features_where_they_are_asked_for(encoder: Encoder) -> None:
    features, info = np.arange(3, dtype=np.float32), Decoded(width=8, height=2)
    assert with_size(features, info, encoder) is features
    sized = with_size(features, info, encoder.reading(encoder.preprocessing, sizes=True))
    assert sized.dtype == np.float32
    assert sized.tolist() == [0, 1, 2, 3, 1]
