"""Rows from the cache and into it: a second pass embeds only what is new."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.features.here import PoolHere, WriteImages, expected_features, images_of

from graticule.features.cache import FeatureCache
from graticule.features.cached_rows import CachedRows
from graticule.features.embed import embed_files
from graticule.features.rows import Embedding, FileRow
from graticule.images.decode import Decoded, decode_file
from graticule.networks.encoder import Encoder


class TestCache:
    """A second pass embeds only what is new."""

    def run(self, files: list[Path], encoder: Encoder, folder: Path) -> Embedding:
        with FeatureCache(folder, encoder.space()) as cache:
            return embed_files(images_of(files), encoder, workers=1, batch_size=4, cache=cache)

    def test_second_pass_decodes_nothing(
        self, write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
    ) -> None:
        files = write_images(9)
        first = self.run(files, encoder, tmp_path)
        assert pool_here.decoded == 9
        second = self.run(files, encoder, tmp_path)
        assert pool_here.decoded == 9
        assert (second.decoded, second.cached) == (0, 9)
        np.testing.assert_array_equal(second.features, first.features)
        assert second.info == first.info

    @pytest.mark.parametrize(
        "foreign",
        [
            {"features": np.zeros(991, np.float32)},
            {"features": np.zeros(0, np.float32)},
            {"features": np.full(992, np.nan, np.float32)},
            {"features": np.r_[np.zeros(991, np.float32), np.float32(np.inf)]},
            {"pixel_sha256": "not a hash"},
            {"width": 0},
            {"height": -1},
            {"mode": 3},
            {"facts": b""},
            {"facts": b"[" * 5000},
        ],
        ids=lambda foreign: str(foreign)[:40],
    )
    def test_rows_that_cannot_be_ours_are_not_used(
        self,
        foreign: dict[str, object],
        write_images: WriteImages,
        encoder: Encoder,
        tmp_path: Path,
        pool_here: type[PoolHere],
    ) -> None:
        files = write_images(2)
        first = self.run(files, encoder, tmp_path)
        with FeatureCache(tmp_path, encoder.space()) as cache:
            key = first.info[0].key
            entry = cache.get(key)
            assert entry is not None
            cache.put([(key, replace(entry, **foreign))])  # type: ignore[arg-type]
        again = self.run(files, encoder, tmp_path)
        assert (again.decoded, again.cached) == (1, 1)
        np.testing.assert_array_equal(again.features, first.features)
        assert self.run(files, encoder, tmp_path).cached == 2

    def test_only_what_is_new_is_decoded(
        self, write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
    ) -> None:
        files = write_images(6)
        self.run(files, encoder, tmp_path)
        more = [*write_images(3, first=6), *files]
        grown = self.run(more, encoder, tmp_path)
        assert (pool_here.decoded, grown.decoded, grown.cached) == (9, 3, 6)
        np.testing.assert_array_equal(grown.features, expected_features(more, encoder))

    def test_renamed_and_copied_files_are_known(
        self, write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
    ) -> None:
        files = write_images(3)
        first = self.run(files, encoder, tmp_path)
        moved = files[0].rename(tmp_path / "another name.tif")
        copied = Path(shutil.copy(files[1], tmp_path / "copy.png"))
        again = self.run([copied, moved], encoder, tmp_path)
        assert again.cached == 2
        np.testing.assert_array_equal(again.features, first.features[[1, 0]])

    def test_a_changed_file_is_decoded_again(
        self, write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
    ) -> None:
        files = write_images(2)
        self.run(files, encoder, tmp_path)
        shutil.copy(*write_images(1, first=5), files[0])
        again = self.run(files, encoder, tmp_path)
        assert (again.decoded, again.cached) == (1, 1)
        np.testing.assert_array_equal(again.features, expected_features(files, encoder))

    def test_unreadable_files_are_not_cached(
        self, write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
    ) -> None:
        files = write_images(2)
        whole = files[0].read_bytes()
        files[0].write_bytes(whole[:50])
        assert self.run(files, encoder, tmp_path).readable.tolist() == [False, True]
        again = self.run(files, encoder, tmp_path)
        assert (again.decoded, again.cached) == (1, 1)
        assert again.info[0].error

    def test_a_cache_in_trouble_changes_no_result(
        self, write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
    ) -> None:
        files = write_images(2)
        blocked = tmp_path / "blocked"
        blocked.write_text("")
        np.testing.assert_array_equal(
            self.run(files, encoder, blocked).features, self.run(files, encoder, tmp_path).features
        )

    def test_a_pass_that_fails_keeps_what_is_done(
        self, write_images: WriteImages, encoder: Encoder, tmp_path: Path, pool_here: type[PoolHere]
    ) -> None:
        files = write_images(8)

        def fail(done: int) -> None:
            if done == 5:
                raise KeyboardInterrupt

        with FeatureCache(tmp_path, encoder.space()) as cache, pytest.raises(KeyboardInterrupt):
            embed_files(images_of(files), encoder, workers=1, batch_size=1, cache=cache, progress=fail)
        assert self.run(files, encoder, tmp_path).cached == 5


def fresh(file: Path, encoder: Encoder, value: float) -> FileRow:
    """A row of a file with features that are drawn; the logarithms of its size stand behind them."""
    info = replace(decode_file(images_of([file])[0], encoder.preprocessing), pixels=None)
    features = np.full(encoder.n_features, value, np.float32)
    if encoder.sizes:
        features[-2:] = np.log2(np.array([info.width, info.height], np.float32))
    return FileRow(features, info, cached=False)


def test_a_row_comes_back_with_and_without_the_size_of_its_image(
    write_images: WriteImages, encoder: Encoder, tmp_path: Path
) -> None:
    (file,) = write_images(1)
    sized = encoder.reading(encoder.preprocessing, sizes=True)
    assert sized.space() == encoder.space()
    with FeatureCache(tmp_path, encoder.space()) as cache:
        rows = CachedRows(cache, sized)
        rows.keep(fresh(file, sized, 3.0))
        rows.write()
        for wanted in (sized, encoder):
            row = CachedRows(cache, wanted).look_up(images_of([file])[0])
            assert row is not None
            assert row.cached
            np.testing.assert_array_equal(row.features, fresh(file, wanted, 3.0).features)


def test_what_was_empty_at_the_beginning_is_not_looked_through(
    write_images: WriteImages, encoder: Encoder, tmp_path: Path
) -> None:
    (file,) = write_images(1)
    with FeatureCache(tmp_path, encoder.space()) as cache:
        rows = CachedRows(cache, encoder)
        rows.keep(fresh(file, encoder, 1.0))
        rows.write()
        assert rows.look_up(images_of([file])[0]) is None


def test_many_rows_are_written_before_the_end(write_images: WriteImages, encoder: Encoder, tmp_path: Path) -> None:
    (file,) = write_images(1)
    row = fresh(file, encoder, 1.0)
    with FeatureCache(tmp_path, encoder.space()) as cache:
        rows = CachedRows(cache, encoder)
        for i in range(255):
            rows.keep(replace(row, info=replace(row.info, key=f"{i:064x}")))
        assert cache.empty
        rows.keep(row)
        assert not cache.empty


def test_without_a_cache_and_for_an_unreadable_file_nothing_is_kept(encoder: Encoder, tmp_path: Path) -> None:
    none = CachedRows(None, encoder)
    none.keep(FileRow(np.zeros(encoder.n_features, np.float32), Decoded(key="0"), cached=False))
    none.write()
    with FeatureCache(tmp_path, encoder.space()) as cache:
        rows = CachedRows(cache, encoder)
        rows.keep(FileRow(None, Decoded(error="broken"), cached=False))
        rows.write()
        assert cache.empty
