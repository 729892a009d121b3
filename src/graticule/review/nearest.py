"""The training images most like an image, class by class, for the review page: found for one image, when asked."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, StrArray, object_array
from graticule.bundle import Bundle
from graticule.decide.novelty import Novelty
from graticule.decide.novelty_space import project
from graticule.errors import BundleError
from graticule.features.neighbours import nearest
from graticule.features.rows import rows_of
from graticule.heads.predictor import Predictor
from graticule.images.decode import ImageFile
from graticule.images.pool import decoder
from graticule.manifest import bundled_path
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network
from graticule.workers.pool import WorkerPool

N_NEAREST = 4


@dataclass(frozen=True)
class _Reference:
    """Training images in the space that distances are measured in.

    Attributes
    ----------
    novelty : Novelty
        Holds the space.
    placed : float32 array, shape (m, q)
    label : int array, shape (m,)
        Class index.
    paths : list of m str
        Escaped.
    row : dict
        Position by path.
    pixels : uint8 array, shape (m, 32)
        Hashes of the decoded pixels.
    group : object array of str, shape (m,)
        "" where there is none.
    """

    novelty: Novelty
    placed: Float32Array
    label: NDArray[np.int64]
    paths: list[str]
    row: dict[str, int]
    pixels: NDArray[np.uint8]
    group: StrArray


class NearestOfClasses:
    """Finds them in the space in which `predict` finds the nearest of all classes. Safe for several threads.

    The reference is placed in that space, and the network opened, when the first image is asked for.

    Parameters
    ----------
    bundle : Bundle
    pool : WorkerPool
        Decodes images.
    own : dict, optional
        Group of each training image by its escaped path ("" for none), where training images themselves are
        reviewed: an image is then compared with neither itself, its copies, nor images of its group.
    """

    def __init__(self, bundle: Bundle, pool: WorkerPool, own: dict[str, str] | None = None) -> None:
        self._bundle = bundle
        self._pool = pool
        self._own = own
        self._classes = list(bundle.info.classes)
        self._lock = threading.Lock()
        self._opened: _Reference | None = None
        self._network: tuple[Encoder, Network] | None = None

    @staticmethod
    def possible(bundle: Bundle) -> bool:
        """Whether the bundle holds its training images with a space to measure in, as this version writes it."""
        try:
            return Novelty.unpack(bundle.reference) is not None and "paths" in bundle.reference
        except BundleError:
            return False

    def __call__(self, file: Path, path: str, classes: Sequence[str]) -> list[list[str]]:
        """Nearest training images of each class.

        Parameters
        ----------
        file : Path
        path : str
            As the review names it, escaped; it finds a training image in the reference.
        classes : sequence of str

        Returns
        -------
        list of lists of str
            For each class up to `N_NEAREST` escaped paths, nearest first; empty where the class has no other image, or
            the file cannot be read.
        """
        with self._lock:  # one at a time: it costs as much as many pages
            reference = self._reference()
            features, pixels = self._features(reference, file, path)
            if features is None:
                return [[] for _ in classes]
            placed = project(reference.novelty.space, features[None])
            allowed = self._others(reference, path, pixels)
            return [self._of_class(reference, placed, allowed, name) for name in classes]

    def _of_class(
        self, reference: _Reference, placed: Float32Array, allowed: NDArray[np.bool_], name: str
    ) -> list[str]:
        rows = np.flatnonzero(allowed & (reference.label == self._classes.index(name)))
        if not len(rows):
            return []
        return [reference.paths[k] for k in rows[nearest(reference.placed[rows], placed, N_NEAREST)[0]]]

    def _reference(self) -> _Reference:
        if self._opened is None:
            tensors = self._bundle.reference
            novelty = Novelty.unpack(tensors)
            assert novelty is not None, "see possible()"
            paths = tensors["paths"].tobytes().decode().split("\n")
            self._opened = _Reference(
                novelty=novelty,
                placed=project(novelty.space, tensors["features"].astype(np.float32)),
                label=np.asarray(tensors["class"], np.int64),
                paths=paths,
                row={path: i for i, path in enumerate(paths)},
                pixels=tensors["pixel_sha256"],
                group=object_array([(self._own or {}).get(path, "") for path in paths]),
            )
        return self._opened

    def _features(
        self, reference: _Reference, file: Path, path: str
    ) -> tuple[NDArray[np.floating] | None, NDArray[np.uint8] | None]:
        """Features of an image, None where it cannot be read; hash of its pixels where it is a training image."""
        if self._own is not None and path in reference.row:
            row = reference.row[path]
            return self._bundle.reference["features"][row].astype(np.float32), reference.pixels[row]
        encoder, network = self._encoder()
        decode = decoder(self._pool, encoder.preprocessing, facts=False)
        (made,) = rows_of([decode(ImageFile(file))], network, encoder)
        return None if made.features is None else made.features[encoder.alike], None

    def _encoder(self) -> tuple[Encoder, Network]:
        if self._network is None:
            predictor = Predictor.of(self._bundle, any_depth=True)
            encoder = predictor.reference or predictor.encoder
            self._network = encoder, Network(encoder.model, encoder.output)
        return self._network

    def _others(self, reference: _Reference, path: str, pixels: NDArray[np.uint8] | None) -> NDArray[np.bool_]:
        """Training images that an image may be compared with, shape (m,)."""
        allowed = np.ones(len(reference.paths), dtype=bool)
        if self._own is None:
            return allowed
        if pixels is not None:
            allowed &= (reference.pixels != pixels).any(axis=1)
        group = self._own.get(path, "")
        if group:
            allowed &= reference.group != group
        return allowed


def groups_of(paths: Sequence[str], groups: Sequence[str] | None) -> dict[str, str]:
    """Group of each training image by the path that a bundle gives it, "" where there is none."""
    given = [""] * len(paths) if groups is None else groups
    return {bundled_path(path): group or "" for path, group in zip(paths, given, strict=True)}
