"""`graticule study nanowires`: how well the aligned fraction of nanowires can be read from a picture, and by what."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from graticule import __version__
from graticule.answers import read_shard
from graticule.arrays import FloatArray, StrArray, object_array
from graticule.directions.options import LGO_FIJI
from graticule.documents import parse_document
from graticule.errors import OptionError
from graticule.evaluate.values.calibration import calibrated, calibrated_out_of_fold
from graticule.evaluate.values.methods import ComparedImages, MethodValues, compare_methods
from graticule.files import open_regular, write_text
from graticule.jobs.options import OrientationOptions, PredictOptions
from graticule.jobs.orientation.job import orientation
from graticule.jobs.phantom import phantom
from graticule.jobs.predict import predict
from graticule.jobs.study.options import NANOWIRES, StudyOptions
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.manifest import escape_path
from graticule.options import check_outside
from graticule.phantoms.options import PhantomOptions
from graticule.progress import Reporter, Silent
from graticule.report.study.page import render_study
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.sources.sources import read_manifest
from graticule.sources.targets import TargetColumn
from graticule.values import read_values

# blocks of features that are trained, and what they are called
MODELS = {
    "orientation": "trained on orientation statistics",
    "network": "trained on the network's features",
    "both": "trained on both",
}
TUNED = "finetuned"
FIJI, REPAIRED, CALIBRATED, MIXTURE = "lgo_fiji", "lgo", "lgo_calibrated", "mixture"
_UNTRAINED = {
    FIJI: ("Local Gradient Orientation as the plug-in ships it", "lgo_fiji_amount"),
    REPAIRED: ("Local Gradient Orientation, repaired", "lgo_corrected"),
    MIXTURE: ("structure tensor and mixture, untrained", "share"),
}
_CALIBRATED_WORDS = "Local Gradient Orientation, repaired and calibrated on the same folds"


def study_nanowires(out: Path, options: StudyOptions | None = None, reporter: Reporter | None = None) -> dict[str, Any]:
    """Make phantoms (or take data), measure directions, train on each block of features, and compare on one page.

    Parameters
    ----------
    out : Path
        Folder to create: phantoms/, orientation/, runs/, predictions/, study.json, study.html.
    options : StudyOptions, optional
        Without `data` phantoms are drawn, and a second set, of other specimens, that no model sees before it is scored.
    reporter : Reporter, optional

    Returns
    -------
    dict
        study.json.
    """
    options = options or StudyOptions()
    options.check_for(NANOWIRES)
    reporter = reporter or Silent()
    start = time.perf_counter()
    data = options.data
    if data is not None:
        check_outside(out, data)
        if not data.is_dir():
            raise OptionError(f"--data {data} is no folder; give one that holds manifest.csv")
    with output_folder(out, "study"):
        sets = {"cross-validated": data} if data is not None else _phantoms(out / "phantoms", options, reporter)
        directions = {
            name: _directions(folder, out / "orientation" / name, options, reporter) for name, folder in sets.items()
        }
        models = _models(options)
        for block, words in models.items():
            reporter.step(f"training: {words}")
            train(sets["cross-validated"], out / "runs" / block, _training(options, block), reporter)
        parts = [_out_of_fold(out / "runs", models, directions["cross-validated"])]
        if "new" in sets:
            for block in models:
                chosen = PredictOptions(workers=options.workers)
                predict(out / "runs" / block, sets["new"], out / "predictions" / block, chosen, reporter)
            parts.append(_new(sets["new"], out / "predictions", models, directions["new"], options, parts[0]))
        reporter.step("comparing")
        document = {
            "verb": "study",
            "kind": NANOWIRES,
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "wall_time_s": round(time.perf_counter() - start, 2),
            "command": options.command("study", Path(NANOWIRES), out=out),
            "packages": package_versions(),
            "options": options.to_json(),
            "phantoms": data is None,
            "floors": {name: _floors(folder) for name, folder in sets.items()},
            "parts": [_described(part, options.seed) for part in parts],
        }
        write_json(out / "study.json", document)
        write_text(out / "study.html", render_study(document, parts))
    return document


def _floors(folder: Path) -> dict[str, float]:
    """What is left of the error when one knows more than a picture can show; drawn pictures alone tell it."""
    file = folder / "phantom.json"
    if not file.is_file():
        return {}
    with open_regular(file) as source:
        return dict(parse_document(source.read()).get("floors", {}))


def _described(part: ComparedImages, seed: int) -> dict[str, Any]:
    return {
        "name": part.name,
        "n": len(part.target),
        "n_groups": None if part.group is None else len(set(part.group)),
        "methods": compare_methods(part, (FIJI, CALIBRATED), seed=seed),
    }


def _phantoms(folder: Path, options: StudyOptions, reporter: Reporter) -> dict[str, Path]:
    """Two sets of other specimens."""
    made = {"cross-validated": (folder / "training", options.specimens), "new": (folder / "new", options.new_specimens)}
    for k, (place, specimens) in enumerate(made.values()):
        n = specimens * options.per_specimen
        reporter.begin(f"drawing {specimens} specimens of nanowires", n)
        drawn = PhantomOptions(
            n_per_class=n, per_specimen=options.per_specimen, seed=options.seed + k, workers=options.workers
        )
        phantom("nanowires", place, drawn, lambda done, _: reporter.advance(done))
    return {name: place for name, (place, _) in made.items()}


def _directions(folder: Path, out: Path, options: StudyOptions, reporter: Reporter) -> dict[str, dict[str, float]]:
    """Figures of `orientation` by name and escaped path."""
    orientation(folder, out, OrientationOptions(method=LGO_FIJI, workers=options.workers), reporter)
    with open_regular(out / "orientation.parquet") as source:
        table = pq.read_table(source)
    paths = table["path"].to_pylist()
    return {
        column: dict(zip(paths, table[column].to_pylist(), strict=True))
        for column in (column for _, column in _UNTRAINED.values())
    }


def _models(options: StudyOptions) -> dict[str, str]:
    """What is trained, and what it is called; a network itself where torch is installed and it is wanted."""
    if options.finetune == "auto" and find_spec("torch") is not None:
        return MODELS | {TUNED: "the network itself, fine-tuned"}
    return MODELS


def _training(options: StudyOptions, block: str) -> TrainOptions:
    common = TrainOptions(
        target=options.target, target_min=0.0, target_max=1.0, seed=options.seed, workers=options.workers
    )
    return replace(common, method="finetune") if block == TUNED else replace(common, features=block)


def _out_of_fold(
    runs: Path, models: Mapping[str, str], directions: Mapping[str, Mapping[str, float]]
) -> ComparedImages:
    """The cross-validated images: every model was scored on the same folds."""
    scored = {block: read_values(runs / block / "predictions.parquet").of_part("cv") for block in models}
    first = next(iter(scored.values()))
    order = np.argsort(first.path.astype(str))
    first = first.take(order)
    methods = _untrained(directions, first.path)
    repaired = methods[list(_UNTRAINED).index(REPAIRED)].value
    fair = calibrated_out_of_fold(repaired, first.target, first.fold)
    methods.append(MethodValues(CALIBRATED, _CALIBRATED_WORDS, fair, trained=True))
    for block, values in scored.items():
        own = values.take(np.argsort(values.path.astype(str)))
        methods.append(MethodValues(block, models[block], own.value, own.low, own.high, trained=True))
    return ComparedImages("cross-validated", first.path, first.group, first.target, methods, first.baselines["mean"])


def _new(
    folder: Path,
    predictions: Path,
    models: Mapping[str, str],
    directions: Mapping[str, Mapping[str, float]],
    options: StudyOptions,
    training: ComparedImages,
) -> ComparedImages:
    """Images of specimens that nothing was trained on, scored once."""
    manifest = read_manifest(folder, target=TargetColumn(options.target))
    path = object_array([escape_path(name) for name in manifest.path.tolist()])
    order = np.argsort(path.astype(str))
    path, target = path[order], manifest.targets[order]
    group = None if manifest.group is None else manifest.group[order]
    methods = _untrained(directions, path)
    repaired = methods[list(_UNTRAINED).index(REPAIRED)].value
    fair = calibrated(training.of(REPAIRED).value, training.target, repaired)
    methods.append(
        MethodValues(CALIBRATED, _CALIBRATED_WORDS.replace("the same folds", "the first set"), fair, trained=True)
    )
    for block, words in models.items():
        shards = [read_shard(file).to_pylist() for file in sorted((predictions / block).glob("*.parquet"))]
        row = {one["path"]: one for shard in shards for one in shard}
        value, low, high = (_column(row, path, name) for name in ("value", "low", "high"))
        methods.append(MethodValues(block, words, value, low, high, trained=True))
    return ComparedImages("new", path, group, target, methods, float(training.target.mean()))


def _column(row: Mapping[str, Mapping[str, Any]], path: StrArray, name: str) -> FloatArray:
    return np.array([np.nan if row[one][name] is None else row[one][name] for one in path.tolist()], dtype=np.float64)


def _untrained(directions: Mapping[str, Mapping[str, float]], path: StrArray) -> list[MethodValues]:
    """What needs no training says; a picture in which it finds nothing counts as 0."""
    return [
        MethodValues(name, words, np.nan_to_num(_numbers(directions[column], path)))
        for name, (words, column) in _UNTRAINED.items()
    ]


def _numbers(figures: Mapping[str, float], path: Sequence[str] | StrArray) -> FloatArray:
    return np.array([np.nan if figures.get(one) is None else figures[one] for one in path], dtype=np.float64)
