"""A scikit-learn transformer from images to features."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from graticule.errors import ImageError, OptionError
from graticule.features.cache import FeatureCache
from graticule.features.embed import embed_files
from graticule.images.decode import ImageFile
from graticule.images.image import Image
from graticule.images.intensity import IntensityError
from graticule.images.preprocess import prepare
from graticule.networks.catalogue import encoder_of
from graticule.networks.encoder import Encoder
from graticule.networks.options import DEFAULT_BACKBONE
from graticule.networks.session import Network
from graticule.runs import cache_folder


class Embedder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn images into features of a pretrained network, as a step of a scikit-learn pipeline.

    Stateless: `fit` learns nothing, so cross-validating a pipeline that starts with it leaks nothing.

    Parameters
    ----------
    backbone : str
        An embedded backbone, see `graticule backbones`.
    views : int
        1, 4 or 8: features are averaged over rotations and flips.
    workers : int, optional
        Decoding processes and network threads, default the cores available.
    cache : bool
        Whether features of files are kept on disk.

    Attributes
    ----------
    n_features_out_ : int
        Length of a feature vector.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> pipeline = make_pipeline(Embedder(), SVC())
    """

    def __init__(
        self,
        backbone: str = DEFAULT_BACKBONE,
        *,
        views: int = 4,
        workers: int | None = None,
        cache: bool = True,
    ) -> None:
        self.backbone = backbone
        self.views = views
        self.workers = workers
        self.cache = cache

    def fit(self, X: Any, y: object = None) -> Self:
        """Check the options and the input; nothing is learnt from the images.

        Raises
        ------
        BackboneError, OptionError
        """
        for item in _as_list(X):
            if not isinstance(item, str | Path):
                _as_image(item)
        self.encoder_: Encoder = encoder_of(self.backbone, views=self.views)
        self.n_features_out_ = self.encoder_.n_features
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Features of shape (n, n_features_out_).

        Parameters
        ----------
        X : sequence of n paths, or of n arrays
            Arrays are uint8 or uint16, of shape (height, width) or (height, width, 3). An array of paths may also be
            a column of shape (n, 1), as in a table.

        Raises
        ------
        ImageError
            For the first path that cannot be read: a matrix has no place for a missing row.
        OptionError
            When the input is neither paths nor images.
        """
        check_is_fitted(self, "encoder_")
        items = _as_list(X)
        if all(isinstance(item, str | Path) for item in items):
            return self._of_files([ImageFile(Path(item)) for item in items])
        return self._of_arrays(items)

    def _of_files(self, files: list[ImageFile]) -> NDArray[np.float32]:
        if not self.cache:
            result = embed_files(files, self.encoder_, workers=self.workers)
        else:
            with FeatureCache(cache_folder(), self.encoder_.space()) as cache:
                result = embed_files(files, self.encoder_, workers=self.workers, cache=cache)
        for file, info, readable in zip(files, result.info, result.readable, strict=True):
            if not readable:
                raise ImageError(str(file.path), info.error)
        return result.features

    def _of_arrays(self, items: list[Any]) -> NDArray[np.float32]:
        network = Network(self.encoder_.model, self.encoder_.output)
        features = np.zeros((len(items), self.encoder_.n_features), np.float32)
        for i, item in enumerate(items):
            try:
                pixels = prepare(_as_image(item), self.encoder_.preprocessing)
            except IntensityError as error:
                raise OptionError(f"array {i}: {error}") from error
            features[i] = network.averaged(pixels[None], self.views)[0]
        return features

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Names such as "blocks.2.mean.017", shape (n_features_out_,)."""
        check_is_fitted(self, "encoder_")
        return np.array(self.encoder_.feature_names(), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.no_validation = True
        return tags


def _as_list(X: Any) -> list[Any]:
    """Input as a list of paths or arrays."""
    if isinstance(X, str | Path):
        raise OptionError(f"one path was given ({X}); give a list of paths")
    if issparse(X):
        # the type that scikit-learn expects here
        raise TypeError("a sparse matrix holds no images; give paths or arrays of pixels")
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.dtype.kind in "OUS" and X.ndim == 2 and X.shape[1] == 1:
        X = X[:, 0]
    if not isinstance(X, Iterable):
        raise OptionError(f"expected a sequence of paths or of arrays, found {type(X).__name__}")
    items = list(X)
    if not items:
        raise OptionError("expected at least one image, found none")
    return items


def _as_image(item: Any) -> Image:
    pixels = np.asarray(item)
    shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if not shaped or pixels.dtype not in (np.uint8, np.uint16) or pixels.size == 0:
        raise OptionError(
            f"an array of shape {pixels.shape} and type {pixels.dtype} is no image; allowed: uint8 or uint16 of shape "
            "(height, width) or (height, width, 3)"
        )
    return Image(pixels)
