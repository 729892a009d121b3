"""The table of parents: which real images each generator of synthetic ones was made from.

It stands beside the table of the data as `parents.parquet` (or `parents.csv`): a row per generator and image, with the
columns `generator` and `sha256`, the hash of the image file's bytes. The data name the generator of each synthetic
image in their column `generator`.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graticule.errors import ManifestError
from graticule.files import writing
from graticule.manifest import Manifest
from graticule.sources.tables import Faults, read_table
from graticule.split.training_only import is_synthetic

BESIDE, NONE = "auto", "none"
NAMES = ("parents.parquet", "parents.csv")
ParentTable = dict[str, frozenset[str]]
_HEX = frozenset("0123456789abcdef")


def read_parents(data: Path, manifest: Manifest, asked: str, made: Path | None = None) -> ParentTable | None:
    """Hashes of the files that each generator saw, by its name.

    Parameters
    ----------
    data : Path
        What the manifest was read from.
    manifest : Manifest
    asked : str
        "auto": the tables beside `data` and beside `made`; "none": the synthetic images were made without any image of
        the data; else the file of the table.
    made : Path, optional
        What synthetic images were read from that do not stand in `data`.

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
    files = parents_files([data] if made is None else [data, made], asked)
    if not files:
        raise ManifestError(
            f"{n:,} synthetic images (column origin) do not say which real images they were made from. Where those are "
            f"tested, the figures would be too good. What would work: a table {NAMES[0]} beside the data (columns "
            "generator and sha256: each real image that a generator saw) and a column generator in the data; or "
            "--parents none, if they were made without any of these images, which stamps the report"
        )
    table: ParentTable = {}
    for file in files:  # a name that stands in two tables saw what either says
        for name, hashes in _read(file).items():
            table[name] = table.get(name, frozenset()) | hashes
    named = manifest.columns.get("generator")
    found = Counter("" if named is None else str(named[row]) for row in synthetic.nonzero()[0])
    unknown = {name: count for name, count in found.items() if name not in table}
    if unknown:
        told = [f"{name!r} ({count:,})" if name else f"none named ({count:,})" for name, count in unknown.items()]
        raise ManifestError(
            f"{sum(unknown.values()):,} of {n:,} synthetic images are of a generator that "
            f"{' and '.join(repr(str(file)) for file in files)} does not hold: {', '.join(told[:10])}; it "
            f"holds {', '.join(map(repr, sorted(table)[:10]))}. Name the generator of each "
            "in the column generator, or leave these images out"
        )
    return {name: table[name] for name in sorted(found)}


def parents_files(data: Sequence[Path], asked: str) -> list[Path]:
    """The tables asked for: with "auto" those beside the data, of which there may be none; else the file named."""
    if asked != BESIDE:
        return [Path(asked)]
    folders = [own if own.is_dir() else own.parent for own in data]
    found = [next((folder / name for name in NAMES if (folder / name).is_file()), None) for folder in folders]
    return list(dict.fromkeys(file for file in found if file is not None))


def write_parents(file: Path, table: ParentTable) -> None:
    """Write a table of parents as Parquet, sorted."""
    rows = [(name, sha) for name in sorted(table) for sha in sorted(table[name])]
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    with writing(file) as sink:
        pq.write_table(pa.table(columns, names=["generator", "sha256"]), sink)


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
