"""Synthetic images that lie in a folder of their own, added to the real ones of a data set."""

import os
from pathlib import Path

from graticule.arrays import StrArray, object_array
from graticule.errors import ManifestError
from graticule.manifest import Manifest, escape_path
from graticule.runs import DONE
from graticule.sources.labels import check_labels
from graticule.sources.sources import read_manifest
from graticule.sources.tables import Faults

# of images that lie elsewhere and were judged
JUDGED = "manifest.parquet"


def read_synthetic(folder: Path) -> Manifest:
    """The images that a folder of `graticule synthesize` tells of, or a table.

    Raises
    ------
    ManifestError
        When the folder is not finished, or an image in it does not say that it is synthetic.
    """
    if (folder / "run.json").is_file() and not (folder / DONE).is_file():
        raise ManifestError(f"--synthetic {str(folder)!r} is not finished: its marker {DONE} is missing")
    judged = folder / JUDGED
    made = read_manifest(judged if judged.is_file() else folder, group="none")
    origin = made.columns.get("origin", object_array([""] * len(made)))
    strange = [path for path, word in zip(made.path, origin, strict=True) if word != "synthetic"]
    if strange:
        raise ManifestError(
            f"--synthetic {str(folder)!r}: {len(strange):,} of {len(made):,} images do not say that they are "
            f"synthetic, the first {escape_path(strange[0])!r}. Give a folder of `graticule synthesize`, or a table "
            "whose column origin says synthetic for each image"
        )
    return made


def with_synthetic(real: Manifest, made: Manifest) -> Manifest:
    """One manifest of both, under the root of the real images, whose paths and so whose folds stay as they are.

    Synthetic images belong to no group, and train where the data bring a split.

    Parameters
    ----------
    real : Manifest
    made : Manifest
        From `read_synthetic`. Its paths may climb out of the root of the real ones.

    Raises
    ------
    ManifestError
        When a file stands in both, class names of the two are twins, or they lie on two drives.
    """
    try:
        way = os.path.relpath(made.root, real.root)
    except ValueError as error:  # two drives of Windows
        raise ManifestError(f"synthetic and real images must lie on one drive: {error}") from error
    # lexical, since links in the user's path stay as typed
    paths = [os.path.normpath(os.path.join(way, path)).replace(os.sep, "/") for path in made.path]  # noqa: PTH118
    faults = Faults(f"{str(real.root)!r} with the synthetic images of {str(made.root)!r}")
    faults.extend("image in both", map(repr, sorted(set(paths) & set(real.path.tolist()))))
    label = [*real.label.tolist(), *made.label.tolist()]
    check_labels(label, [None] * len(label), faults)
    faults.raise_if_any()
    usual = {"origin": "real"}
    names = dict.fromkeys(["origin", *real.columns, *made.columns])
    columns = {name: object_array([*_cells(real, name, usual), *_cells(made, name, usual)]) for name in names}
    if real.split is not None:
        columns["split"][len(real) :] = "train"
    return Manifest(
        real.root,
        object_array([*real.path.tolist(), *paths]),
        object_array(label),
        columns,
        (*real.warnings, *made.warnings),
        real.task,
    )


def _cells(manifest: Manifest, name: str, usual: dict[str, str]) -> StrArray:
    """A column, or what stands for it where the data have none."""
    found = manifest.columns.get(name)
    return object_array([usual.get(name, "")] * len(manifest)) if found is None else found
