"""Files to one matrix: order, unreadable files, progress, any engine."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tests.features.here import PoolHere, WriteImages, expected_features, images_of

from graticule.features.embed import embed_files
from graticule.features.rows import FileRow
from graticule.images.decode import Decoded, ImageFile
from graticule.networks.encoder import Encoder


def test_order_and_unreadable_files(
    write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
) -> None:
    files = write_images(7)
    files[1].write_bytes(b"")
    files[4].write_bytes(files[4].read_bytes()[:60])
    files.insert(3, tmp_path / "gone.png")
    done: list[int] = []
    result = embed_files(images_of(files), encoder, workers=2, batch_size=2, progress=done.append)
    fine = [0, 2, 4, 6, 7]
    assert np.flatnonzero(result.readable).tolist() == fine
    assert [item.error for item in result.info if item.error][:2] == ["the file is empty", "No such file or directory"]
    np.testing.assert_array_equal(result.features[fine], expected_features([files[i] for i in fine], encoder))
    assert not result.features[~result.readable].any()
    assert done == list(range(1, 9))
    assert all(item.pixels is None for item in result.info)


def test_no_files(encoder: Encoder, pool_here: type[PoolHere]) -> None:
    result = embed_files([], encoder)
    assert result.features.shape == (0, 992)
    assert (len(result.info), result.decoded, result.cached) == (0, 0, 0)


def test_all_files_unreadable(encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]) -> None:
    result = embed_files(images_of([tmp_path / "a.png", tmp_path / "b.png"]), encoder)
    assert not result.readable.any()


def test_another_engine_makes_the_same_matrix(write_images: WriteImages, encoder: Encoder) -> None:
    files = write_images(3)
    asked: list[Any] = []

    def drawn(files: Iterable[ImageFile], encoder: Encoder, **options: Any) -> Generator[FileRow, None, None]:
        asked.append(options)
        for i, file in enumerate(files):
            features = None if i == 1 else np.full(encoder.n_features, i, np.float32)
            yield FileRow(features, Decoded(sha256=file.path.name), cached=i == 2)

    result = embed_files(images_of(files), encoder, workers=5, batch_size=3, engine=drawn)
    assert asked == [{"workers": 5, "batch_size": 3, "cache": None}]
    assert result.features[:, 0].tolist() == [0, 0, 2]
    assert result.readable.tolist() == [True, False, True]
    assert [item.sha256 for item in result.info] == [file.name for file in files]
    assert (result.decoded, result.cached) == (2, 1)
