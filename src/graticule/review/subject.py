"""What `graticule review` is about, from predictions of new images or from the cross-validated images of a run."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
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
from graticule.errors import BundleError, GraticuleError, RunError
from graticule.files import sha256_file
from graticule.heads.predictor import Predictor
from graticule.images.preprocess import Preprocessing
from graticule.label_errors.judged import CrossValidated, Found, find_errors, read_judged
from graticule.manifest import Manifest, escape_path, unescape_path
from graticule.progress import Reporter
from graticule.review.items import Items
from graticule.runs import as_written, require_finished
from graticule.sources.sources import list_images

_WITHOUT_MODEL = Preprocessing(size=224)


@dataclass(frozen=True)
class Subject:
    """Images to review, in no order yet, with what is needed to show them.

    Attributes
    ----------
    items : Items
    root : Path
        Folder that the items' paths are relative to.
    source : str
        For people: "predictions answers", "run run".
    bundle : Bundle or None
        The model; None where it is no longer there.
    preprocessing : Preprocessing
        How the model reads images.
    training : Manifest or None
        The training images, where the run tells them.
    model_hash, run_hash : str or None
    notes : list of str
        What was left out, and why.
    of_training : bool
        Whether the images are training images of the model.
    """

    items: Items
    root: Path
    source: str
    bundle: Bundle | None
    preprocessing: Preprocessing
    training: Manifest | None
    model_hash: str | None
    run_hash: str | None
    notes: list[str]
    of_training: bool = False


def read_subject(source: Path, reporter: Reporter) -> Subject:
    """Read predictions or a run, whichever the folder holds.

    Raises
    ------
    RunError
        When it holds neither, or nothing that a person could look at.
    """
    require_finished(source, "run or folder of predictions")
    with as_written(source):
        if (source / "summary.json").is_file():
            subject = _of_predictions(source)
        elif (source / "predictions.parquet").is_file():
            subject = _of_run(source, reporter)
        else:
            raise RunError(
                f"{source} holds neither predictions (of `graticule predict`) nor a run (of `graticule train`)"
            )
    if not len(subject.items):
        raise RunError(f"{source} holds no image that could be reviewed; {'; '.join(subject.notes) or 'it is empty'}")
    return subject


def _of_predictions(folder: Path) -> Subject:
    scored = read_scored(folder, ("sha256", "set", "reason", "nearest"))
    summary, readable = scored.summary, np.flatnonzero(scored.called != UNKNOWN)
    first = np.array(_first_of_each(scored.more["sha256"].to_pylist(), readable.tolist()), np.int64)
    notes = _left_out(len(scored) - len(readable), "unreadable") + _left_out(len(readable) - len(first), "copies")
    table = scored.more.take(first)
    images = Path(unescape_path(summary["images"]))
    n = len(first)
    items = Items(
        sha256=object_array(table["sha256"].to_pylist()),
        path=object_array(scored.path.take(first).to_pylist()),
        classes=scored.classes,
        proba=scored.proba[first],
        sets=_tuples(table["set"]),
        novelty=scored.novelty[first],
        decision=object_array(["" if code < 0 else DECISIONS[code] for code in scored.decision[first]]),
        reason=object_array([value or "" for value in table["reason"].to_pylist()]),
        nearest=_tuples(table["nearest"]),
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
        root=images if images.is_dir() else _listed_root(images),
        source=f"predictions {folder.name}",
        bundle=bundle,
        preprocessing=_WITHOUT_MODEL if bundle is None else Predictor.of(bundle, any_depth=True).encoder.preprocessing,
        training=training,
        model_hash=summary.get("bundle_sha256"),
        run_hash=sha256_file(folder / "summary.json"),
        notes=notes + more,
    )


def _listed_root(images: Path) -> Path:
    """The folder of one image or of a list."""
    try:
        return list_images(images).root
    except GraticuleError as error:
        raise RunError(f"the images that were predicted cannot be found any more: {error}") from error


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
    sha256 = _hashes(manifest.files(), reporter)
    inside = _inside(judged)
    decision, reason = _decisions(judged, inside)
    suspicion, suggested = _suspected(judged, found)
    items = Items(
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
    first = _first_of_each(sha256, [i for i in range(n) if sha256[i]])
    notes = _left_out(sha256.count(""), "files that are no longer there")
    notes += _left_out(n - sha256.count("") - len(first), "copies")
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


def _hashes(files: Sequence[Path], reporter: Reporter) -> list[str]:
    """SHA-256 of each file, "" where it cannot be read."""
    reporter.begin("hashing", len(files))
    found = []
    with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 2)) as threads:
        for done, sha in enumerate(threads.map(_or_nothing(sha256_file), files), start=1):
            found.append(sha)
            if done % 100 == 0 or done == len(files):
                reporter.advance(done)
    return found


def _or_nothing(function: Callable[[Path], str]) -> Callable[[Path], str]:
    def attempt(file: Path) -> str:
        try:
            return function(file)
        except OSError:
            return ""

    return attempt


def _first_of_each(sha256: Sequence[str | None], rows: Sequence[int]) -> list[int]:
    """The first row of each different image."""
    first: dict[str, int] = {}
    for i in rows:
        first.setdefault(sha256[i] or "", i)
    return list(first.values())


def _left_out(n: int, what: str) -> list[str]:
    return [f"{n:,} {what} are left out"] if n else []


def _tuples(column: pa.ChunkedArray) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(values or ()) for values in column.to_pylist())
