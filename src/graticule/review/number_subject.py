"""What `graticule review` is about where a number is asked: predictions, a run, or a data set without a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graticule.arrays import FloatArray, StrArray, object_array
from graticule.bundle import ValueBundle, bundle_hash, model_folder
from graticule.decide.decisions import UNREADABLE
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.decide.value_decisions import ValueRule, decide_values
from graticule.errors import BundleError, RunError
from graticule.files import sha256_file
from graticule.images.preprocess import Preprocessing
from graticule.label_errors.suspicious_run import judge_targets
from graticule.manifest import Manifest, escape_path, unescape_path
from graticule.progress import Reporter
from graticule.record.numbers import Quantity
from graticule.regress.predictor import ValuePredictor
from graticule.regress.target import Target
from graticule.review.gathering import (
    WITHOUT_MODEL,
    Subject,
    first_of_each,
    hashes_of,
    left_out_note,
    shown_folder,
    tuples_of,
)
from graticule.review.number_items import NumberItems
from graticule.runs import read_json
from graticule.sources.sources import read_manifest
from graticule.sources.targets import TargetColumn
from graticule.tasks import REGRESSION
from graticule.value_answers import read_valued

_LEVEL = 0.9


@dataclass(frozen=True)
class _Asked:
    """The quantity, and what is known of its range."""

    quantity: Quantity
    bounds: tuple[float | None, float | None]
    seen: tuple[float, float] | None
    logarithmic: bool

    @classmethod
    def of(cls, target: Target, seen: tuple[float, float] | None) -> "_Asked":
        return cls(Quantity(target.column, target.unit), (target.least, target.most), seen, target.logarithmic)


def _items(asked: _Asked, n: int, **columns: Any) -> NumberItems:
    """Items of n images; what is not given is not known."""
    empty, unknown = object_array([""] * n), np.full(n, np.nan)
    known: dict[str, Any] = {
        **dict.fromkeys(("decision", "reason", "group"), empty),
        **dict.fromkeys(("novelty", "suspicion", "sampling_prob", "value", "low", "high", "given"), unknown),
        "nearest": ((),) * n,
        "level": _LEVEL,
    }
    return NumberItems(
        numbers_of=asked.quantity,
        bounds=asked.bounds,
        seen=asked.seen,
        logarithmic=asked.logarithmic,
        **known | columns,
    )


def of_predicted_numbers(folder: Path) -> Subject:
    """Predictions of a model of numbers."""
    table, summary = read_valued(folder), read_json(folder / "summary.json")
    value = _numbers(table["value"])
    why, sha256 = table["reason"].to_pylist(), table["sha256"].to_pylist()
    readable = np.array([i for i in range(len(table)) if sha256[i] and why[i] != UNREADABLE], np.int64)
    first = np.array(first_of_each(sha256, readable.tolist()), np.int64)
    notes = left_out_note(len(table) - len(readable), "unreadable")
    notes += left_out_note(len(readable) - len(first), "copies")
    table = table.take(first)
    asked = _asked_of(summary, folder)
    items = _items(
        asked,
        len(first),
        sha256=object_array(table["sha256"].to_pylist()),
        path=object_array(table["path"].to_pylist()),
        value=value[first],
        low=_numbers(table["low"]),
        high=_numbers(table["high"]),
        level=float(summary.get("level") or _LEVEL),
        novelty=_numbers(table["novelty"]),
        decision=object_array([text or "" for text in table["decision"].to_pylist()]),
        reason=object_array([text or "" for text in table["reason"].to_pylist()]),
        nearest=tuples_of(table["nearest"]),
    )
    run = Path(unescape_path(summary["run"]))
    bundle, training, more = _model_of(run, summary.get("bundle_sha256"))
    return Subject(
        items=items,
        root=shown_folder(Path(unescape_path(summary["images"]))),
        source=f"predictions {folder.name}",
        bundle=None,
        preprocessing=_reading(bundle),
        training=training,
        model_hash=summary.get("bundle_sha256"),
        run_hash=sha256_file(folder / "summary.json"),
        notes=notes + more,
    )


def _asked_of(summary: dict[str, Any], folder: Path) -> _Asked:
    """The target that summary.json names, and the range that its model was trained on."""
    try:
        least, most = (None if end is None else float(end) for end in summary["bounds"])
        low, high = (float(end) for end in summary["trained_on"])
        column, unit, scale = (str(summary[name]) for name in ("target", "unit", "scale"))
        return _Asked.of(Target(column, unit, scale, least, most, bool(summary["per_pixel_size"])), (low, high))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{folder}/summary.json does not say which number was predicted: predict again") from error


def _model_of(run: Path, expected: str | None) -> tuple[ValueBundle | None, Manifest | None, list[str]]:
    """The bundle of predictions and the images it was trained on, as far as they are still there."""
    try:
        folder = model_folder(run)
        bundle = open_value_bundle(folder)
    except (RunError, BundleError) as error:
        return None, None, [f"without training images: {error}"]
    if expected is not None and bundle_hash(folder) != expected:
        return None, None, [f"without training images: {run} holds another model by now"]
    manifest = run / "manifest.parquet"
    return bundle, Manifest.read(manifest, REGRESSION) if manifest.is_file() else None, []


def _reading(bundle: ValueBundle | None) -> Preprocessing:
    """How a model reads images; one that looks at orientation alone shows them as they are."""
    if bundle is None:
        return WITHOUT_MODEL
    return ValuePredictor.of(bundle, any_depth=True).encoder.preprocessing


def of_number_run(run: Path, reporter: Reporter) -> Subject:
    """The cross-validated images of a run of `train --target`, with the out-of-fold predictions."""
    reporter.step("looking for wrong numbers")
    judged = judge_targets(run)
    values, found = judged.values, judged.found
    bundle = open_value_bundle(run / "model")
    least, most = bundle.info.trained_on
    rule = ValueRule(None, least, most, bundle.info.unit)
    # by rank among the training images one in a hundred of them would be novel, whatever they are
    decision, reason = decide_values(values.value, values.low, values.high, np.zeros(len(values), bool), rule)
    row = {sample: i for i, sample in enumerate(judged.manifest.sample_id.tolist())}
    manifest = judged.manifest.take(np.array([row[sample] for sample in values.sample_id.tolist()], np.int64))
    sha256 = hashes_of(manifest.files(), reporter)
    n = len(values)
    items = _items(
        _Asked.of(ValuePredictor.target_of(bundle.info), (least, most)),
        n,
        sha256=object_array(sha256),
        path=object_array([escape_path(path) for path in manifest.path]),
        value=values.value,
        low=values.low,
        high=values.high,
        level=values.level,
        decision=decision,
        reason=reason,
        given=values.target,
        group=_groups(manifest, n),
        suspicion=np.where(found.listed, found.score, np.nan),
    )
    items, notes = _there(items, sha256)
    if judged.n_held_out:
        notes.append(
            f"{judged.n_held_out:,} images set aside are left alone: numbers changed by the model test it no more"
        )
    return Subject(
        items=items,
        root=manifest.root,
        source=f"run {run.name}",
        bundle=None,
        preprocessing=_reading(bundle),
        training=judged.manifest,
        model_hash=bundle_hash(run / "model"),
        run_hash=sha256_file(run / "run.json"),
        notes=notes,
        of_training=True,
    )


def of_number_table(data: Path, target: Target, root: Path | None, reporter: Reporter) -> Subject:
    """A data set with a column of numbers, empty or not, without a model.

    Raises
    ------
    ManifestError
        With every faulty cell.
    OptionError
        When there is no such column.
    """
    manifest = read_manifest(data, root=root, target=TargetColumn(target.column, target.least, target.most))
    given = manifest.targets
    known = given[np.isfinite(given)]
    sha256 = hashes_of(manifest.files(), reporter)
    items = _items(
        _Asked.of(target, (float(known.min()), float(known.max())) if len(known) else None),
        len(manifest),
        sha256=object_array(sha256),
        path=object_array([escape_path(path) for path in manifest.path]),
        given=given,
        group=_groups(manifest, len(manifest)),
    )
    items, notes = _there(items, sha256)
    return Subject(
        items=items,
        root=manifest.root,
        source=f"data {data.name}",
        bundle=None,
        preprocessing=WITHOUT_MODEL,
        training=None,
        model_hash=None,
        run_hash=None,
        notes=[*manifest.warnings, *notes],
    )


def _there(items: NumberItems, sha256: list[str]) -> tuple[NumberItems, list[str]]:
    """The images whose files are there, each once, and notes on the others."""
    first = first_of_each(sha256, [i for i in range(len(sha256)) if sha256[i]])
    notes = left_out_note(sha256.count(""), "files that are no longer there")
    notes += left_out_note(len(sha256) - sha256.count("") - len(first), "copies")
    return items.take(np.array(first, np.int64)), notes


def _groups(manifest: Manifest, n: int) -> StrArray:
    return object_array([""] * n) if manifest.group is None else manifest.group


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    return np.asarray(column.to_numpy(), dtype=np.float64)
