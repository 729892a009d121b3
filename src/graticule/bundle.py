"""A model bundle on disk: everything needed to predict, without torch and without pickle.

model.onnx             pixels in, features out; none where the model asks no network
head.safetensors       the classifier heads, see models/scoring
bundle.json            classes, preprocessing, hashes
reference.safetensors  training features, and the evidence that decisions rest on
MODEL_CARD.md          for people
SHA256SUMS             over all of the above; checked before anything is used
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from graticule.bundle_info import BundleInfo, TitleInfo, ValueBundleInfo
from graticule.documents import parse_document
from graticule.errors import BundleError
from graticule.files import MODEL_BYTES, own_folder, read_regular, sha256_file, write_bytes, write_text
from graticule.runs import SCHEMA_VERSION, require_finished
from graticule.tasks import CLASSIFICATION, REGRESSION, TASKS, task_of

SUMS = "SHA256SUMS"
MODEL = "model.onnx"
_FILES = (MODEL, "head.safetensors", "bundle.json", "reference.safetensors", "MODEL_CARD.md")
# most bytes of each file; a reference of a million images has two gigabytes
_LIMITS = {
    MODEL: MODEL_BYTES,
    "head.safetensors": MODEL_BYTES,
    "bundle.json": 2**24,
    "reference.safetensors": 2**33,
    "MODEL_CARD.md": 2**22,
    SUMS: 2**12,
}
_HEADER_BYTES = 2**20
_TYPES = ("F16", "F32", "F64", "U8", "I32", "I64", "BOOL")

Tensors = dict[str, NDArray[Any]]


Info = TypeVar("Info", bound=TitleInfo)


@dataclass(frozen=True)
class Contents(Generic[Info]):
    """The files of a bundle in memory; `model` is empty where there is no network."""

    info: Info
    model: bytes
    heads: Tensors
    reference: Tensors
    card: str


class Bundle(Contents[BundleInfo]):
    """The bundle of a classifier in memory.

    `reference` holds, of the n training samples, "features" (n, d') float16, those that images are compared by,
    "pixel_sha256" (n, 32) uint8, "class" (n,)
    and "paths" (UTF-8, one line each), and tensors of `graticule.decide.evidence` and `graticule.decide.novelty`. Where
    "features" are not those of the model itself, "mean_features" (d,) float32 is the mean of the model's own.
    """

    def mean_features(self) -> NDArray[np.float64] | None:
        """Mean of the model's own features over the training images, shape (d,); None where the bundle has none."""
        mean, features = self.reference.get("mean_features"), self.reference.get("features")
        if mean is not None:
            return np.asarray(mean, np.float64)
        # bundles of earlier versions keep all features of each image
        if self.info.reference is None and features is not None and len(features):
            return np.asarray(features.mean(axis=0, dtype=np.float64))
        return None


class ValueBundle(Contents[ValueBundleInfo]):
    """The bundle of a model of numbers in memory.

    `reference` holds "features", "pixel_sha256" and "paths" of the training samples as for a classifier, "target" (n,)
    float64, and the tensors of `graticule.decide.value_intervals` and `graticule.decide.novelty`.
    """


def write_bundle(folder: Path, bundle: Contents[Info]) -> str:
    """Write a bundle into a new folder; returns the hash of its SHA256SUMS, which identifies the model."""
    own_folder(folder, new=True)
    contents = {
        **({MODEL: bundle.model} if bundle.model else {}),
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
    """Read the bundle of a classifier, see `read_contents`."""
    return Bundle(**vars(read_contents(folder, BundleInfo, CLASSIFICATION)))


def read_value_bundle(folder: Path) -> ValueBundle:
    """Read the bundle of a model of numbers, see `read_contents`."""
    return ValueBundle(**vars(read_contents(folder, ValueBundleInfo, REGRESSION)))


def read_contents(folder: Path, kind: type[Info], task: str) -> Contents[Info]:
    """Read a bundle of one task after every file has been checked against SHA256SUMS.

    What the files mean together is checked by `graticule.decide.open_bundle`, which every verb goes through.

    Raises
    ------
    BundleError
        When a file is missing, altered or unexpected, or the bundle is of another version.
    TaskError
    """
    contents = _verified(folder)
    try:
        document = parse_document(contents["bundle.json"])
        version = document.get("schema_version")
        # before the fields, which another version may have changed, and which another task has others of
        if version != SCHEMA_VERSION or isinstance(version, bool):
            raise BundleError(f"the bundle {folder} is of schema version {version!a}, expected {SCHEMA_VERSION}")
        task_of(document, f"the bundle {folder}", takes=(task,))
        info = kind.model_validate(document)
        card = contents["MODEL_CARD.md"].decode()
    except ValidationError as error:
        raise BundleError(f"the bundle {folder} cannot be read: bundle.json: {_faults(error)}") from error
    except ValueError as error:
        raise BundleError(f"the bundle {folder} cannot be read: {error}") from error
    heads, reference = (_tensors(folder, f"{name}.safetensors", contents) for name in ("head", "reference"))
    return Contents(info, contents.get(MODEL, b""), heads, reference, card)


def _faults(error: ValidationError) -> str:
    """What pydantic found, field by field, without the values: they may be long, and hold anything."""
    places = [".".join(ascii(part).strip("'") for part in item["loc"]) for item in error.errors()]
    found = [f"{place}: {item['msg']}" for place, item in zip(places, error.errors(), strict=True)]
    return "; ".join(found[:10])[:1000]


def _tensors(folder: Path, name: str, contents: Mapping[str, bytes]) -> Tensors:
    """The tensors of a safetensors file; its header is looked at before anything is made of it."""
    content = contents[name]
    try:
        length = int.from_bytes(content[:8], "little")
        if len(content) < 8 or length > min(_HEADER_BYTES, len(content) - 8):
            raise ValueError(f"its header would have {length:,} bytes")
        for tensor, entry in parse_document(content[8 : 8 + length]).items():
            if not isinstance(entry, dict) or entry.get("dtype") not in _TYPES:
                raise ValueError(f"the tensor {tensor[:100]!a} is of no type that is used here: {', '.join(_TYPES)}")
        return load(content)
    except (ValueError, SafetensorError) as error:
        raise BundleError(f"the bundle {folder} cannot be read: {name}: {error}") from error


def checked_tensor(
    tensors: Mapping[str, NDArray[Any]], name: str, kind: str, shape: tuple[int | None, ...], *, file: str
) -> NDArray[Any]:
    """A tensor of a bundle, whose type and shape are as expected and whose numbers are finite.

    Parameters
    ----------
    tensors : mapping
    name : str
    kind : str
        NumPy's name of the type, such as "float32".
    shape : tuple
        None for a length that is not known beforehand, at least 1.
    file : str
        For the message: "head" or "reference".

    Raises
    ------
    BundleError
        When it is missing or otherwise. Shapes that merely broadcast would give wrong answers in silence.
    """
    if name not in tensors:
        raise BundleError(
            f"the {file} of the bundle lacks the tensor {name!r}: it is incomplete or of another version; train again"
        )
    found = tensors[name]
    fits = len(shape) == found.ndim and all(
        length == wanted or (wanted is None and length >= 1) for length, wanted in zip(found.shape, shape, strict=False)
    )
    if found.dtype != np.dtype(kind) or not fits:
        wanted = " x ".join("any" if length is None else f"{length}" for length in shape) or "one number"
        raise BundleError(
            f"the {file} of the bundle holds a tensor {name!r} of type {found.dtype} and shape {found.shape}; expected "
            f"is {kind}, {wanted}"
        )
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise BundleError(f"the {file} of the bundle holds a tensor {name!r} with values that are no finite numbers")
    return found


def bundle_hash(folder: Path) -> str:
    """The hash of a bundle's SHA256SUMS.

    Raises
    ------
    BundleError
        When there is none that can be read.
    """
    try:
        return sha256_file(folder / SUMS)
    except OSError as error:
        raise BundleError(f"the bundle {folder} cannot be read: {SUMS}: {error.strerror}") from error


def _sums(contents: dict[str, bytes]) -> str:
    """The text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(_sums_line(name, contents[name]) + "\n" for name in _FILES if name in contents)


def _sums_line(name: str, content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}  {name}"


def _file(folder: Path, name: str) -> bytes:
    """Bytes of one file of a bundle."""
    try:
        return read_regular(folder / name, _LIMITS[name])
    except FileNotFoundError as error:
        raise BundleError(f"the bundle {folder} lacks {name}") from error
    except OSError as error:
        raise BundleError(f"the bundle {folder} cannot be read: {name}: {error.strerror}") from error


def _verified(folder: Path) -> dict[str, bytes]:
    """Bytes of every file, after the sums were checked."""
    found = _file(folder, SUMS)
    # a model that asks no network has none, and its sums name none
    without = MODEL.encode() not in found and not (folder / MODEL).exists()
    contents = {name: _file(folder, name) for name in _FILES if not (without and name == MODEL)}
    # compared as bytes: a sums file that merely parses to the same hashes was altered too
    if found != _sums(contents).encode():
        lines = set(found.decode("utf-8", errors="replace").splitlines())
        altered = [name for name in contents if _sums_line(name, contents[name]) not in lines]
        raise BundleError(
            f"the bundle {folder} was altered or damaged: {', '.join(altered) or SUMS} does not match {SUMS}. "
            "Restore it from a copy or train again"
        )
    return contents


def model_folder(run: Path) -> Path:
    """The bundle of a finished run, or the folder itself when it is a bundle.

    Raises
    ------
    RunError, BundleError
        When there is neither.
    """
    if (run / "bundle.json").is_file():
        return run
    require_finished(run)
    if not (run / "model").is_dir():
        raise BundleError(f"the run {run} holds no model")
    return run / "model"


def task_in(folder: Path) -> str:
    """The task that the bundle in a folder names, before anything else of it is read; unknown ones are refused.

    Raises
    ------
    BundleError, TaskError
    """
    content, sums = (_file(folder, name) for name in ("bundle.json", SUMS))
    if _sums_line("bundle.json", content) not in sums.decode("utf-8", errors="replace").splitlines():
        _verified(folder)  # says what was altered
    try:
        document = parse_document(content)
    except ValueError as error:
        raise BundleError(f"the bundle {folder} cannot be read: bundle.json: {error}") from error
    return task_of(document, f"the bundle {folder}", takes=TASKS)
