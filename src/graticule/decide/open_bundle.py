"""The one door to a bundle: read, and held against itself, before a verb begins.

Checksums tell that a bundle is whole; they do not tell that its parts belong together, or that whoever made it meant
well. Here every part is held against the others (`bundle`, `scoring`, `calibration`, `evidence`, `novelty` check their
own), and the network is looked at and tried. What does not fit is one BundleError, and no folder has been made by then.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.bundle import Bundle, Tensors, checked_tensor, read_bundle
from graticule.bundle_info import NetworkInfo
from graticule.decide.evidence import Evidence
from graticule.decide.novelty import Novelty
from graticule.decide.rule import check_rule
from graticule.errors import BundleError, ManifestError, OptionError
from graticule.heads.predictor import Predictor
from graticule.images.preprocess import Preprocessing
from graticule.manifest import unescape_path
from graticule.networks.backbones import EMBEDDED, GRAPHS
from graticule.networks.encoder import NO_NETWORK
from graticule.networks.graph_check import check_graph
from graticule.networks.pooling import CENTRE, ORIENTATION, part_span
from graticule.networks.trial import try_network
from graticule.sources.labels import check_labels
from graticule.sources.tables import Faults
from graticule.split.parents import PARENTS

_LONGEST = 800
# the embedded networks take any size; beyond this one the memory of a picture is tried as for any other network
_LARGEST_UNTRIED = 1024
_PROBES = 8
_OWN = ("features", "pixel_sha256", "paths")
_DECIDING = ("evidence.", "intervals.", "novelty.")


def open_bundle(folder: Path) -> Bundle:
    """A bundle whose files are whole, whose parts fit together, and whose network runs.

    Raises
    ------
    BundleError
        One message with the first fault found.
    """
    bundle = read_bundle(folder)
    with refusing(folder):
        check_bundle(bundle)
    return bundle


@contextmanager
def refusing(folder: Path) -> Iterator[None]:
    """Tell what the body finds wrong as one message on the bundle."""
    try:
        yield
    except (BundleError, OptionError, ManifestError) as error:
        words = "".join(c if c.isprintable() else "?" for c in str(error))[:_LONGEST]
        raise BundleError(
            f"the bundle {folder} cannot be used: {words}. Train again, or get it from its maker"
        ) from error


def check_bundle(bundle: Bundle) -> None:
    """Hold the parts of a bundle against each other, and try its network; a GraticuleError says what is wrong."""
    info = bundle.info
    _check_classes(info.classes)
    check_layout(info)
    check_training_images(info, bundle.reference, ("class", "mean_features"))
    classes = _tensor(bundle.reference, "class", "int32", info.n_training)
    if classes.min() < 0 or classes.max() >= len(info.classes):
        raise BundleError(f"reference: a class number is outside 0 to {len(info.classes) - 1}")
    predictor = Predictor.of(bundle)
    evidence = Evidence.unpack(bundle.reference, len(info.classes))
    novelty = Novelty.unpack(
        bundle.reference, n_features=bundle.reference["features"].shape[1], n_classes=len(info.classes)
    )
    _check_decisions(bundle, predictor, evidence, novelty)
    check_graph_of(info, bundle.model, predictor.encoder.preprocessing.size)
    _check_scores(bundle, predictor)


def _check_classes(classes: list[str]) -> None:
    """Names as training takes them, each once."""
    faults = Faults("its classes")
    for name in classes:
        check_labels([name], [None], faults)
    if len(set(classes)) < len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        faults.add("class that stands there twice", ascii(twice))
    if faults.found:
        kind, details = next(iter(faults.found.items()))
        raise BundleError(f"bundle.json: {kind}: {details[0]}")


def check_layout(info: NetworkInfo) -> None:
    """How images are read, and what the features consist of."""
    Preprocessing.from_json(info.preprocessing)
    if info.reference is not None:
        Preprocessing.from_json(info.reference.preprocessing)
    if sum(info.parts.values()) not in (0, info.n_features - 2 * info.sizes):
        raise BundleError(f"bundle.json: its parts {info.parts} do not make up {info.n_features:,} features")


def _tensor(tensors: Tensors, name: str, kind: str, *shape: int | None) -> NDArray[Any]:
    return checked_tensor(tensors, name, kind, shape, file="reference")


def check_training_images(info: NetworkInfo, tensors: Tensors, own: Sequence[str]) -> None:
    """The training images: as many as bundle.json says, each with a hash, features and a path.

    `own` are tensors of the task, besides those of `graticule.decide`; no other may be there.
    """
    n = info.n_training
    features = _tensor(tensors, "features", "float16", n, None)
    _tensor(tensors, "pixel_sha256", "uint8", n, 32)
    alike = part_span(tuple(info.parts.items()), CENTRE, info.n_features)
    if info.reference is None and features.shape[1] != alike.stop - alike.start:
        wanted = alike.stop - alike.start
        raise BundleError(f"reference: features of {features.shape[1]} numbers, the model compares {wanted}")
    if "mean_features" in tensors:
        _tensor(tensors, "mean_features", "float32", info.n_features)
    if "paths" in tensors:
        _check_paths(_tensor(tensors, "paths", "uint8", None).tobytes(), n)
    if PARENTS in tensors:
        _tensor(tensors, PARENTS, "uint8", None, 32)
    known = (*_OWN, PARENTS, *own, *(name for name in tensors if name.startswith(_DECIDING)))
    unknown = sorted(set(tensors) - set(known))
    if unknown:
        raise BundleError(f"reference: an unexpected tensor {unknown[0][:100]!a}")


def _check_paths(content: bytes, n: int) -> None:
    """Paths of training images: as many as there are, escaped, relative, none that climbs out of its folder."""
    try:
        paths = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise BundleError("reference: its paths are no UTF-8") from error
    if len(paths) != n:
        raise BundleError(f"reference: {len(paths):,} paths of {n:,} images")
    for path in paths:
        plain = unescape_path(path)
        if not plain or plain.startswith(("/", "\\")) or ".." in plain.split("/") or _has_control(path):
            raise BundleError(f"reference: {path[:100]!a} is no relative path of an image")


def _has_control(path: str) -> bool:
    """Whether a path has what `escape_path` would have escaped."""
    return not path.isprintable() and any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in path)


def _check_decisions(bundle: Bundle, predictor: Predictor, evidence: Evidence | None, novelty: Novelty | None) -> None:
    n, h = bundle.info.n_training, len(predictor.heads)
    if evidence is not None and not evidence.by_shipped:
        foreign = len(evidence) > n or (evidence.members and evidence.fold.max() >= h)
        if foreign:
            raise BundleError("reference: the evidence is of more images or folds than the model was trained on")
    if novelty is not None and not novelty.told[1] and len(novelty.evidence) > n:
        raise BundleError("reference: the novelty is of more images than the model was trained on")
    if bundle.info.thresholds is not None:
        check_rule(bundle.info.thresholds, len(bundle.info.classes), None if evidence is None else len(evidence))


def check_graph_of(info: NetworkInfo, model: bytes, size: int) -> None:
    """The graph is one that this version builds itself, or looks harmless and passes a trial; none asks for none."""
    expected = info.n_features - 2 * info.sizes - info.parts.get(ORIENTATION, 0)
    if not model and expected == 0 and info.backbone == NO_NETWORK:
        return
    if not model:
        raise BundleError(f"it has no network model.onnx, and bundle.json names {expected:,} features of one")
    digest = hashlib.sha256(model).hexdigest()
    ours = next((key for key, value in GRAPHS.items() if value == digest), None)
    if ours is not None and size <= _LARGEST_UNTRIED:
        name, output = ours
        found = EMBEDDED[name].width(output)
        if output != info.output:
            raise BundleError(f"its network model.onnx has no output {info.output[:100]!a}")
    else:
        check_graph(model, info.output, size)
        found = try_network(model, info.output, size)
    if found != expected:
        raise BundleError(f"its network model.onnx gives {found:,} features, where bundle.json names {expected:,}")


def _check_scores(bundle: Bundle, predictor: Predictor) -> None:
    """Heads and calibration give probabilities, on features of training images where these are the model's own."""
    d = predictor.encoder.n_features
    found = bundle.reference["features"][:_PROBES]
    own = found if bundle.info.reference is None and found.shape[1] == d else np.zeros((1, d))
    with np.errstate(all="ignore"):
        proba = predictor.probabilities(own.astype(np.float32))
    if not np.isfinite(proba).all() or not math.isclose(float(proba.sum()), len(proba), rel_tol=1e-6):
        raise BundleError("its heads or its calibration give what is no probability")
