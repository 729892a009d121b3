"""Features on disk, so that no image is embedded twice.

One SQLite file per feature space; a space is the hash of reader version, network, preprocessing and views. A row is
keyed by the hash of the file's bytes, so renaming, moving or relabelling files keeps it valid. Each vector carries
a digest: a damaged row counts as absent. A cache that cannot be used (read-only folder, full disk) is never fatal.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import platformdirs
from numpy.typing import NDArray

_LAYOUT = 1


@dataclass(frozen=True)
class CachedFeatures:
    """What is stored for one image file: its features and what was learnt while decoding."""

    features: NDArray[np.float32]
    pixel_sha256: str
    width: int
    height: int
    mode: str


def cache_folder() -> Path:
    """The user's cache folder: $GRATICULE_CACHE, or the platform's habit."""
    configured = os.environ.get("GRATICULE_CACHE")
    return Path(configured) if configured else Path(platformdirs.user_cache_dir("graticule", appauthor=False))


class FeatureCache:
    """Features of one space by file hash. Use as a context manager.

    Parameters
    ----------
    folder : Path
        Where the cache files lie; created when missing.
    space : str
        Hash of everything but the file that features depend on.

    Attributes
    ----------
    fault : str
        Why the cache is not in use, or "".
    """

    def __init__(self, folder: Path, space: str) -> None:
        self.fault = ""
        self._database: sqlite3.Connection | None = None
        file = folder / "features" / f"{space[:32]}.sqlite"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._database = self._open(file)
        except (OSError, sqlite3.Error) as error:
            self._fail(error)

    @staticmethod
    def _open(file: Path) -> sqlite3.Connection:
        try:
            return _connect(file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            file.replace(file.with_suffix(".damaged"))
            return _connect(file)

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _fail(self, error: Exception) -> None:
        self.fault = f"features are not cached: {error}"
        if self._database is not None:
            self._database.close()
            self._database = None

    def __len__(self) -> int:
        if self._database is None:
            return 0
        return int(self._database.execute("SELECT count(*) FROM features").fetchone()[0])

    def get(self, sha256: str) -> CachedFeatures | None:
        """Features of a file by its hash, or None."""
        if self._database is None:
            return None
        try:
            row = self._database.execute(
                "SELECT vector, digest, pixel_sha256, width, height, mode FROM features WHERE sha256 = ?", (sha256,)
            ).fetchone()
        except sqlite3.Error as error:
            self._fail(error)
            return None
        if row is None or _digest(row[0]) != row[1]:
            return None
        return CachedFeatures(np.frombuffer(row[0], dtype="<f4"), row[2], row[3], row[4], row[5])

    def put(self, rows: Iterable[tuple[str, CachedFeatures]]) -> None:
        """Store features under file hashes, in one transaction."""
        if self._database is None:
            return
        try:
            with self._database:
                self._database.executemany(
                    "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?, ?)", (_row(*row) for row in rows)
                )
        except sqlite3.Error as error:
            self._fail(error)


def _connect(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=60.0)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    with database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS features (sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL, digest BLOB NOT NULL, "
            "pixel_sha256 TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, mode TEXT NOT NULL) "
            "WITHOUT ROWID"
        )
        database.execute(f"PRAGMA user_version = {_LAYOUT}")
    return database


def _digest(vector: bytes) -> bytes:
    return hashlib.blake2b(vector, digest_size=8).digest()


def _row(sha256: str, entry: CachedFeatures) -> tuple[str, bytes, bytes, str, int, int, str]:
    vector = np.ascontiguousarray(entry.features, dtype="<f4").tobytes()
    return (sha256, vector, _digest(vector), entry.pixel_sha256, entry.width, entry.height, entry.mode)
