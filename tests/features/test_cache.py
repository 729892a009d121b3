"""The feature cache: what is stored comes back, damage is noticed, trouble is never fatal."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from graticule.features.cache import CachedFeatures, FeatureCache
from graticule.runs import cache_folder

SPACE = "5pace" * 10


def entry(seed: int = 0, size: int = 992) -> CachedFeatures:
    features = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    return CachedFeatures(features, f"{seed:064x}", 30 + seed, 40, "RGB, 8 bit", b"facts" * seed)


def same(one: CachedFeatures | None, other: CachedFeatures) -> bool:
    assert one is not None
    facts = [(e.pixel_sha256, e.width, e.height, e.mode, e.facts) for e in (one, other)]
    return facts[0] == facts[1] and one.features.tobytes() == other.features.tobytes()


def database(folder: Path) -> Path:
    (file,) = (folder / "features").glob("*.sqlite")
    return file


def test_what_is_stored_comes_back_bit_for_bit(tmp_path: Path) -> None:
    odd = entry(1)
    odd.features[:3] = [np.nan, -0.0, 1e-42]
    with FeatureCache(tmp_path, SPACE) as cache:
        assert cache.empty
        cache.put([("a", entry()), ("b", odd)])
        assert not cache.empty
        assert same(cache.get("a"), entry())
    with FeatureCache(tmp_path, SPACE) as cache:
        assert same(cache.get("b"), odd)
        assert cache.get("c") is None
        cache.put([("a", entry(2))])
        assert same(cache.get("a"), entry(2))
        assert cache.fault == ""


def test_spaces_are_apart(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, SPACE) as cache:
        cache.put([("a", entry())])
    with FeatureCache(tmp_path, "another" * 10) as cache:
        assert cache.empty
        assert cache.get("a") is None


@pytest.mark.parametrize(
    "damage",
    [
        "vector = zeroblob(3968)",
        "vector = substr(vector, 1, 3964)",
        "vector = 'text'",
        "digest = zeroblob(8)",
        "pixel_sha256 = 'other'",
        "pixel_sha256 = CAST(x'fffe' AS TEXT)",
        "width = 31",
        "mode = 'grey, 8 bit'",
    ],
)
def test_a_damaged_row_counts_as_absent(tmp_path: Path, damage: str) -> None:
    with FeatureCache(tmp_path, SPACE) as cache:
        cache.put([("a", entry()), ("b", entry(1))])
    with closing(sqlite3.connect(database(tmp_path))) as connection, connection:
        connection.execute(f"UPDATE features SET {damage} WHERE sha256 = 'a'")
    with FeatureCache(tmp_path, SPACE) as cache:
        assert cache.get("a") is None
        assert same(cache.get("b"), entry(1))
        cache.put([("a", entry())])
        assert same(cache.get("a"), entry())
        assert cache.fault == ""


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, SPACE):
        file = database(tmp_path)
    file.write_bytes(b"not a database at all" * 100)
    with FeatureCache(tmp_path, SPACE) as cache:
        assert cache.fault == ""
        cache.put([("a", entry())])
        assert same(cache.get("a"), entry())
    assert file.with_suffix(".damaged").read_bytes().startswith(b"not a database")


def test_a_database_damaged_inside_is_set_aside(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, SPACE) as cache:
        cache.put([(f"{i:064x}", entry(i)) for i in range(60)])
        file = database(tmp_path)
    data = bytearray(file.read_bytes())
    page = int.from_bytes(data[16:18], "big")
    for start in range(page, len(data), page):
        data[start : start + 200] = bytes([0x5A]) * 200
    file.write_bytes(data)
    with FeatureCache(tmp_path, SPACE) as cache:
        assert cache.get(f"{1:064x}") is None
        assert cache.empty
        assert cache.fault == ""
        cache.put([("a", entry())])
        assert same(cache.get("a"), entry())
    assert file.with_suffix(".damaged").exists()


def test_every_flipped_byte_gives_the_right_features_or_none(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, SPACE) as cache:
        cache.put([("a", entry(size=8))])
        file = database(tmp_path)
    data = file.read_bytes()
    found = 0
    for position in range(0, len(data), 61):
        file.write_bytes(data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :])
        with FeatureCache(tmp_path, SPACE) as cache:
            answer = cache.get("a")
            assert answer is None or same(answer, entry(size=8))
            assert cache.fault == ""
            found += answer is not None
    assert found > 50


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("a file is in the way")
    with FeatureCache(tmp_path, SPACE) as cache:
        assert cache.fault.startswith("features are not cached: ")
        assert cache.empty
        cache.put([("a", entry())])
        assert cache.get("a") is None


def test_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, SPACE) as cache:
        cache.put([("a", entry())])
        assert cache._database is not None
        cache._database.execute("PRAGMA query_only = ON")
        cache.put([("b", entry(1))])
        assert "readonly" in cache.fault
        assert cache.get("a") is None
    with FeatureCache(tmp_path, SPACE) as cache:
        assert same(cache.get("a"), entry())


def test_a_full_disk(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, SPACE) as cache:
        cache.put([("a", entry())])
        assert cache._database is not None
        cache._database.execute("PRAGMA max_page_count = 8")
        cache.put([(f"{i:064x}", entry(i)) for i in range(60)])
        assert "full" in cache.fault
    with FeatureCache(tmp_path, SPACE) as cache:
        assert same(cache.get("a"), entry())
        assert cache.get(f"{0:064x}") is None


WRITER = """
import sys
import numpy as np
from pathlib import Path
from graticule.features.cache import CachedFeatures, FeatureCache
first = int(sys.argv[2])
with FeatureCache(Path(sys.argv[1]), "shared" * 8) as cache:
    for i in range(first, first + 100, 5):
        rows = [(f"{n:064x}", CachedFeatures(np.full(992, n, np.float32), "", n, 1, "")) for n in range(i, i + 5)]
        cache.put(rows)
    print(cache.fault, end="")
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, str(first)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for first in (0, 50)
    ]
    assert [writer.communicate(timeout=60)[0] for writer in writers] == ["", ""]
    with FeatureCache(tmp_path, "shared" * 8) as cache:
        for n in range(150):
            found = cache.get(f"{n:064x}")
            assert found is not None
            assert found.width == n == found.features[991]


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, cache_home: Path) -> None:
    assert cache_folder() == cache_home
    monkeypatch.delenv("GRATICULE_CACHE")
    assert cache_folder().name == "graticule"
    assert cache_folder().is_absolute()


def test_nothing_is_left_open(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, SPACE) as cache:
        cache.put([("a", entry())])
    assert [file.suffix for file in (tmp_path / "features").iterdir()] == [".sqlite"]


@pytest.mark.parametrize("answer", ["raises", "~/.cache/graticule"])
def test_an_account_without_a_home_works_without_a_cache(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    def no_home(*_: object, **__: object) -> str:
        if answer == "raises":
            raise RuntimeError("could not determine the home directory")
        return answer

    monkeypatch.delenv("GRATICULE_CACHE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", no_home)
    with FeatureCache(cache_folder(), "space") as cache:
        assert cache.fault.startswith("features are not cached: this account has no home folder. Set GRATICULE_CACHE")
        assert cache.empty
    assert not Path("~").exists()
