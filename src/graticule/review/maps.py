"""Maps of evidence for the review page: one image and one class at a time, to be laid over the image."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.bundle import Bundle
from graticule.explain.image import look, sizes_of
from graticule.explain.model import ExplainableModel
from graticule.explain.overlay import AGAINST, FOR, full_scale, smoothed
from graticule.explain.pooled import resized
from graticule.heads.predictor import Predictor
from graticule.images.decode import ImageFile
from graticule.images.pool import decoder
from graticule.workers.pool import WorkerPool

LONGEST = 448
_OPAQUE = 0.75  # less than in `overlay`: the image shines through a map that is laid over it


class Explainer:
    """Maps by one model. The network is opened when the first map is asked for; files are decoded in `pool`."""

    def __init__(self, bundle: Bundle, pool: WorkerPool) -> None:
        self._bundle = bundle
        self._pool = pool
        self._model: ExplainableModel | None = None
        self._classes = tuple(bundle.info.classes)

    @staticmethod
    def possible(bundle: Bundle) -> bool:
        """Whether the model sees whole images: of a physical scale it sees a part that is not drawn over the image."""
        return Predictor.of(bundle, any_depth=True).encoder.preprocessing.scale_nm is None

    def __call__(self, file: Path, label: str) -> NDArray[np.uint8] | None:
        """Evidence for the class in orange, against it in blue: uint8 RGBA, shape (h, w, 4); None where it fails."""
        model = self._open()
        seen = look(ImageFile(file), decoder(self._pool, model.encoder.preprocessing), model.encoder.preprocessing)
        if isinstance(seen, str):
            return None
        column = np.array([[self._classes.index(label)]])
        values = model.any_maps(seen.pixels[None], column, sizes_of(model, seen, 1), model.method)[0, 0]
        height, width = (max(1, round(edge * LONGEST / max(seen.shown))) for edge in seen.shown)
        return transparent(values, (height, width))

    def _open(self) -> ExplainableModel:
        if self._model is None:
            predictor = Predictor.of(self._bundle, any_depth=True)
            model = ExplainableModel.of(predictor.encoder, predictor.heads)
            self._model = replace(model, baseline=self._bundle.mean_features())
        return self._model


def transparent(values: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """A signed map (g, g) as colours with transparency, uint8 of shape (h, w, 4)."""
    fine = resized(smoothed(values), *shape)
    strength = np.clip(np.abs(fine) / full_scale(values[None]), 0, 1) * _OPAQUE
    colour = np.where(fine[:, :, None] > 0, FOR, AGAINST)
    return np.concatenate([colour, np.rint(255 * strength)[:, :, None]], axis=2).astype(np.uint8)
