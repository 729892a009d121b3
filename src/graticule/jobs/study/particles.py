"""`graticule study particles`: what helps a rare kind of particle, and which labels of the common one are wrong."""

import csv
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.arrays import Float32Array, FloatArray, IntArray, StrArray, class_codes, object_array
from graticule.errors import OptionError, RunError
from graticule.evaluate.compare.runs import compare_many
from graticule.evaluate.summary import summarise
from graticule.features.reader import settle
from graticule.features.samples import Samples, embed_samples, sorted_by_path
from graticule.files import write_text, writing_text
from graticule.heads.input_search import sized
from graticule.heads.rare_arms import RARE_ARMS, WEIGHTS, arm_scores
from graticule.images.options import ReadingOptions
from graticule.jobs.phantom import phantom
from graticule.jobs.study.options import PARTICLES, StudyOptions
from graticule.jobs.study.turned import write_turned
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.label_errors.ranking import LabelErrors, find_label_errors
from graticule.manifest import Manifest, escape_path
from graticule.networks.catalogue import encoder_of
from graticule.networks.encoder import Encoder
from graticule.networks.options import DEFAULT_BACKBONE
from graticule.networks.pooling import CENTRE, WHOLE
from graticule.options import check_outside
from graticule.phantoms.options import PhantomOptions
from graticule.predictions import Predictions, read_predictions
from graticule.progress import Reporter, Silent
from graticule.report.study.particles_page import FIGURES, OF_CLASS, render_particles
from graticule.report.thumbnails import pictures_of_files
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.sources.sources import read_manifest
from graticule.split.division import class_folds, divide_samples
from graticule.split.options import SplitOptions

TUNED = "network"
_TRUTH = "true_label"
_DRAWS = 500
_LISTED = 500


@dataclass(frozen=True)
class _Data:
    """n images that are judged, m turned ones behind them, and where each is held out."""

    samples: Samples
    features: Float32Array
    turned_from: IntArray
    fold: IntArray
    copies: IntArray | None

    @property
    def manifest(self) -> Manifest:
        return self.samples.manifest

    @property
    def y(self) -> IntArray:
        return class_codes(self.manifest.label, self.manifest.classes)

    def truth(self) -> StrArray:
        """What each image shows: the column `true_label` where there is one, else the label."""
        known = self.manifest.columns.get(_TRUTH)
        return self.manifest.label if known is None or not set(known) <= set(self.manifest.classes) else known


def study_particles(out: Path, options: StudyOptions | None = None, reporter: Reporter | None = None) -> dict[str, Any]:
    """Draw particles (or take data), learn them in several ways, judge all images once, and rank labels by doubt.

    Parameters
    ----------
    out : Path
        Folder to create: phantoms/, turned/, label_errors.csv, study.json, study.html; runs/network with a network.
    options : StudyOptions, optional
    reporter : Reporter, optional

    Returns
    -------
    dict
        study.json.

    Raises
    ------
    OptionError
        Also when a network is to be trained and torch is not installed.
    RunError
        When there are fewer than two classes.
    """
    options = options or StudyOptions()
    options.check_for(PARTICLES)
    if options.network is not None and find_spec("torch") is None:
        raise OptionError("--network trains with torch, which is not installed: pip install 'graticule[torch]'")
    reporter = reporter or Silent()
    start = time.perf_counter()
    if options.data is not None:
        check_outside(out, options.data)
    with output_folder(out, "study"):
        folder = options.data or _drawn(out / "phantoms", options, reporter)
        data = _embedded(folder, out / "turned", options, reporter)
        scored = {}
        for arm in RARE_ARMS:
            reporter.step(f"learning: {arm}")
            proba = arm_scores(arm, data.features, data.y, data.fold, data.turned_from, len(data.manifest.classes))
            scored[arm] = _predictions(data, proba)
        reporter.step("ranking labels")
        errors = _label_errors(data, scored[WEIGHTS])
        if options.network is not None:
            scored[TUNED] = _fine_tuned(folder, out / "runs" / TUNED, data, options, reporter)
        reporter.step("comparing")
        document = _document(data, scored, errors, options) | {
            "wall_time_s": round(time.perf_counter() - start, 2),
            "command": options.command("study", Path(PARTICLES), out=out),
        }
        _write_labels(out / "label_errors.csv", data, errors)
        write_json(out / "study.json", document)
        files = [data.manifest.root / data.manifest.path[row] for row in errors.order[:24]]
        with pictures_of_files(96) as read:
            write_text(out / "study.html", render_particles(document, files, read))
    return document


def _drawn(folder: Path, options: StudyOptions, reporter: Reporter) -> Path:
    counts = (options.rare, options.common, options.rare)
    reporter.begin("drawing particles", sum(counts))
    drawn = PhantomOptions(
        counts=",".join(map(str, counts)),
        label_noise=options.label_noise,
        seed=options.seed,
        workers=options.workers,
    )
    phantom("particles", folder, drawn, lambda done, _: reporter.advance(done))
    return folder


def _embedded(folder: Path, turned: Path, options: StudyOptions, reporter: Reporter) -> _Data:
    manifest = read_manifest(folder, group=options.group)
    manifest = sorted_by_path(manifest.take(manifest.labelled))
    if len(manifest.classes) < 2:
        raise RunError(f"{folder} holds images of {len(manifest.classes)} class; a study of rare classes needs two")
    samples, encoder = _seen_by_network(manifest, options, reporter)
    y = class_codes(samples.manifest.label, manifest.classes)
    rare = np.flatnonzero(y != np.bincount(y).argmax())
    fold, joined = _divided(samples, encoder, options, reporter)
    copies, turned_from = write_turned(samples.manifest, rare, turned, encoder.preprocessing, options.workers, reporter)
    others, _ = _seen_by_network(copies, options, reporter)
    place = {path: k for k, path in enumerate(copies.path)}
    kept = np.array([place[path] for path in others.manifest.path], dtype=np.int64)
    used = sum(length for name, length in encoder.parts if name in (WHOLE, CENTRE))  # these lead the vector
    features = np.concatenate([samples.features[:, :used], others.features[:, :used]])
    return _Data(
        replace(samples, features=features[: len(samples.features)]),
        features,
        turned_from[kept],
        fold,
        joined,
    )


def _divided(
    samples: Samples, encoder: Encoder, options: StudyOptions, reporter: Reporter
) -> tuple[IntArray, IntArray | None]:
    """Fold of each image, and copies. Drawn spheres look alike and none is a copy: no near-copies are looked for."""
    chosen = SplitOptions(folds=options.folds, seed=options.seed)
    if options.data is None:
        return class_folds(samples.manifest, samples.duplicates, [], chosen).fold, samples.duplicates
    division = divide_samples(samples, encoder.preprocessing, chosen, reporter)
    return division.folds.fold, division.copies


def _seen_by_network(manifest: Manifest, options: StudyOptions, reporter: Reporter) -> tuple[Samples, Encoder]:
    encoder = sized(encoder_of(DEFAULT_BACKBONE, views=1), options.input_size, 1)
    encoder, _ = settle(manifest, encoder, ReadingOptions(), workers=options.workers, reporter=reporter)
    return embed_samples(manifest, encoder, workers=options.workers, batch_size=None, reporter=reporter), encoder


def _predictions(data: _Data, proba: FloatArray) -> Predictions:
    """Scores beside the truth: what is judged, also where the label that was learnt is wrong."""
    manifest = data.manifest
    return Predictions(
        sample_id=manifest.sample_id,
        path=object_array([escape_path(path) for path in manifest.path]),
        part=object_array(["cv"] * len(manifest)),
        fold=data.fold,
        label=data.truth(),
        classes=manifest.classes,
        proba=proba,
    )


def _fine_tuned(folder: Path, out: Path, data: _Data, options: StudyOptions, reporter: Reporter) -> Predictions:
    chosen = TrainOptions(
        method="finetune",
        ensemble=True,  # only fold networks are judged; one of all images is not needed
        backbone=str(options.network),
        weights=options.weights,
        input_size=options.input_size,
        folds=options.folds,
        group=options.group,
        seed=options.seed,
        workers=options.workers,
    )
    train(folder, out, chosen, reporter)
    scored = read_predictions(out / "predictions.parquet").of_part("cv")
    truth = dict(zip(data.manifest.sample_id, data.truth(), strict=True))
    return replace(scored, label=object_array([truth[one] for one in scored.sample_id]))


def _label_errors(data: _Data, scored: Predictions) -> LabelErrors:
    return find_label_errors(scored.proba, data.y, features=data.samples.features, fold=data.fold, copies=data.copies)


def _document(
    data: _Data, scored: dict[str, Predictions], errors: LabelErrors, options: StudyOptions
) -> dict[str, Any]:
    manifest, group = data.manifest, data.manifest.group
    runs = [scored[WEIGHTS], *(run for name, run in scored.items() if name != WEIGHTS)]
    apart = compare_many(runs, group, n_boot=_DRAWS, seed=options.seed)["comparisons"]
    gains = dict(zip([name for name in scored if name != WEIGHTS], apart, strict=True))
    arms = []
    for name, run in scored.items():
        own = group if name != TUNED else _group_of(data, run)
        body: dict[str, Any] = summarise(run, own, n_boot=_DRAWS, seed=options.seed)
        arms.append(
            {
                "name": name,
                "n": body["n"],
                **{key: body[key] for key in FIGURES},
                "per_class": {k: {key: one[key] for key in ("n", *OF_CLASS)} for k, one in body["per_class"].items()},
                "over_weights": None if name == WEIGHTS else {key: gains[name]["difference"][key] for key in FIGURES},
            }
        )
    return {
        "verb": "study",
        "kind": PARTICLES,
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "packages": package_versions(),
        "options": options.to_json(),
        "phantoms": options.data is None,
        "n": len(manifest),
        "n_groups": None if group is None else len(set(group)),
        "n_turned": len(data.turned_from),
        "classes": list(manifest.classes),
        "arms": arms,
        "labels": _found(data, errors),
        "left_out": _left_out(options),
    }


def _left_out(options: StudyOptions) -> list[str]:
    if options.network is not None:
        return []
    return ["No network was trained itself: give --network resnet18, with torch and timm installed."]


def _group_of(data: _Data, run: Predictions) -> StrArray | None:
    if data.manifest.group is None:
        return None
    of = dict(zip(data.manifest.sample_id, data.manifest.group, strict=True))
    return object_array([of[one] for one in run.sample_id])


def _found(data: _Data, errors: LabelErrors) -> dict[str, Any]:
    """How many labels stand in doubt, and of wrong ones that are known, how many were found."""
    wrong = np.asarray(data.truth() != data.manifest.label, dtype=bool)
    known = _TRUTH in data.manifest.columns
    planted = int(wrong.sum())
    ranked = wrong[errors.order]
    return {
        "n_listed": int(errors.listed.sum()),
        "n_planted": planted if known else None,
        "planted_listed": int((wrong & errors.listed).sum()) if known else None,
        "planted_first": int(ranked[:planted].sum()) if known else None,
        "planted_first_three": int(ranked[: 3 * planted].sum()) if known else None,
        "first": [
            {
                "path": escape_path(data.manifest.path[row]),
                "label": data.manifest.label[row],
                "suggested": data.manifest.classes[errors.suggested[row]],
                "score": round(float(errors.score[row]), 4),
                "truth": data.truth()[row] if known else None,
            }
            for row in errors.order[:24]
        ],
    }


def _write_labels(file: Path, data: _Data, errors: LabelErrors) -> None:
    """The labels most in doubt: path, label, suggested, score, true_label ("" where it is not known)."""
    known = data.manifest.columns.get(_TRUTH)
    with writing_text(file) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", "label", "suggested", "score", _TRUTH])
        for row in errors.order[:_LISTED].tolist():
            suggested = data.manifest.classes[errors.suggested[row]]
            truth = "" if known is None else known[row]
            cells = (escape_path(data.manifest.path[row]), data.manifest.label[row], suggested)
            writer.writerow([*cells, f"{errors.score[row]:.4f}", truth])
