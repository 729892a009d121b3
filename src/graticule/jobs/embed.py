"""`graticule embed`: the feature matrix with ids, for the user's own analysis."""

import os
from pathlib import Path
from typing import Any

from graticule.errors import OptionError, RunError
from graticule.features.reader import settle
from graticule.features.samples import embed_samples, sorted_by_path
from graticule.features.tables import FORMATS, write_features
from graticule.files import writing
from graticule.jobs.options import EmbedOptions
from graticule.manifest import Manifest
from graticule.networks.catalogue import encoder_of
from graticule.networks.device_choice import on_device
from graticule.progress import Reporter, Silent
from graticule.runs import reserved
from graticule.sources.sources import list_images, read_manifest


def embed(data: Path, out: Path, options: EmbedOptions, reporter: Reporter | None = None) -> dict[str, Any]:
    """Write features of every image of a data set or of a folder without classes.

    Parameters
    ----------
    data : Path
        As for `train`, or a folder of unlabelled images.
    out : Path
        A .parquet, .npz or .csv file that does not exist. Tables have the columns sample_id, path, label and one per
        feature; npz has the arrays sample_id, path, label, features and names.
    options : EmbedOptions
    reporter : Reporter, optional

    Returns
    -------
    dict
        "n", "n_features", "decoded", "cached", "seconds", "device", "reading", "warnings" and "failures".
    """
    options.check()
    _check_place(out)
    with reserved(out, "feature matrix", lambda: _refuse_existing(out)):
        return _embedded(data, out, options, reporter or Silent())


def _embedded(data: Path, out: Path, options: EmbedOptions, reporter: Reporter) -> dict[str, Any]:
    manifest = sorted_by_path(_samples(data, options.root))
    encoder = encoder_of(options.backbone, views=options.views, weights=options.weights)
    encoder, settled = settle(manifest, encoder, options, workers=options.workers, reporter=reporter)
    encoder = on_device(encoder, options.device, options.batch_size)
    samples = embed_samples(
        manifest, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
    )
    try:
        with writing(out, new=True) as sink:
            write_features(sink, out.suffix, samples, encoder.feature_names())
    except FileExistsError:
        _refuse_existing(out)
        raise
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror or error}") from error
    return {
        "n": len(samples.manifest),
        "n_features": encoder.n_features,
        "decoded": samples.decoded,
        "cached": samples.cached,
        "seconds": round(samples.seconds, 2),
        "device": encoder.device.describe(),
        "reading": settled.describe(),
        "warnings": [*manifest.warnings, *samples.warnings],
        "failures": samples.failures,
    }


def _check_place(out: Path) -> None:
    """Refuse now what could not be written after the embedding."""
    if out.suffix not in FORMATS:
        raise OptionError(f"--out {out} has no known ending; allowed: {', '.join(FORMATS)}")
    if not out.parent.is_dir():
        raise RunError(f"--out {out}: there is no folder {out.parent}; create it first")
    if not os.access(out.parent, os.W_OK):
        raise RunError(f"--out {out}: the folder {out.parent} cannot be written to; choose another one")


def _refuse_existing(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise RunError(f"--out {out} exists already; choose another file, nothing was changed")


def _samples(data: Path, root: Path | None) -> Manifest:
    if data.is_dir() and not (data / "manifest.csv").is_file():
        everything = list_images(data)
        if any("/" not in path for path in everything.path):
            return everything
    return read_manifest(data, root=root, group="auto")
