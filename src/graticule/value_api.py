"""The part of the Python interface that is about numbers: train a model of one, load it, predict with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graticule.arrays import FloatArray
from graticule.bundle import ValueBundle, model_folder
from graticule.bundle_info import ValueBundleInfo
from graticule.decide.judge import reject_novel
from graticule.decide.novelty import benjamini_hochberg
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.decide.value_judge import ValueJudge
from graticule.errors import OptionError
from graticule.images.decode import ImageFile
from graticule.jobs.options import NumberAnswerOptions
from graticule.jobs.train.job import train as train_job
from graticule.jobs.train.options import TrainOptions
from graticule.options import takes
from graticule.regress.predictor import ValuePredictor
from graticule.report.notebook import notebook_table
from graticule.report.svg import escape
from graticule.runs import read_json, read_run, require_finished
from graticule.tasks import REGRESSION
from graticule.values import Values, read_values
from graticule.workers.main_guard import check_main_guard

_ROWS = 20


@dataclass(frozen=True)
class NumberAnswers:
    """Numbers of new images with their limits, and what to do with each.

    Attributes
    ----------
    paths : list of n str
    target, unit : str
    value, low, high : float arrays, shape (n,)
        In the unit; NaN for unreadable files, limits also where none can be promised.
    level : float
        How often limits hold the true number.
    errors : dict
        Why a file could not be read, by path.
    decision, reason : lists of n str
        accept, review or reject, and why.
    novelty : float array, shape (n,)
        p-values, low = unlike the training images; NaN where unknown.
    nearest : list of n lists of str or None
        Paths of the nearest training images.
    warnings : list of str
        Why another device than the processor was not used, or gave up.
    """

    paths: list[str]
    target: str
    unit: str
    value: FloatArray
    low: FloatArray
    high: FloatArray
    level: float
    errors: dict[str, str]
    decision: list[str | None]
    reason: list[str | None]
    novelty: FloatArray
    nearest: list[list[str] | None]
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)

    def _repr_html_(self) -> str:
        def shown(number: float) -> str:
            return "–" if np.isnan(number) else f"{number:.4g}"

        rows = [
            (
                self.paths[i],
                *map(shown, (self.value[i], self.low[i], self.high[i])),
                self.decision[i] or "",
                self.reason[i] or "",
            )
            for i in range(min(len(self), _ROWS))
        ]
        more = f"<p>{len(self) - _ROWS:,} more</p>" if len(self) > _ROWS else ""
        name = f"{self.target} [{self.unit}]" if self.unit else self.target
        return notebook_table(("path", name, "low", "high", "decision", "reason"), rows) + more


@dataclass(frozen=True)
class ValueRun:
    """A finished run of a number: its figures, its numbers out of fold and its model.

    Attributes
    ----------
    folder : Path
    record, metrics : dict
        run.json and metrics.json.
    info : ValueBundleInfo
    """

    folder: Path
    record: dict[str, Any]
    metrics: dict[str, Any]
    info: ValueBundleInfo
    predictor: ValuePredictor
    bundle: ValueBundle = field(repr=False)

    @property
    def values(self) -> Values:
        """The predicted numbers with their limits: out of fold for part "cv", once for "test"."""
        return read_values(self.folder / "predictions.parquet")

    @property
    def report(self) -> Path:
        """The report of the run."""
        return self.folder / "report.html"

    @takes(NumberAnswerOptions)
    def predict(
        self,
        paths: Iterable[str | Path],
        *,
        pixel_sizes_nm: Sequence[float] | None = None,
        workers: int | None = None,
        **options: Any,
    ) -> NumberAnswers:
        """Predict the number of image files with its limits; unreadable ones get NaN and an entry in `errors`.

        Parameters
        ----------
        paths : iterable of n paths
        pixel_sizes_nm : sequence of n float, optional
            Of each image, NaN where unknown; wins over what the file says. Used where the number was learnt per pixel
            size.
        workers : int, optional
            Decoding processes and network threads; default all cores.
        **options

        Raises
        ------
        OptionError
            When one path is given instead of a list, pixel sizes are of another number of images, an option is unknown
            or out of range, or see `check_main_guard`.
        """
        if isinstance(paths, str | Path):
            raise OptionError(f"one path was given ({paths}); give a list of paths")
        check_main_guard()
        names = [Path(path).expanduser() for path in paths]
        if pixel_sizes_nm is not None and len(pixel_sizes_nm) != len(names):
            raise OptionError(f"{len(pixel_sizes_nm):,} pixel sizes were given for {len(names):,} images")
        given = [None] * len(names) if pixel_sizes_nm is None else [_known(size) for size in pixel_sizes_nm]
        files = [ImageFile(name, pixel_size_nm=size) for name, size in zip(names, given, strict=True)]
        chosen = NumberAnswerOptions.of(options)
        judge, predictor = ValueJudge(self.bundle, chosen), self.predictor.on(chosen.device)
        blocks = [
            (valued, judge.judge(valued, predictor.pixel_sizes(valued)))
            for valued in predictor.stream(files, workers=workers)
        ]
        info = [item for valued, _ in blocks for item in valued.info]
        decision: list[str | None] = [word for _, found in blocks for word in found.decision]
        reason: list[str | None] = [word for _, found in blocks for word in found.reason]
        value, low, high, novelty = (
            np.concatenate([getattr(found, name) for _, found in blocks]) if blocks else np.zeros(0)
            for name in ("value", "low", "high", "novelty")
        )
        if chosen.novelty_fdr:
            novel = benjamini_hochberg(novelty, chosen.novelty_alpha)
            decision, reason = reject_novel(decision, reason, novel)
        return NumberAnswers(
            paths=[str(name) for name in names],
            target=self.info.target,
            unit=self.info.unit,
            value=value,
            low=low,
            high=high,
            level=judge.level,
            errors={str(name): item.error for name, item in zip(names, info, strict=True) if item.error},
            decision=decision,
            reason=reason,
            novelty=novelty,
            nearest=[paths for _, found in blocks for paths in found.nearest],
            warnings=predictor.device_notes,
        )

    def _repr_html_(self) -> str:
        def shown(name: str, title: str) -> tuple[str, str, str]:
            figure = self.metrics[name]
            interval = "–" if figure["low"] is None else f"{figure['low']:.3g} to {figure['high']:.3g}"
            return title, "–" if figure["value"] is None else f"{figure['value']:.3g}", interval

        rows = [shown("mae", "Mean absolute error"), shown("r2", "R2"), shown("bias", "Bias")]
        name = f"{self.info.target} [{self.info.unit}]" if self.info.unit else self.info.target
        caption = f"{name}: {self.metrics['n']:,} images, {self.record['folds']['strategy']}"
        heading = f"<p><strong>{escape(str(self.folder))}</strong><br>{escape(caption)}</p>"
        return heading + notebook_table(("figure", "value", "95 % interval"), rows)


def _known(size: float) -> float | None:
    return None if np.isnan(size) else float(size)


@takes(TrainOptions)
def train_values(data: str | Path, out: str | Path, **options: Any) -> ValueRun:
    """Train and cross-validate a model of a number; the same as `graticule train DATA --target COLUMN --out OUT`.

    Parameters
    ----------
    data, out : path
    **options

    Returns
    -------
    ValueRun

    Raises
    ------
    GraticuleError
        One message for whatever the user can mend.
    """
    check_main_guard()
    chosen = TrainOptions.of(options)
    if chosen.target is None:
        raise OptionError("train_values needs the option target, the column of the number")
    train_job(Path(data).expanduser(), Path(out).expanduser(), chosen)
    return load_values(out)


def load_values(run: str | Path) -> ValueRun:
    """A finished run folder of a number, its bundle verified.

    Raises
    ------
    RunError, BundleError, TaskError
        When the run is not finished, of another task, or a file of its bundle was altered.
    """
    folder = require_finished(Path(run).expanduser())
    bundle = open_value_bundle(model_folder(folder))
    record, metrics = read_run(folder, (REGRESSION,)), read_json(folder / "metrics.json")
    return ValueRun(folder, record, metrics, bundle.info, ValuePredictor.of(bundle), bundle)
