"""The Python interface: the verbs of the command line as functions, and results that show themselves in a notebook."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.bundle import Bundle, model_folder
from graticule.bundle_info import BundleInfo
from graticule.decide.judge import Judge, reject_novel
from graticule.decide.novelty import benjamini_hochberg
from graticule.decide.open_bundle import open_bundle
from graticule.errors import ImageError, OptionError
from graticule.heads.predictor import Predictor
from graticule.images.decode import ImageFile
from graticule.jobs.options import AnswerOptions, PictureOptions
from graticule.jobs.orientation.picture import (
    FileToMeasure,
    image_from,
    measure_file,
    measure_image,
    smaller,
    unmeasured,
)
from graticule.jobs.orientation.result import Orientation
from graticule.jobs.train.job import train as train_job
from graticule.jobs.train.options import TrainOptions
from graticule.options import takes
from graticule.predictions import Predictions, read_predictions
from graticule.report.notebook import notebook_table
from graticule.report.svg import escape
from graticule.runs import read_json, read_run, require_finished
from graticule.value_api import NumberAnswers, ValueRun, load_values, train_values
from graticule.workers.main_guard import check_main_guard
from graticule.workers.pool import in_workers

__all__ = [
    "Answers",
    "NumberAnswers",
    "Orientation",
    "Run",
    "ValueRun",
    "load",
    "load_values",
    "orientation",
    "train",
    "train_values",
]

_SHOWN = (
    ("accuracy", "Accuracy"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("macro_precision", "Macro precision"),
    ("macro_f1", "Macro F1"),
    ("roc_auc_macro", "ROC AUC"),
)


@dataclass(frozen=True)
class Answers:
    """Class probabilities of new images, and what to do with each.

    Attributes
    ----------
    paths : list of n str
    classes : tuple of K str
    proba : float array, shape (n, K)
        NaN rows for unreadable files.
    errors : dict
        Why a file could not be read, by path.
    decision, reason : lists of n str or None
        accept, review or reject, and why; None where the model has no evidence to decide on.
    sets : list of n lists of str or None
        Classes that an image cannot be said not to be.
    novelty : float array, shape (n,)
        p-values, low = unlike the training images; NaN where unknown.
    nearest : list of n lists of str or None
        Paths of the nearest training images.
    warnings : list of str
        Why another device than the processor was not used, or gave up.
    """

    paths: list[str]
    classes: tuple[str, ...]
    proba: NDArray[np.float64]
    errors: dict[str, str]
    decision: list[str | None]
    reason: list[str | None]
    sets: list[list[str] | None]
    novelty: NDArray[np.float64]
    nearest: list[list[str] | None]
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def label(self) -> list[str | None]:
        """The likeliest class of each image, None where unreadable."""
        return [None if np.isnan(p[0]) else self.classes[int(p.argmax())] for p in self.proba]

    @property
    def score(self) -> NDArray[np.float64]:
        """Probability of the likeliest class, shape (n,), NaN where unreadable."""
        return np.asarray(self.proba.max(axis=1), dtype=np.float64)

    def _repr_html_(self) -> str:
        rows = [
            (path, label or "unreadable", "" if np.isnan(score) else f"{score:.3f}", decision or "", reason or "")
            for path, label, score, decision, reason in zip(
                self.paths[:20], self.label, self.score, self.decision, self.reason, strict=False
            )
        ]
        more = f"<p>{len(self) - 20:,} more</p>" if len(self) > 20 else ""
        return notebook_table(("path", "label", "score", "decision", "reason"), rows) + more


@dataclass(frozen=True)
class Run:
    """A finished run: its figures, its out-of-fold predictions and its model.

    Attributes
    ----------
    folder : Path
    record, metrics : dict
        run.json and metrics.json.
    info : BundleInfo
    """

    folder: Path
    record: dict[str, Any]
    metrics: dict[str, Any]
    info: BundleInfo
    predictor: Predictor
    bundle: Bundle = field(repr=False)

    @property
    def predictions(self) -> Predictions:
        """The scored samples: out-of-fold for part "cv", once for "test"."""
        return read_predictions(self.folder / "predictions.parquet")

    @property
    def report(self) -> Path:
        """The report of the run."""
        return self.folder / "report.html"

    @takes(AnswerOptions)
    def predict(self, paths: Iterable[str | Path], *, workers: int | None = None, **options: Any) -> Answers:
        """Score image files and decide on them; unreadable ones get NaN and an entry in `errors`.

        Parameters
        ----------
        paths : iterable of paths
        workers : int, optional
            Decoding processes and network threads; default all cores.
        **options

        Raises
        ------
        OptionError
            When one path is given instead of a list, an option is unknown or out of range, or see `check_main_guard`.
        """
        if isinstance(paths, str | Path):
            raise OptionError(f"one path was given ({paths}); give a list of paths")
        check_main_guard()
        files = [ImageFile(Path(path).expanduser()) for path in paths]
        chosen = AnswerOptions.of(options)
        judge = Judge(self.bundle, chosen)
        predictor = self.predictor.on(chosen.device)
        blocks = [(b, judge.judge(b)) for b in predictor.stream(files, workers=workers, with_reference=True)]
        proba = [block.proba for block, _ in blocks]
        info = [item for block, _ in blocks for item in block.info]
        errors = {str(file.path): item.error for file, item in zip(files, info, strict=True) if item.error}
        novelty = np.concatenate([found.novelty for _, found in blocks]) if blocks else np.zeros(0)
        decision = [value for _, found in blocks for value in found.decision]
        reason = [value for _, found in blocks for value in found.reason]
        if judge.options.novelty_fdr:
            novel = benjamini_hochberg(novelty, judge.options.novelty_alpha)
            decision, reason = reject_novel(decision, reason, novel)
        return Answers(
            paths=[str(file.path) for file in files],
            classes=self.predictor.classes,
            proba=np.concatenate(proba) if proba else np.zeros((0, len(self.predictor.classes))),
            errors=errors,
            decision=decision,
            reason=reason,
            sets=[value for _, found in blocks for value in found.sets],
            novelty=novelty,
            nearest=[value for _, found in blocks for value in found.nearest],
            warnings=predictor.device_notes,
        )

    def _repr_html_(self) -> str:
        rows = [(label, *_cells(self.metrics[name])) for name, label in _SHOWN]
        n, k = self.metrics["n"], len(self.metrics["classes"])
        caption = f"{n:,} images, {k} classes, {self.record['folds']['strategy']}"
        heading = f"<p><strong>{escape(str(self.folder))}</strong><br>{escape(caption)}</p>"
        return heading + notebook_table(("figure", "value", "95 % interval", "majority class"), rows)


def _cells(figure: dict[str, Any]) -> tuple[str, str, str]:
    def percent(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.1f} %"

    interval = "–" if figure["low"] is None else f"{percent(figure['low'])} to {percent(figure['high'])}"
    return percent(figure["value"]), interval, percent(figure.get("baseline"))


@takes(TrainOptions)
def train(data: str | Path, out: str | Path, **options: Any) -> Run:
    """Train and cross-validate a classifier; the same as `graticule train DATA --out OUT`.

    Parameters
    ----------
    data, out : path
    **options

    Returns
    -------
    Run

    Raises
    ------
    GraticuleError
        One message for whatever the user can mend.
    """
    check_main_guard()
    chosen = TrainOptions.of(options)
    if chosen.target is not None:
        raise OptionError(f"target={chosen.target!r}: a number is learnt by graticule.api.train_values")
    train_job(Path(data).expanduser(), Path(out).expanduser(), chosen)
    return load(out)


def load(run: str | Path) -> Run:
    """A finished run folder, its bundle verified.

    Raises
    ------
    RunError, BundleError
        When the run is not finished, or a file of its bundle was altered.
    """
    folder = require_finished(Path(run).expanduser())
    bundle = open_bundle(model_folder(folder))
    return Run(
        folder,
        read_run(folder),
        read_json(folder / "metrics.json"),
        bundle.info,
        Predictor.of(bundle),
        bundle,
    )


@takes(PictureOptions)
def orientation(
    image: str | Path | NDArray[Any], *, mask: str | Path | NDArray[Any] | None = None, **options: Any
) -> Orientation:
    """Measure how the structures of one picture are aligned; the same as `graticule orientation` for one image.

    Parameters
    ----------
    image : path, or array of shape (h, w) or (h, w, 3)
        Integers or floating-point numbers, grey or RGB.
    mask : path, or array of shape (h, w), optional
        What is 0 does not count.
    **options

    Returns
    -------
    Orientation

    Raises
    ------
    ImageError
        When a file cannot be read, the array is none of a picture, or it is smaller than the window needs.
    OptionError
    """
    chosen = PictureOptions.of(options)
    chosen.check()
    if isinstance(image, str | Path):
        if not (mask is None or isinstance(mask, str | Path)):
            raise OptionError("a file and an array were given; give picture and mask both as files or both as arrays")
        beside = None if mask is None else Path(mask).expanduser()
        file = FileToMeasure(Path(image).expanduser(), beside, tile=True)
        (one,) = in_workers(partial(measure_file, options=chosen), [file], unmeasured, workers=1)
        if one.found is None:
            raise ImageError(str(image), one.error)
        found = one.found
    else:
        if isinstance(mask, str | Path):
            raise OptionError("an array and a file were given; give picture and mask both as files or both as arrays")
        counts = None if mask is None else np.asarray(mask) != 0
        found = measure_image(image_from(np.asarray(image)), "the array", chosen, counts, survey=True)
    assert found.survey is not None
    return Orientation(found.directions, found.repaired, found.shipped, found.bar, smaller(found.survey))
