"""A model bundle on disk: everything needed to predict, without torch and without pickle.

model.onnx             pixels in, features out
head.safetensors       the classifier heads, see models/scoring
bundle.json            classes, preprocessing, hashes
reference.safetensors  training features, and the evidence that decisions rest on
MODEL_CARD.md          for people
SHA256SUMS             over all of the above; checked before anything is used
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.numpy import load, save

from graticule.errors import BundleError
from graticule.files import MODEL_BYTES, own_folder, read_regular, sha256_file, write_bytes, write_text
from graticule.runs import SCHEMA_VERSION

SUMS = "SHA256SUMS"
_FILES = ("model.onnx", "head.safetensors", "bundle.json", "reference.safetensors", "MODEL_CARD.md")

Tensors = dict[str, NDArray[Any]]


class BundleInfo(BaseModel):
    """bundle.json: what the other files mean.

    Attributes
    ----------
    classes : list of str
        Order of the probabilities.
    backbone, weights_sha256, licence : str
        The network and where it came from.
    preprocessing : dict
        How pixels become network input: `graticule.data.preprocess.Preprocessing.to_json`.
    output, n_features, views, sizes
        Which output of model.onnx is the feature vector, the length of the vector, over how many symmetries it is
        averaged, and whether the image's width and height stand behind it.
    heads : str
        "mean of the 5 fold heads", "refit on all cross-validated images".
    data_sha256 : str
        Hash of the training samples (paths, labels, file hashes).
    parity : dict or None
        How model.onnx agreed with the trained network, where one was trained.
    reference : dict or None
        How the features in reference.safetensors are made, where they are not the model's own: "backbone", "views",
        "model_sha256", "sizes", "preprocessing".
    calibration : dict or None
        `graticule.decide.calibration.Calibration.to_json`; None: not fitted.
    thresholds : dict or None
        The default acceptance rule, see `graticule.decide.acceptance.Rule`, which every verb takes unless another one
        is asked for; None: no evidence to find one on. Its "seed" is that of the training; bundles of earlier versions
        have none.
    """

    model_config = ConfigDict(extra="forbid")
    schema_version: int = SCHEMA_VERSION
    graticule_version: str
    classes: list[str]
    backbone: str
    weights_sha256: str
    licence: str
    preprocessing: dict[str, Any]
    output: str
    n_features: int
    views: int
    sizes: bool = False
    heads: str
    data_sha256: str
    n_training: int
    parity: dict[str, Any] | None = None
    reference: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    thresholds: dict[str, Any] | None = None


@dataclass(frozen=True)
class Bundle:
    """A bundle in memory.

    `reference` holds, of the n training samples, "features" (n, d) float16, "pixel_sha256" (n, 32) uint8, "class" (n,)
    and "paths" (UTF-8, one line each), and tensors of `graticule.decide.evidence` and `graticule.decide.novelty`. Where
    "features" are not those of the model itself, "mean_features" (d,) float32 is the mean of the model's own.
    """

    info: BundleInfo
    model: bytes
    heads: Tensors
    reference: Tensors
    card: str


def write_bundle(folder: Path, bundle: Bundle) -> str:
    """Write a bundle into a new folder; returns the hash of its SHA256SUMS, which identifies the model."""
    own_folder(folder, new=True)
    contents = {
        "model.onnx": bundle.model,
        "head.safetensors": save(bundle.heads),
        "reference.safetensors": save(bundle.reference),
        "bundle.json": (bundle.info.model_dump_json(indent=1) + "\n").encode(),
        "MODEL_CARD.md": bundle.card.encode(),
    }
    for name, content in contents.items():
        write_bytes(folder / name, content)
    sums = _sums(contents)
    write_text(folder / SUMS, sums)
    return hashlib.sha256(sums.encode()).hexdigest()


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle after every file has been checked against SHA256SUMS.

    Raises
    ------
    BundleError
        When a file is missing, altered or unexpected, or the bundle is of another version.
    """
    contents = _verified(folder)
    try:
        document = json.loads(contents["bundle.json"])
        version = document.get("schema_version") if isinstance(document, dict) else None
        # before the fields, which another version may have changed
        if version != SCHEMA_VERSION:
            raise BundleError(f"the bundle {folder} is of schema version {version}, expected {SCHEMA_VERSION}")
        info = BundleInfo.model_validate(document)
        heads = load(contents["head.safetensors"])
        reference = load(contents["reference.safetensors"])
        card = contents["MODEL_CARD.md"].decode()
    except (ValueError, SafetensorError) as error:  # a pydantic ValidationError is a ValueError
        raise BundleError(f"the bundle {folder} cannot be read: {error}") from error
    return Bundle(info, contents["model.onnx"], heads, reference, card)


def bundle_hash(folder: Path) -> str:
    """The hash of a bundle's SHA256SUMS."""
    return sha256_file(folder / SUMS)


def _sums(contents: dict[str, bytes]) -> str:
    """The text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(_sums_line(name, contents[name]) + "\n" for name in _FILES)


def _sums_line(name: str, content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}  {name}"


def _verified(folder: Path) -> dict[str, bytes]:
    """Bytes of every file, after the sums were checked."""
    try:
        contents = {name: read_regular(folder / name, MODEL_BYTES) for name in (*_FILES, SUMS)}
    except FileNotFoundError as error:
        raise BundleError(f"the bundle {folder} lacks {Path(str(error.filename)).name}") from error
    except OSError as error:
        raise BundleError(f"the bundle {folder} cannot be read: {error.strerror}") from error
    found = contents.pop(SUMS)
    # compared as bytes: a sums file that merely parses to the same hashes was altered too
    if found != _sums(contents).encode():
        lines = set(found.decode("utf-8", errors="replace").splitlines())
        altered = [name for name in _FILES if _sums_line(name, contents[name]) not in lines]
        raise BundleError(
            f"the bundle {folder} was altered or damaged: {', '.join(altered) or SUMS} does not match {SUMS}. "
            "Restore it from a copy or train again"
        )
    return contents
