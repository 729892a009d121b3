"""From what the user has (class folders, split folders, a table, a list) to a Manifest.

Every fault of an input is collected and raised as one ManifestError. Labels come from folders and tables, never from
file names.
"""

import contextlib
import os
from collections import Counter
from pathlib import Path

from graticule.arrays import StrArray, object_array
from graticule.errors import ManifestError, OptionError
from graticule.formats.chunk_stores import chunk_store
from graticule.manifest import Manifest, unescape_path
from graticule.names import name_key
from graticule.sources.folders import Listing, in_service_folder, list_folder
from graticule.sources.labels import alike_warnings, check_labels, check_values, choose_group, group_hint
from graticule.sources.look_alikes import look_alike, typed_otherwise
from graticule.sources.tables import SHOWN_PER_KIND, TABLE_SUFFIXES, Faults, Table, decode_text, read_bytes, read_table
from graticule.sources.targets import PIXEL_SIZE, TargetColumn, check_targets, target_cells
from graticule.tasks import CLASSIFICATION, REGRESSION, TASKS

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_LAYOUTS = (
    "DATA is a folder per class (DATA/<class>/*), DATA/{train,val,test}/<class>/*, or a .csv or .parquet table "
    "with columns path and label"
)


def read_manifest(
    data: Path, *, root: Path | None = None, group: str | None = "auto", target: TargetColumn | None = None
) -> Manifest:
    """Read a labelled data set.

    Parameters
    ----------
    data : Path
        Class folders, split folders, a `.csv` or `.parquet` table, or a folder that holds `manifest.csv`.
    root : Path, optional
        Folder that the paths of a table are relative to; by default the table's own.
    group : str, optional
        "auto": the column `group` where there is one; a column's name: that column becomes `group`; "none" or None:
        no groups.
    target : TargetColumn, optional
        The column of numbers to learn, which becomes `target`; the table then needs no column label.

    Returns
    -------
    Manifest
        In the order of the table; of a folder, sorted by path.

    Raises
    ------
    ManifestError
        With every fault found in the input.
    OptionError
        When `root` is no folder or goes with class folders, or `group` or `target` names no column.
    """
    data = Path(os.path.abspath(data))  # noqa: PTH100 - lexical: links in the user's path stay as typed
    if root is not None and not root.is_dir():
        raise OptionError(f"--root {str(root)!r} is no folder")
    if data.is_dir() and not (data / "manifest.csv").is_file():
        if root is not None:
            raise OptionError(f"--root goes with a table; {str(data)!r} is a folder of images without manifest.csv")
        choose_group({}, group)
        if target is not None:
            target_cells({}, target)
        return _from_folders(data)
    table = data / "manifest.csv" if data.is_dir() else data
    if not _is_file(table):
        raise ManifestError(f"{str(data)!r} does not exist or is no regular file. {_LAYOUTS}")
    if table.suffix.lower() not in TABLE_SUFFIXES:
        raise ManifestError(f"{str(data)!r} is a file, but no table. {_LAYOUTS}")
    return _from_table(table, root, group, target)


def check_trainable(manifest: Manifest) -> None:
    """Check that there are two classes or more, each of two labelled samples or more.

    Raises
    ------
    ManifestError
        With the counts per class.
    """
    counts = Counter(str(label) for label in manifest.label if label)
    problems: list[str] = []
    if not counts:
        problems.append(f"none of {len(manifest)} samples has a label")
    elif len(counts) == 1:
        problems.append("there is one class only; a classifier needs two or more")
    single = [name for name in sorted(counts) if counts[name] == 1]
    if single:
        problems.append(f"one sample only in class {', '.join(map(repr, single[:10]))}: add images or leave it out")
    if problems:
        shown = [f"{name!r} {counts[name]}" for name in sorted(counts)[:20]] + ["..."] * (len(counts) > 20)
        found = f"\n  samples per class: {', '.join(shown)}" if counts else ""
        hints = "".join(f"\n  note: {warning}" for warning in manifest.warnings)
        raise ManifestError(f"cannot train on {str(manifest.root)!r}: {'; '.join(problems)}{found}{hints}")


def list_images(path: Path, *, root: Path | None = None) -> Manifest:
    """List images to predict, all unlabelled.

    Parameters
    ----------
    path : Path
        A folder (searched through all levels), one image file, a `.txt` with a path per line, or a `.csv` or
        `.parquet` with a column `path`. A list's paths are relative to its folder or to `root`; where one of them is
        absolute or climbs out, all are taken relative to their deepest common folder. A listed file is not looked
        for here: one that cannot be read becomes a failure of that row.
    root : Path, optional
        Folder that the paths of a list are relative to.

    Raises
    ------
    ManifestError
        When there is nothing to predict, or a pixel size (column pixel_size_nm) is no positive number.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100
    columns: dict[str, StrArray] = {}
    if path.is_dir():
        listing = list_folder(path)
        _raise_unlistable(path, listing)
        names, base, warnings = listing.files, path, tuple(listing.all_warnings())
    elif not _is_file(path):
        raise ManifestError(f"{str(path)!r} does not exist: give a folder, an image, or a .txt, .csv or .parquet list")
    elif path.suffix.lower() in (".txt", *TABLE_SUFFIXES):
        base = Path(os.path.abspath(root or path.parent))  # noqa: PTH100
        listed, columns = _listed(path)
        names, base = _common_base([_native(text, base) for text in listed], base)
        warnings = tuple(_service_warning(names))
    else:
        names, base, warnings = [path.name], path.parent, ()
    if not names:
        raise ManifestError("\n  note: ".join([f"{str(path)!r} holds no images", *warnings]))
    return Manifest(base, object_array(names), object_array([""] * len(names)), columns, warnings)


def _listed(file: Path) -> tuple[list[str], dict[str, StrArray]]:
    """Paths of a list, and the pixel sizes beside them where a table has any."""
    if file.suffix.lower() == ".txt":
        lines = decode_text(read_bytes(file), errors="surrogateescape").split("\n")
        return [line.removesuffix("\r") for line in lines if line.removesuffix("\r")], {}
    table = read_table(file, TASKS)
    if "path" not in table.columns:
        raise ManifestError(f"{str(file)!r} has no column path; its columns are {', '.join(table.columns)}")
    paths = table.columns["path"]
    sizes = {PIXEL_SIZE: cells} if (cells := table.columns.get(PIXEL_SIZE)) is not None else {}
    faults = Faults(repr(str(file)))
    check_values(sizes, table, (), faults)
    faults.raise_if_any()
    paths = paths if table.root is None else [unescape_path(text) for text in paths]
    return paths, {name: object_array(cells) for name, cells in sizes.items()}


def _common_base(names: list[str], base: Path) -> tuple[list[str], Path]:
    """Relative, normalised names, and the folder that they are relative to."""
    full = [os.path.normpath(base / name) for name in names]
    top = _top(base)
    inside = [_inside(name, top) for name in names]
    known = [name for name in inside if name is not None]
    if len(known) == len(names):
        return known, base
    try:
        common = Path(os.path.commonpath([os.path.dirname(name) for name in full]))  # noqa: PTH120
    except ValueError as error:  # two drives of Windows
        raise ManifestError(f"the listed files have no folder in common ({error}): use one list per drive") from error
    return [Path(name).relative_to(common).as_posix() for name in full], common


def _top(root: Path) -> str:
    """The root with a separator at its end, as text: five times faster than paths, for half a million rows."""
    return os.path.join(root, "")  # noqa: PTH118


def _inside(name: str, top: str) -> str | None:
    """Normalised name relative to `_top(root)`, or None where it leads out of it. Links are not resolved."""
    full = os.path.normpath(os.path.join(top, name))  # noqa: PTH118
    return full[len(top) :].replace(os.sep, "/") if full.startswith(top) and full != top else None


def _is_file(path: Path | str) -> bool:
    """Whether there is a regular file; False too for names that the system refuses (too long, with a NUL)."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long


def _native(text: str, root: Path) -> str:
    r"""The name that a cell means: as it stands, or unescaped, or with Windows' `\` for "/", whichever exists."""
    if "\\" not in text or _is_file(root / text):
        return text
    readings = [text.replace("\\", "/")]
    with contextlib.suppress(ManifestError):
        readings.insert(0, unescape_path(text))
    return next((name for name in readings if _is_file(root / name)), text)


def _missing(text: str, inside: str, top: str) -> str:
    """A path without a file, for a message; with the file that is there under a twin of its name."""
    found = look_alike(top + inside) or look_alike(top + inside.replace("\\", "/"))
    if found is None:
        return repr(text)
    there = found[len(top) :].replace(os.sep, "/") if found.startswith(top) else found
    return f"{text!a}; {typed_otherwise(there)}"


def _raise_unlistable(data: Path, listing: Listing) -> None:
    faults = Faults(repr(str(data)))
    faults.extend("folder cannot be read", listing.faults)
    faults.raise_if_any()


def _is_split_layout(listing: Listing) -> bool:
    """Whether all folders at the top that hold images have a split's name, and one of them holds folders."""
    top = {name.split("/")[0] for name in listing.files if "/" in name}
    parents = {folder.split("/")[0] for folder in listing.folders if "/" in folder}
    return bool(top & parents) and all(name_key(name) in SPLIT_NAMES for name in top)


def _from_folders(data: Path) -> Manifest:
    listing = list_folder(data)
    _raise_unlistable(data, listing)
    faults = Faults(repr(str(data)))
    depth = 2 if _is_split_layout(listing) else 1
    parts = [name.split("/") for name in listing.files]
    loose = [name for name, part in zip(listing.files, parts, strict=True) if len(part) <= depth]
    if not listing.files:
        raise ManifestError("\n  note: ".join([f"{str(data)!r} holds no images. {_LAYOUTS}", *listing.all_warnings()]))
    faults.extend("image outside a class folder", map(repr, loose))
    labels = [part[depth - 1] for part in parts if len(part) > depth]
    check_labels(labels, [None] * len(labels), faults)
    faults.raise_if_any()
    folders = [folder for folder in listing.folders if folder.count("/") == depth - 1]
    warnings = listing.all_warnings() + _folder_warnings(folders, listing.files, depth) + alike_warnings(labels, {})
    columns: dict[str, StrArray] = {}
    if depth == 2:
        columns["split"] = object_array([SPLIT_NAMES[name_key(part[0])] for part in parts])
    return Manifest(data, object_array(listing.files), object_array(labels), columns, tuple(warnings))


def _folder_warnings(folders: list[str], files: list[str], depth: int) -> list[str]:
    filled = {"/".join(name.split("/")[:depth]) for name in files}
    warnings = [f"class folder {folder!r} holds no images" for folder in folders if folder not in filled]
    splits = [folder for folder in folders if depth == 1 and name_key(folder) in SPLIT_NAMES]
    if splits:
        warnings.append(f"folders {', '.join(splits)} were read as classes: not all folders beside them are splits")
    if len(filled) == 1 and all(name.count("/") > depth for name in files):
        only = next(iter(filled))
        warnings.append(f"all images lie in folders below {only!r}: if those are the classes, give {only!r} as DATA")
    return warnings


def _from_table(file: Path, asked_root: Path | None, group: str | None, target: TargetColumn | None) -> Manifest:
    table = read_table(file, (CLASSIFICATION,) if target is None else TASKS)
    root = Path(os.path.abspath(asked_root or table.root or file.parent))  # noqa: PTH100
    faults = Faults(repr(str(file)))
    for name in ("path", "label") if target is None else ("path",):
        if name not in table.columns:
            faults.add("missing column", f"{name}; the columns are {', '.join(map(repr, table.columns))}")
    faults.raise_if_any()
    if not table.rows:
        raise ManifestError(f"{str(file)!r} has a header and no rows")
    # of images whose number is learnt a label says no more than any other column
    labels = table.columns.get("label", [""] * len(table.rows))
    paths = _table_paths(table, labels, root, faults)
    check_labels(labels, table.rows, faults)
    others = {name: cells for name, cells in table.columns.items() if name not in ("path", "label", "sample_id")}
    if "split" in others:
        others["split"] = [SPLIT_NAMES.get(name_key(cell), cell) for cell in others["split"]]
    others, answers = choose_group(others, group), labels
    if target is not None:
        answers = [cell.strip() for cell in target_cells(others, target)]
        check_targets(answers, others.get(PIXEL_SIZE), table.rows, target, faults)
        others.pop("target", None)
    check_values(others, table, answers, faults)
    faults.raise_if_any()
    others |= {} if target is None else {"target": answers}
    warnings = [*table.warnings, *(group_hint(others) if group == "auto" else ())]
    if "sample_id" in table.columns and table.root is None:
        warnings.append("column sample_id was ignored: it is computed from the path")
    warnings += _service_warning(paths) + alike_warnings(labels, others)
    columns = {name: object_array(cells) for name, cells in others.items()}
    task = CLASSIFICATION if target is None else REGRESSION
    return Manifest(root, object_array(paths), object_array(labels), columns, tuple(warnings), task)


def _service_warning(paths: list[str]) -> list[str]:
    """A line on listed files that a walk through their folder would leave out: previews are no samples."""
    left = [name for name in paths if in_service_folder(name)]
    what = "listed files are hidden or lie in a folder of a file server or system"
    return [f"{len(left):,} {what}, the first {left[0]!r}"] if left else []


def _table_paths(table: Table, labels: list[str], root: Path, faults: Faults) -> list[str]:
    """Paths relative to the root; missing files, repeated rows and paths that lead out are noted as faults."""
    paths: list[str] = []
    first: dict[str, int] = {}
    top = _top(root)
    for i, (text, row) in enumerate(zip(table.columns["path"], table.rows, strict=True)):
        name = _native(text, root) if table.root is None else unescape_path(text)
        inside = _inside(name, top)
        if inside is None and table.root is not None and name.startswith("../"):
            inside = name  # of a run, whose synthetic images lie in a folder of their own
        paths.append(inside or "")
        if not text.strip():
            faults.add("empty path", f"row {row}")
        elif inside is None:
            faults.add(f"path outside {str(root)!r} (use --root for another folder)", f"row {row}: {text!r}")
        elif not _is_file(top + inside) and not chunk_store(root / inside):
            kind = f"missing file (looked for below {str(root)!r})"
            # looked for among what is there only where it will be shown
            shown = len(faults.found.get(kind, ())) < SHOWN_PER_KIND
            faults.add(kind, f"row {row}: {_missing(text, inside, top) if shown else repr(text)}")
        if inside is None:
            continue
        j = first.setdefault(inside, i)
        if j != i and labels[j] != labels[i]:
            detail = f"rows {table.rows[j]} and {row}: {text!r} is {labels[j]!r} and {labels[i]!r}"
            faults.add("same path with two labels", detail)
        elif j != i:
            faults.add("same path twice", f"rows {table.rows[j]} and {row}: {text!r}")
    return paths
