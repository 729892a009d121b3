"""A listed file that is not there, while one is there whose name differs only in how it was typed or stored.

macOS writes composed letters as two code points, Windows takes upper and lower case for one: a table written there
names files that Linux does not find, and the names look equal on the screen.
"""

import os
from functools import lru_cache

from graticule.names import name_key


def look_alike(file: str) -> str | None:
    """An existing file whose path has the key of a missing one's (`graticule.names.name_key`), name by name.

    Parameters
    ----------
    file : str
        Absolute path of a file that does not exist.

    Returns
    -------
    str or None
        Absolute path; of several the first by code point.
    """
    if "\0" in file:
        return None
    top, missing = os.path.normpath(file), list[str]()
    while not os.path.isdir(top):  # noqa: PTH112 - as text: half a million of them may be missing
        top, name = os.path.split(top)
        if not name:
            return None
        missing.insert(0, name)
    found = _descend(top, missing)
    return None if found is None or os.path.isdir(found) else found  # noqa: PTH112


def typed_otherwise(name: str) -> str:
    """The hint of a message that names the file that is there."""
    return f"a file is there whose name differs only in how it is typed: {name!a}"


def _descend(folder: str, names: list[str]) -> str | None:
    if not names:
        return folder
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return None
    for entry in _entries(folder, changed).get(name_key(names[0]), ()):
        found = _descend(os.path.join(folder, entry), names[1:])  # noqa: PTH118
        if found is not None:
            return found
    return None


@lru_cache(maxsize=16)
def _entries(folder: str, changed: int) -> dict[str, list[str]]:
    """Names in a folder by key; read again when the folder has changed since."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return {}
    by_key: dict[str, list[str]] = {}
    for name in names:
        by_key.setdefault(name_key(name), []).append(name)
    return by_key
