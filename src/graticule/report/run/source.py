"""Reading a run folder (or the folder `evaluate` leaves) for its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule.arrays import StrArray
from graticule.errors import RunError
from graticule.heads.outcome import group_of_rows
from graticule.manifest import Manifest
from graticule.predictions import Predictions, read_predictions
from graticule.runs import read_document
from graticule.sources.tables import read_table
from graticule.tasks import task_of


@dataclass(frozen=True)
class ReportSource:
    """What a report is written from; nothing in it is computed anew.

    Attributes
    ----------
    run, metrics : mappings
        run.json and metrics.json.
    predictions : Predictions
        All scored samples.
    files : dict
        File of each sample id; empty without a manifest.
    has_groups : bool
        Whether the samples name groups, used or not.
    failures : list of (path, error)
        Unreadable inputs.
    decisions : dict or None
        decisions.json of a training run.
    group : object array of str, or None
        Group of each row of the predictions, where the samples name groups.
    """

    run: Mapping[str, Any]
    metrics: Mapping[str, Any]
    predictions: Predictions
    files: dict[str, Path]
    has_groups: bool
    failures: list[tuple[str, str]]
    decisions: Mapping[str, Any] | None = None
    group: StrArray | None = None

    @property
    def external(self) -> bool:
        """True for a finished model on other data (`evaluate`), false for a cross-validation."""
        return self.run.get("verb") == "evaluate"

    @property
    def one_split(self) -> bool:
        """True where one model was trained and the held-out part scored, without cross-validation."""
        return not self.external and (self.run.get("folds") or {}).get("k") == 1

    @property
    def part(self) -> str:
        """The part of the predictions that the headline figures are about."""
        parts = set(self.predictions.part.tolist())
        wanted = str(self.metrics.get("part", "cv"))
        return wanted if wanted in parts else min(parts, default="cv")

    @property
    def classes(self) -> list[str]:
        """Class names in the order of the metrics."""
        return [str(name) for name in self.metrics["classes"]]

    def file_of(self, row: int) -> Path | None:
        """File of one row of the predictions, or None when nothing says where it lies."""
        known = self.files.get(str(self.predictions.sample_id[row]))
        root = (self.run.get("data") or {}).get("root")
        return known or (Path(root) / str(self.predictions.path[row]) if root else None)


def read_failures(file: Path) -> list[tuple[str, str]]:
    """Unreadable inputs of a run, as (path, error); nothing without a file of them."""
    if not file.exists():
        return []
    columns = read_table(file).columns
    if not {"path", "error"} <= set(columns):
        raise RunError(f"{file} lacks the columns path and error; write the run again with this version")
    return list(zip(columns["path"], columns["error"], strict=True))


def _check_metrics(metrics: Mapping[str, Any], file: Path) -> None:
    """The frame of metrics.json: classes, each once and with figures, and a square table of counts."""
    classes, per_class, confusion = (metrics[key] for key in ("classes", "per_class", "confusion"))
    named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    if not named or not classes or len(set(classes)) < len(classes):
        raise RunError(f"{file} is damaged: its classes are no names, each once")
    if not isinstance(per_class, dict) or set(per_class) != set(classes):
        raise RunError(f"{file} is damaged: it has no figures of each class")
    rows = confusion if isinstance(confusion, list) else []
    square = len(rows) == len(classes) and all(isinstance(row, list) and len(row) == len(rows) for row in rows)
    if not square or not all(type(n) is int and n >= 0 for row in rows for n in row) or type(metrics["n"]) is not int:
        raise RunError(f"{file} is damaged: its table of counts is not {len(classes)} x {len(classes)}")


def read_source(folder: Path) -> ReportSource:
    """Read a finished run folder.

    Raises
    ------
    RunError
        When run.json, metrics.json or predictions.parquet is missing or unreadable.
    ManifestError
        When manifest.parquet is unreadable.
    TaskError
        When the run is of a task that this version does not know.
    """
    metrics, run = (read_document(folder / name) for name in ("metrics.json", "run.json"))
    task_of(metrics, folder / "metrics.json")
    task_of(run, folder / "run.json")
    missing = [key for key in ("n", "classes", "per_class", "confusion") if key not in metrics]
    if missing:
        raise RunError(f"{folder / 'metrics.json'} lacks {', '.join(missing)}; write the run again with this version")
    _check_metrics(metrics, folder / "metrics.json")
    manifest = Manifest.read(folder / "manifest.parquet") if (folder / "manifest.parquet").exists() else None
    files = {} if manifest is None else dict(zip(manifest.sample_id.tolist(), manifest.files(), strict=True))
    predictions = read_predictions(folder / "predictions.parquet")
    group = None if manifest is None else group_of_rows(predictions, manifest)
    return ReportSource(
        run=run,
        metrics=metrics,
        predictions=predictions,
        files=files,
        has_groups=group is not None and bool((group != "").any()),
        group=group,
        failures=read_failures(folder / "failures.csv"),
        decisions=read_document(folder / "decisions.json") if (folder / "decisions.json").exists() else None,
    )
