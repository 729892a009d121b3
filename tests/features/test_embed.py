"""Files to features: order, unreadable files, the cache, equal bits, bounded memory, interruption."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graticule.features import embed
from graticule.features.cache import FeatureCache
from graticule.features.embed import embed_files, stream_rows
from graticule.images.decode import Decoded, ImageFile, decode_file
from graticule.images.image import read_image
from graticule.images.preprocess import Preprocessing, prepare
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network

WriteImages = Callable[..., list[Path]]


class PoolHere:
    """Stands for DecodePool where worker processes are not what is tested; counts the files it decodes."""

    decoded = 0

    def __init__(self, workers: int, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing

    def __enter__(self) -> PoolHere:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, files: Sequence[ImageFile]) -> Future[list[Decoded]]:
        type(self).decoded += len(files)
        future: Future[list[Decoded]] = Future()
        future.set_result([decode_file(file, self.preprocessing) for file in files])
        return future

    def close(self) -> None:
        pass


@pytest.fixture
def pool_here(monkeypatch: pytest.MonkeyPatch) -> type[PoolHere]:
    pool = type("CountingPool", (PoolHere,), {"decoded": 0})
    monkeypatch.setattr(embed, "DecodePool", pool)
    return pool


def images_of(files: list[Path]) -> list[ImageFile]:
    return [ImageFile(file) for file in files]


def expected_features(files: list[Path], encoder: Encoder) -> np.ndarray:
    """One file after another, without pool, threads and cache."""
    network = Network(encoder.model)
    pixels = [prepare(read_image(file), encoder.preprocessing)[None] for file in files]
    return np.concatenate([network.averaged(picture, encoder.views) for picture in pixels])


def test_features_do_not_depend_on_workers_and_batches(write_images: WriteImages, encoder: Encoder) -> None:
    files = write_images(11)
    expected = expected_features(files, encoder)
    assert len(np.unique(expected[:, 0])) == 11
    for workers, batch_size in ((1, 3), (2, 8), (2, 1)):
        result = embed_files(images_of(files), encoder, workers=workers, batch_size=batch_size)
        np.testing.assert_array_equal(result.features, expected)
        assert result.readable.all()
        assert (result.decoded, result.cached) == (11, 0)


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


def test_views_reach_the_features(write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere]) -> None:
    files = write_images(2)
    four = replace(encoder, views=4)
    np.testing.assert_array_equal(embed_files(images_of(files), four).features, expected_features(files, four))


class TestCache:
    """A second pass embeds only what is new."""

    def run(self, files: list[Path], encoder: Encoder, folder: Path) -> embed.Embedding:
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
        ids=str,
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


def test_files_under_way_are_bounded(write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere]) -> None:
    files = write_images(3)
    taken = 0

    def endless() -> Iterator[ImageFile]:
        nonlocal taken
        while True:
            yield ImageFile(files[taken % 3])
            taken += 1

    rows = stream_rows(endless(), encoder, workers=2, batch_size=4)
    ahead = []
    for given, _ in zip(range(60), rows, strict=False):
        ahead.append(taken - given)
    rows.close()
    assert max(ahead) <= 4 * (3 * 2 + 1)
    before = taken
    time.sleep(0.1)
    assert taken == before


def test_an_error_in_the_network_is_not_swallowed(
    write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Network):
        def averaged(self, pixels: object, views: int) -> np.ndarray:
            raise ZeroDivisionError("a defect")

    monkeypatch.setattr(embed, "Network", Broken)
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        embed_files(images_of(write_images(9)), encoder, batch_size=1)
    assert threading.active_count() == threads


INTERRUPTED = """
import signal
import sys
from dataclasses import replace
from pathlib import Path
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.networks.backbones import EMBEDDED
from graticule.features.cache import FeatureCache, cache_folder
from graticule.features.embed import embed_files
from graticule.networks.encoder import embedded_encoder

def progress(done):
    print(done, flush=True)

if __name__ == "__main__":
    # a shell's background job ignores Ctrl-C, and so would its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    files = [ImageFile(file) for file in sorted(Path(sys.argv[1]).iterdir())] * 1000
    encoder = replace(embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1), preprocessing=Preprocessing(48))
    with FeatureCache(cache_folder(), encoder.space()) as cache:
        try:
            embed_files(files, encoder, workers=2, batch_size=2, cache=cache, progress=progress)
        except KeyboardInterrupt:
            sys.exit(7)
"""


def test_ctrl_c_leaves_no_worker_and_keeps_the_cache(
    write_images: WriteImages, encoder: Encoder, tmp_path: Path, cache_home: Path
) -> None:
    files = write_images(4)
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, str(script), str(files[0].parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    while process.stdout.readline() != "30\n":
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 7
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and group_alive(process.pid):
        time.sleep(0.05)
    assert not group_alive(process.pid)
    with FeatureCache(cache_home, encoder.space()) as cache:
        assert not cache.empty


def group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
