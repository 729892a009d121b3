"""The engine of one machine: equal bits, bounded memory, nothing left behind when it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.features.here import PoolHere, WriteImages, expected_features, images_of
from tests.networks.far import Far, far

from graticule.features.cache import FeatureCache
from graticule.features.embed import embed_files
from graticule.features.engines import local
from graticule.images.decode import ImageFile
from graticule.networks.devices import BATCH, Device
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network

__all__ = ["far"]


def test_features_do_not_depend_on_workers_and_batches(write_images: WriteImages, encoder: Encoder) -> None:
    files = write_images(11)
    expected = expected_features(files, encoder)
    assert len(np.unique(expected[:, 0])) == 11
    for workers, batch_size in ((1, 3), (2, 8), (2, 1)):
        result = embed_files(images_of(files), encoder, workers=workers, batch_size=batch_size)
        np.testing.assert_array_equal(result.features, expected)
        assert result.readable.all()
        assert (result.decoded, result.cached) == (11, 0)


def test_views_reach_the_features(write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere]) -> None:
    files = write_images(2)
    four = replace(encoder, views=4)
    np.testing.assert_array_equal(embed_files(images_of(files), four).features, expected_features(files, four))


def test_facts_are_measured_where_a_cache_keeps_them(
    write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere], cache_home: Path
) -> None:
    files = images_of(write_images(2))
    scores_only = embed_files(files, encoder)
    with FeatureCache(cache_home, encoder.space()) as cache:
        kept = embed_files(files, encoder, cache=cache)
    np.testing.assert_array_equal(scores_only.features, kept.features)
    assert not any(item.facts or item.key or item.pixel_sha256 for item in scores_only.info)
    assert all(item.facts and item.key and item.pixel_sha256 for item in kept.info)


def test_files_under_way_are_bounded(write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere]) -> None:
    files = write_images(3)
    taken = 0

    def endless() -> Iterator[ImageFile]:
        nonlocal taken
        while True:
            yield ImageFile(files[taken % 3])
            taken += 1

    rows = local.rows(endless(), encoder, workers=2, batch_size=4)
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

    monkeypatch.setattr(local, "Network", Broken)
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        embed_files(images_of(write_images(9)), encoder, batch_size=1)
    assert threading.active_count() == threads


def test_another_device_gets_larger_batches_and_a_cache_of_its_own(
    write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere], cache_home: Path, far: Far
) -> None:
    files = images_of(write_images(5))
    there = replace(encoder, device=Device("cuda:0", BATCH))
    for cached in (0, 5):
        with FeatureCache(cache_home, there.space()) as cache:
            result = embed_files(files, there, cache=cache)
        np.testing.assert_array_equal(result.features, embed_files(files, encoder).features)
        assert (result.cached, far.sizes) == (cached, [BATCH])
    with FeatureCache(cache_home, encoder.space()) as cache:
        assert cache.empty


def test_what_the_processor_made_in_the_place_of_a_device_is_not_kept_as_its_own(
    write_images: WriteImages, encoder: Encoder, pool_here: type[PoolHere], cache_home: Path, far: Far
) -> None:
    files = images_of(write_images(6))
    there = replace(encoder, device=Device("cuda:0", 2))
    far.calls = 2
    with FeatureCache(cache_home, there.space()) as cache:
        result = embed_files(files, there, workers=1, cache=cache)
    np.testing.assert_array_equal(result.features, embed_files(files, encoder).features)
    assert result.readable.all()
    assert there.device.lost
    with FeatureCache(cache_home, there.space()) as cache:
        again = embed_files(files, replace(encoder, device=Device("cuda:0", 2)), cache=cache)
    assert again.cached <= 4
    np.testing.assert_array_equal(again.features, result.features)


INTERRUPTED = """
import signal
import sys
from dataclasses import replace
from pathlib import Path
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.networks.backbones import EMBEDDED
from graticule.features.cache import FeatureCache
from graticule.features.embed import embed_files
from graticule.networks.encoder import embedded_encoder
from graticule.runs import cache_folder

def progress(done):
    print(done, flush=True)

if __name__ == "__main__":
    # a shell's background job ignores Ctrl-C, and so would its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    files = [ImageFile(file) for file in sorted(Path(sys.argv[1]).iterdir())] * 1000
    encoder = embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1, output="features")
    encoder = replace(encoder, preprocessing=Preprocessing(48))
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
