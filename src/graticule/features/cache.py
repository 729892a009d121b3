"""Features on disk, so that no image is embedded twice.

One SQLite file per feature space; a space is the hash of reader version, network, preprocessing and views. A row is
keyed by the hash of the file's bytes, so renaming, moving or relabelling files keeps it valid. Each row carries a
digest: a damaged one counts as absent. A damaged database is set aside and begun anew. A cache that cannot be used
(read-only folder, full disk) is never fatal.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from graticule.runs import NOWHERE

_LAYOUT = 2
_FACTS = (str, int, int, str, bytes)  # SQLite holds any type in any column
# the sqlite3 module cannot even say what is wrong where a damaged name is no UTF-8
_DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)


@dataclass(frozen=True)
class CachedFeatures:
    """What is stored for one image file: its features and what was learnt while decoding."""

    features: NDArray[np.float32]
    pixel_sha256: str
    width: int
    height: int
    mode: str
    facts: bytes = b""


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
        self._file = folder / "features" / f"{space[:32]}.sqlite"
        self._open()

    def _open(self) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._database = _connect(self._file)
            except _DATABASE_ERRORS as error:
                if not _is_damage(error):
                    raise
                _set_aside(self._file)
                self._database = _connect(self._file)
        except (OSError, *_DATABASE_ERRORS) as error:
            self.fault = self._without(error)

    def _without(self, error: Exception) -> str:
        """The one note on work without a cache."""
        home = "this account has no home folder" if NOWHERE in self._file.parents else str(error)
        return f"features are not cached: {home}. Set GRATICULE_CACHE to a folder that can be written to"

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _recover(self, error: Exception) -> None:
        """Begin anew when the file is damaged, else do without a cache."""
        self._close()
        if not _is_damage(error):
            self.fault = self._without(error)
            return
        try:
            _set_aside(self._file)
        except OSError as failure:
            self.fault = self._without(failure)
            return
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look up."""
        if self._database is None:
            return True
        try:
            return self._database.execute("SELECT 1 FROM features LIMIT 1").fetchone() is None
        except _DATABASE_ERRORS as error:
            self._recover(error)
            return True

    def get(self, sha256: str) -> CachedFeatures | None:
        """Features of a file by its hash, or None."""
        if self._database is None:
            return None
        try:
            row = self._database.execute(
                "SELECT vector, digest, pixel_sha256, width, height, mode, facts FROM features WHERE sha256 = ?",
                (sha256,),
            ).fetchone()
        except _DATABASE_ERRORS as error:
            self._recover(error)
            return None
        if row is None:
            return None
        vector, digest, *facts = row
        if not isinstance(vector, bytes) or len(vector) % 4 or _digest(vector, *facts) != digest:
            return None
        if not all(isinstance(value, kind) for value, kind in zip(facts, _FACTS, strict=True)):
            return None
        return CachedFeatures(np.frombuffer(vector, dtype="<f4"), *facts)

    def put(self, rows: Iterable[tuple[str, CachedFeatures]]) -> None:
        """Store features under file hashes, in one transaction."""
        if self._database is None:
            return
        try:
            with self._database:
                self._database.executemany(
                    "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (_row(*row) for row in rows)
                )
        except _DATABASE_ERRORS as error:
            self._recover(error)


def _connect(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=60.0)
    # damaged text is for the digest to find
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS features (sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL, "
                "digest BLOB NOT NULL, pixel_sha256 TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, "
                "mode TEXT NOT NULL, facts BLOB NOT NULL) WITHOUT ROWID"
            )
            database.execute(f"PRAGMA user_version = {_LAYOUT}")
    except _DATABASE_ERRORS:
        database.close()
        raise
    return database


def _is_damage(error: Exception) -> bool:
    """Whether the file is at fault: a corrupt page, no database, or a schema that our fixed statements do not fit."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return code in damage or isinstance(error, UnicodeDecodeError)


def _set_aside(file: Path) -> None:
    """Keep a damaged database for inspection; its journals must not meet the new one."""
    file.replace(file.with_suffix(".damaged"))
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _digest(vector: bytes, *facts: str | int | bytes) -> bytes:
    return hashlib.blake2b(vector + repr(facts).encode(), digest_size=8).digest()


def _row(sha256: str, entry: CachedFeatures) -> tuple[str, bytes, bytes, str, int, int, str, bytes]:
    vector = np.ascontiguousarray(entry.features, dtype="<f4").tobytes()
    facts = (entry.pixel_sha256, entry.width, entry.height, entry.mode, entry.facts)
    return (sha256, vector, _digest(vector, *facts), *facts)
