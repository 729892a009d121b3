"""Reading the folder of a run or an evaluation of numbers for its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule.arrays import StrArray, object_array
from graticule.errors import RunError
from graticule.manifest import Manifest
from graticule.report.quantities import figure_value
from graticule.report.run.source import read_failures
from graticule.report.values.amounts import Amount
from graticule.runs import read_document
from graticule.tasks import REGRESSION, task_of
from graticule.values import Values, read_values

NEEDED = ("n", "mae", "r2", "bias_by_third", "baselines")


@dataclass(frozen=True)
class ValueSource:
    """What the page is written from; nothing in it is computed anew.

    Attributes
    ----------
    run, metrics : mappings
        run.json and metrics.json.
    values : Values
        All scored images.
    files : dict
        File of each sample id; empty without a manifest.
    failures : list of (path, error)
        Unreadable inputs.
    decisions : dict or None
        decisions.json.
    """

    run: Mapping[str, Any]
    metrics: Mapping[str, Any]
    values: Values
    files: dict[str, Path]
    failures: list[tuple[str, str]]
    decisions: Mapping[str, Any] | None = None

    @property
    def external(self) -> bool:
        """True for a finished model on other data (`evaluate`)."""
        return self.run.get("verb") == "evaluate"

    @property
    def part(self) -> str:
        """The part that the headline figures are about."""
        return str(self.metrics.get("part", "cv"))

    @property
    def shown(self) -> Values:
        """The images that the headline figures are about."""
        return self.values.of_part(self.part)

    @property
    def target(self) -> str:
        """Name of the number."""
        return str(self.metrics.get("target") or "value")

    @property
    def amount(self) -> Amount:
        """How numbers of the target are written: with as many digits as its errors leave any sense in."""
        return Amount.of(str(self.metrics.get("unit") or ""), figure_value(self.metrics["mae"]), self.values.target)

    @property
    def unit_of_sampling(self) -> tuple[str, str]:
        """What is drawn in intervals, one and several: the name of the column of groups, or images."""
        if self.metrics.get("n_groups") is None:
            return "image", "images"
        name = str((self.run.get("data") or {}).get("group_column") or "group")
        return ("specimen", "specimens") if name == "specimen" else ("group", "groups")

    @property
    def groups(self) -> StrArray:
        """Group of each image shown; one empty name where there are none."""
        group = self.shown.group
        return object_array([""] * len(self.shown)) if group is None else group

    def file_of(self, row: int) -> Path | None:
        """File of a row of the images shown, or None when nothing says where it lies."""
        known = self.files.get(str(self.shown.sample_id[row]))
        root = (self.run.get("data") or {}).get("root")
        return known or (Path(root) / str(self.shown.path[row]) if root else None)


def read_value_source(folder: Path) -> ValueSource:
    """Read a finished run of numbers, or what `evaluate` left of one.

    Raises
    ------
    RunError
        When run.json, metrics.json or predictions.parquet is missing or damaged.
    TaskError
        When it is of another task.
    """
    metrics, run = (read_document(folder / name) for name in ("metrics.json", "run.json"))
    task_of(metrics, folder / "metrics.json", takes=(REGRESSION,))
    task_of(run, folder / "run.json", takes=(REGRESSION,))
    missing = [key for key in NEEDED if key not in metrics]
    if missing:
        raise RunError(f"{folder / 'metrics.json'} lacks {', '.join(missing)}; write the run again with this version")
    manifest = (
        Manifest.read(folder / "manifest.parquet", REGRESSION) if (folder / "manifest.parquet").exists() else None
    )
    files = {} if manifest is None else dict(zip(manifest.sample_id.tolist(), manifest.files(), strict=True))
    source = ValueSource(
        run=run,
        metrics=metrics,
        values=read_values(folder / "predictions.parquet"),
        files=files,
        failures=read_failures(folder / "failures.csv"),
        decisions=read_document(folder / "decisions.json") if (folder / "decisions.json").exists() else None,
    )
    if not len(source.shown):
        raise RunError(f"{folder / 'predictions.parquet'} holds no image of the part {source.part!r}")
    return source
