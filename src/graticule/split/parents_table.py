"""The table of parents: which real images each generator of synthetic ones was made from.

It stands beside the table of the data as `parents.parquet` (or `parents.csv`): a row per generator and image, with the
columns `generator` and `sha256`, the hash of the image file's bytes. The data name the generator of each synthetic
image in their column `generator`.
"""

from collections import Counter
from pathlib import Path

from graticule.errors import ManifestError
from graticule.manifest import Manifest
from graticule.sources.tables import Faults, read_table
from graticule.split.training_only import is_synthetic

BESIDE, NONE = "auto", "none"
NAMES = ("parents.parquet", "parents.csv")
ParentTable = dict[str, frozenset[str]]
_HEX = frozenset("0123456789abcdef")


def read_parents(data: Path, manifest: Manifest, asked: str) -> ParentTable | None:
    """Hashes of the files that each generator saw, by its name.

    Parameters
    ----------
    data : Path
        What the manifest was read from.
    manifest : Manifest
    asked : str
        "auto": the table beside `data`; "none": the synthetic images were made without any image of the data; else the
        file of the table.

    Returns
    -------
    dict of str to frozenset of str, or None
        None where nothing is synthetic, or all of it was made without the data.

    Raises
    ------
    ManifestError
        When there is no table, it cannot be read, or a synthetic image names no generator of it.
    """
    synthetic = is_synthetic(manifest)
    if not synthetic.any() or asked == NONE:
        return None
    n = int(synthetic.sum())
    file = _table(data, asked)
    if file is None:
        raise ManifestError(
            f"{n:,} synthetic images (column origin) do not say which real images they were made from. Where those are "
            f"tested, the figures would be too good. What would work: a table {NAMES[0]} beside the data (columns "
            "generator and sha256: each real image that a generator saw) and a column generator in the data; or "
            "--parents none, if they were made without any of these images, which stamps the report"
        )
    table = _read(file)
    named = manifest.columns.get("generator")
    found = Counter("" if named is None else str(named[row]) for row in synthetic.nonzero()[0])
    unknown = {name: count for name, count in found.items() if name not in table}
    if unknown:
        told = [f"{name!r} ({count:,})" if name else f"none named ({count:,})" for name, count in unknown.items()]
        raise ManifestError(
            f"{sum(unknown.values()):,} of {n:,} synthetic images are of a generator that {str(file)!r} does not hold: "
            f"{', '.join(told[:10])}; it holds {', '.join(map(repr, sorted(table)[:10]))}. Name the generator of each "
            "in the column generator, or leave these images out"
        )
    return {name: table[name] for name in sorted(found)}


def _table(data: Path, asked: str) -> Path | None:
    if asked != BESIDE:
        return Path(asked)
    folder = data if data.is_dir() else data.parent
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def _read(file: Path) -> ParentTable:
    cells = read_table(file)
    faults = Faults(repr(str(file)))
    for name in ("generator", "sha256"):
        if name not in cells.columns:
            faults.add("missing column", f"{name}; the columns are {', '.join(map(repr, cells.columns))}")
    faults.raise_if_any()
    seen: dict[str, set[str]] = {}
    for row, name, sha in zip(cells.rows, cells.columns["generator"], cells.columns["sha256"], strict=True):
        if not name:
            faults.add("no generator", f"row {row}")
        elif len(sha) != 64 or not _HEX.issuperset(sha.lower()):
            faults.add("sha256 is no hash of 64 hexadecimal digits", f"row {row}: {sha!r}")
        else:
            seen.setdefault(name, set()).add(sha.lower())
    if not cells.rows:
        faults.add("no row", "it must name the images that each generator saw")
    faults.raise_if_any()
    return {name: frozenset(hashes) for name, hashes in seen.items()}
