"""What `graticule review` is about: predictions of new images, the cross-validated images of a run, or a data set."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.answers import DECISIONS, UNKNOWN, read_scored
from graticule.arrays import StrArray, object_array
from graticule.bundle import Bundle, bundle_hash, model_folder
from graticule.decide.decisions import decide
from graticule.decide.evidence import Evidence
from graticule.decide.judge import Judge
from graticule.decide.open_bundle import open_bundle
from graticule.decide.options import DecisionOptions
from graticule.decide.settle import crossfitted_sets
from graticule.errors import BundleError, OptionError, RunError
from graticule.files import sha256_file
from graticule.heads.predictor import Predictor
from graticule.label_errors.judged import CrossValidated, Found, find_errors, read_judged
from graticule.manifest import Manifest, escape_path, unescape_path
from graticule.progress import Reporter
from graticule.regress.target import Target
from graticule.review.blind_subject import of_blind_test
from graticule.review.class_items import ClassItems
from graticule.review.gathering import (
    WITHOUT_MODEL,
    Subject,
    first_of_each,
    hashes_of,
    left_out_note,
    shown_folder,
    tuples_of,
)
from graticule.review.number_subject import of_number_run, of_number_table, of_predicted_numbers
from graticule.runs import as_written, read_document, read_json, require_finished
from graticule.synthesis.blind import is_blind_test
from graticule.tasks import REGRESSION, TASKS, task_of


def read_subject(source: Path, reporter: Reporter, target: Target | None = None, root: Path | None = None) -> Subject:
    """Read predictions, a run, a blind test, or a data set with a column of numbers, whichever is there.

    Parameters
    ----------
    source : Path
    reporter : Reporter
    target : Target, optional
        The column of a data set; predictions and runs name their own.
    root : Path, optional
        What the paths of the data set's table are relative to.

    Raises
    ------
    RunError
        When it is none of them, or holds nothing that a person could look at.
    OptionError
        When a target is named for what has one.
    """
    if target is None and is_blind_test(source):
        return of_blind_test(require_finished(source, "blind test"), reporter)
    subject = _read(source, reporter) if target is None else _data_set(source, reporter, target, root)
    if not len(subject.items):
        raise RunError(f"{source} holds no image that could be reviewed; {'; '.join(subject.notes) or 'it is empty'}")
    return subject


def _read(source: Path, reporter: Reporter) -> Subject:
    if source.is_file() or (source / "manifest.csv").is_file():
        raise RunError(
            f"{source} is neither predictions nor a run; of a data set, say which column of numbers is to be reviewed: "
            "--target COLUMN"
        )
    require_finished(source, "run or folder of predictions")
    with as_written(source):
        if (source / "summary.json").is_file():
            if task_of(read_json(source / "summary.json"), source / "summary.json", takes=TASKS) == REGRESSION:
                return of_predicted_numbers(source)
            return _of_predictions(source)
        if (source / "predictions.parquet").is_file():
            if task_of(read_document(source / "run.json"), source / "run.json", takes=TASKS) == REGRESSION:
                return of_number_run(source, reporter)
            return _of_run(source, reporter)
        raise RunError(f"{source} holds neither predictions (of `graticule predict`) nor a run (of `graticule train`)")


def _data_set(source: Path, reporter: Reporter, target: Target, root: Path | None) -> Subject:
    if (source / "DONE").is_file():
        raise OptionError(f"--target {target.column}: {source} says itself what it predicts; leave --target out")
    return of_number_table(source, target, root, reporter)


def _of_predictions(folder: Path) -> Subject:
    scored = read_scored(folder, ("sha256", "set", "reason", "nearest"))
    summary, readable = scored.summary, np.flatnonzero(scored.called != UNKNOWN)
    first = np.array(first_of_each(scored.more["sha256"].to_pylist(), readable.tolist()), np.int64)
    notes = left_out_note(len(scored) - len(readable), "unreadable")
    notes += left_out_note(len(readable) - len(first), "copies")
    table = scored.more.take(first)
    images = Path(unescape_path(summary["images"]))
    n = len(first)
    items = ClassItems(
        sha256=object_array(table["sha256"].to_pylist()),
        path=object_array(scored.path.take(first).to_pylist()),
        classes=scored.classes,
        proba=scored.proba[first],
        sets=tuples_of(table["set"]),
        novelty=scored.novelty[first],
        decision=object_array(["" if code < 0 else DECISIONS[code] for code in scored.decision[first]]),
        reason=object_array([value or "" for value in table["reason"].to_pylist()]),
        nearest=tuples_of(table["nearest"]),
        given=object_array([""] * n),
        group=object_array([""] * n),
        suspicion=np.full(n, np.nan),
        suggested=object_array([scored.classes[k] for k in scored.called[first]]),
        sampling_prob=np.full(n, np.nan),
    )
    run = Path(unescape_path(summary["run"]))
    bundle, training, more = _model_of(run, summary.get("bundle_sha256"))
    return Subject(
        items=items,
        root=shown_folder(images),
        source=f"predictions {folder.name}",
        bundle=bundle,
        preprocessing=WITHOUT_MODEL if bundle is None else Predictor.of(bundle, any_depth=True).encoder.preprocessing,
        training=training,
        model_hash=summary.get("bundle_sha256"),
        run_hash=sha256_file(folder / "summary.json"),
        notes=notes + more,
    )


def _model_of(run: Path, expected: str | None) -> tuple[Bundle | None, Manifest | None, list[str]]:
    """The bundle of predictions and the images it was trained on, as far as they are still there."""
    try:
        folder = model_folder(run)
        bundle = open_bundle(folder)
    except (RunError, BundleError) as error:
        return None, None, [f"without explanations and training images: {error}"]
    if expected is not None and bundle_hash(folder) != expected:
        return None, None, [f"without explanations and training images: {run} holds another model by now"]
    manifest = run / "manifest.parquet"
    return bundle, Manifest.read(manifest) if manifest.is_file() else None, []


def _of_run(run: Path, reporter: Reporter) -> Subject:
    reporter.step("looking for wrong labels")
    judged = read_judged(run)
    found = find_errors(judged)
    scored, manifest, bundle = judged.predictions, judged.manifest, judged.bundle
    n = len(scored)
    sha256 = hashes_of(manifest.files(), reporter)
    inside = _inside(judged)
    decision, reason = _decisions(judged, inside)
    suspicion, suggested = _suspected(judged, found)
    items = ClassItems(
        sha256=object_array(sha256),
        path=object_array([escape_path(path) for path in manifest.path]),
        classes=scored.classes,
        proba=scored.proba,
        sets=((),) * n if inside is None else _named(inside, scored.proba, scored.classes),
        # by rank among the training images one in a hundred of them would be novel, whatever they are
        novelty=np.full(n, np.nan),
        decision=decision,
        reason=reason,
        nearest=_neighbours(judged, found),
        given=scored.label,
        group=object_array([""] * n) if manifest.group is None else manifest.group,
        suspicion=suspicion,
        suggested=suggested,
        sampling_prob=np.full(n, np.nan),
    )
    first = first_of_each(sha256, [i for i in range(n) if sha256[i]])
    notes = left_out_note(sha256.count(""), "files that are no longer there")
    notes += left_out_note(n - sha256.count("") - len(first), "copies")
    if judged.n_held_out:
        notes.append(
            f"{judged.n_held_out:,} images set aside are left alone: labels changed by the model test it no more"
        )
    return Subject(
        items=items.take(np.array(first, np.int64)),
        root=manifest.root,
        source=f"run {run.name}",
        bundle=bundle,
        preprocessing=Predictor.of(bundle).encoder.preprocessing,
        training=judged.everything,
        model_hash=bundle_hash(run / "model"),
        run_hash=sha256_file(run / "run.json"),
        notes=notes,
        of_training=True,
    )


def _inside(judged: CrossValidated) -> NDArray[np.bool_] | None:
    """Prediction sets of the cross-validated images, each from scores of images of other folds; shape (n, K).

    None where the bundle's evidence is not the out-of-fold scores of these very images: scores of a calibration part
    are the shipped model's, and with those of its folds they cannot be compared.
    """
    evidence, scored = Evidence.unpack(judged.bundle.reference), judged.predictions
    if evidence is None or evidence.by_shipped or not np.array_equal(evidence.y, scored.y):
        return None
    if not np.allclose(evidence.calibrated, scored.proba, atol=1e-5):
        return None
    return crossfitted_sets(evidence, DecisionOptions().coverage)


def _named(
    inside: NDArray[np.bool_], proba: NDArray[np.float64], classes: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """Names of the classes in each set, likeliest first."""
    order = np.argsort(-proba, axis=1, kind="stable")
    return tuple(tuple(classes[k] for k in order[i] if inside[i, k]) for i in range(len(proba)))


def _decisions(judged: CrossValidated, inside: NDArray[np.bool_] | None) -> tuple[StrArray, StrArray]:
    """What the model would do with each image of its training data, judged by scores of models that did not see it."""
    scored = judged.predictions
    rule = Judge(judged.bundle, DecisionOptions()).rule
    if rule is None:
        return object_array([""] * len(scored)), object_array([""] * len(scored))
    return decide(scored.proba, inside, np.zeros(len(scored), bool), rule, scored.classes)


def _suspected(judged: CrossValidated, found: Found) -> tuple[np.ndarray[Any, np.dtype[np.float64]], StrArray]:
    """Score of each listed label error, and the class suggested: the list's, else the model's."""
    scored, errors = judged.predictions, found.errors
    names = object_array(list(scored.classes))
    suggested = names[scored.proba.argmax(axis=1)]
    suggested[errors.listed] = names[errors.suggested[errors.listed]]
    return np.where(errors.listed, errors.score, np.nan), suggested


def _neighbours(judged: CrossValidated, found: Found, most: int = 3) -> tuple[tuple[str, ...], ...]:
    """Paths of the nearest other images of each, escaped."""
    rows = found.errors.neighbours
    if rows is None:
        return ((),) * len(judged.predictions)
    paths = [escape_path(path) for path in judged.manifest.path]
    return tuple(tuple(paths[j] for j in row.tolist()[:most] if j >= 0) for row in rows.row)
