"""Folders that are one image: Zarr (OME-Zarr, OME-NGFF) and N5 keep an image as a tree of hundreds of small files."""

import json
from collections.abc import Collection
from pathlib import Path, PurePath

from graticule.files import read_regular
from graticule.formats.catalogue import SUFFIXES

# Zarr 2 and 3: https://zarr-specs.readthedocs.io
_ZARR = frozenset((".zarray", ".zgroup", ".zattrs", ".zmetadata", "zarr.json"))
_N5 = "attributes.json"  # https://github.com/saalfeldlab/n5
_N5_BYTES = 2**20


def chunk_store(folder: Path, names: Collection[str] | None = None) -> str:
    """The cause why a folder is one image that is not read, or "" for a folder like any other.

    Parameters
    ----------
    folder : Path
    names : collection of str, optional
        What lies in it, where the caller has it.

    Returns
    -------
    str
        Told by the files that Zarr and N5 write into a folder, or by its name ending (copies often lose files with a
        leading dot) when no file in it is named as an image.
    """
    if names is None:
        try:
            names = {entry.name for entry in folder.iterdir()}
        except (OSError, ValueError):  # no folder; a zero byte in the name
            return ""
    kind = ""
    if not _ZARR.isdisjoint(names):
        kind = "Zarr"
    elif _N5 in names and _is_n5(folder / _N5):
        kind = "N5"
    elif not any(PurePath(name).suffix.lower() in SUFFIXES for name in names):
        kind = {".zarr": "Zarr", ".n5": "N5"}.get(folder.suffix.lower(), "")
    if not kind:
        return ""
    return (
        f"{'OME-Zarr' if kind == 'Zarr' else 'N5'} is not supported: this folder is one image in many small files. "
        "Save its pictures as TIFF, OME-TIFF or PNG (from Fiji, napari or QuPath, for example) and take this away"
    )


def _is_n5(file: Path) -> bool:
    """Whether attributes.json is that of an N5 group or data set."""
    try:
        found = json.loads(read_regular(file, _N5_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and ("n5" in found or {"dimensions", "dataType"} <= set(found))
