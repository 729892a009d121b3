"""`graticule explain`: what the model looked at, with checks that the pictures mean something."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.bundle import Bundle, bundle_hash, model_folder
from graticule.decide.open_bundle import open_bundle
from graticule.errors import OptionError
from graticule.explain.checks import EXAMINED, CheckedImage, attention, fidelity, randomisation, regions, warnings_of
from graticule.explain.choice import ScoredImages, choose, draw_examined, read_images, score_images
from graticule.explain.image import Explained, Seen, Task, explain_file, look, results_in_order
from graticule.explain.model import ExplainableModel
from graticule.explain.options import ExplainOptions
from graticule.features.samples import beyond_notes, image_files
from graticule.files import write_text, writing_text
from graticule.heads.predictor import Predictor
from graticule.images.decode import ImageFile
from graticule.images.pool import Decode, decoder
from graticule.jobs.explain.outputs import Outputs, regions_area
from graticule.jobs.record import write_failures
from graticule.manifest import escape_path
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.explain.page import render_explanations
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.workers.pool import WorkerPool, available_cores

_MOST_PAIRS = 96
_FEWEST_AVERAGED = 5  # images whose mean may stand for that of the training images


def explain(
    run: Path, images: Path, out: Path, options: ExplainOptions | None = None, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Explain a model on images.

    Parameters
    ----------
    run : Path
        A finished run, or a bundle.
    images : Path
        A labelled data set as for `train`, or a folder or list of images as for `predict`.
    out : Path
        Folder for explain.html, explain.json, maps/*.png, maps-*.safetensors, maps.csv and failures.csv, created.
    options : ExplainOptions, optional
    reporter : Reporter, optional

    Returns
    -------
    dict
        explain.json with "failures", a list of (path, error).
    """
    options = options or ExplainOptions()
    options.check()
    check_outside(out, images)
    start = time.perf_counter()
    reporter = reporter or Silent()
    folder = model_folder(run)
    bundle = open_bundle(folder)
    predictor = Predictor.of(bundle, any_depth=options.any_depth).on(options.device, options.batch_size)
    reporter.step("looking into the network")
    model = ExplainableModel.of(predictor.encoder, predictor.heads)
    method = model.method if options.method == "auto" else options.method
    model.check_method(method)
    manifest = read_images(images, options.root)
    if not len(manifest):
        raise OptionError(f"{str(images)!r} holds no images")
    with output_folder(out, "explanation"):
        scored = score_images(
            predictor, manifest, workers=options.workers, batch_size=options.batch_size, reporter=reporter
        )
        model, measured_from = _with_baseline(model, bundle, scored)
        document, outputs = _explained(model, method, scored, predictor.classes, out, options, reporter)
        document = {
            "verb": "explain",
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "images": escape_path(str(images.absolute())),
            "run": escape_path(str(run.absolute())),
            "bundle_sha256": bundle_hash(folder),
            "backbone": predictor.encoder.backbone,
            "views": predictor.encoder.views,
            "device": predictor.encoder.device.describe(),
            "options": options.to_json(),
            "packages": package_versions(),
            "baseline": measured_from,
            "wall_time_s": round(time.perf_counter() - start, 2),
            **document,
        }
        document["warnings"] += predictor.device_notes
        write_failures(out / "failures.csv", scored.failures)
        write_json(out / "explain.json", document)
        reporter.step("writing the page")
        means = {name: mean.tile() for name, mean in zip(predictor.classes, outputs.means, strict=True) if mean.n}
        write_text(out / "explain.html", render_explanations(document, outputs.tiles, means))
    return document | {"failures": scored.failures}


def _with_baseline(
    model: ExplainableModel, bundle: Bundle, scored: ScoredImages
) -> tuple[ExplainableModel, str | None]:
    """The model with the features that maps are measured from, and whose mean they are.

    "training": of the training images; "images": of those that were scored, where the bundle of a trained network keeps
    no mean and there are enough of them; None: maps are measured from nothing.
    """
    mean = bundle.mean_features()
    if mean is not None:
        return replace(model, baseline=mean), "training"
    if scored.n_readable < _FEWEST_AVERAGED:
        return model, None
    return replace(model, baseline=scored.mean_features), "images"


def _subjects(
    explained: Callable[[Task], Explained | str], scored: ScoredImages, n: int, threads: ThreadPoolExecutor, seed: int
) -> list[CheckedImage]:
    """Images of the costly checks, explained for their predicted class."""
    files, rows = image_files(scored.manifest), draw_examined(scored, n, seed)
    found = results_in_order(explained, [(files[row], scored.proba[row]) for row in rows], threads, 4)
    return [CheckedImage(files[row], one) for row, one in zip(rows, found, strict=True) if not isinstance(one, str)]


def _seen(files: Sequence[ImageFile], decode: Decode, model: ExplainableModel, place: int) -> Seen | str:
    return look(files[place], decode, model.encoder.preprocessing)


def _explained(
    model: ExplainableModel,
    method: str,
    scored: ScoredImages,
    classes: tuple[str, ...],
    out: Path,
    options: ExplainOptions,
    reporter: Reporter,
) -> tuple[dict[str, Any], Outputs]:
    """Maps of the chosen images, and the checks; the object of explain.json without its head."""
    files = image_files(scored.manifest)
    chosen = choose(scored, options.limit, options.seed)
    areas = []
    cores = max(1, options.workers or available_cores())
    reporter.begin("explaining", len(chosen))
    with (
        writing_text(out / "maps.csv") as stream,
        ThreadPoolExecutor(cores) as threads,
        WorkerPool(cores) as pool,
    ):
        decode = decoder(pool, model.encoder.preprocessing)
        outputs = Outputs(out, classes, stream)
        work = partial(explain_file, decode=decode, model=model, method=method)
        tasks = [(files[row], scored.proba[row]) for row, _ in chosen]
        found = results_in_order(partial(work, top=options.top), tasks, threads, 4)
        for done, ((row, role), one) in enumerate(zip(chosen, found, strict=True), 1):
            path = escape_path(scored.manifest.path[row])
            if isinstance(one, str):
                scored.failures.append((path, one))
                continue
            truth = classes[scored.truth[row]] if scored.truth[row] >= 0 else None
            outputs.add(path, truth, role, one)
            areas.append(regions_area(one))
            reporter.advance(done)
        outputs.flush()
        subjects = _subjects(partial(work, top=1), scored, min(EXAMINED, len(chosen)), threads, options.seed)
        checks: dict[str, Any] = {
            "attention": attention(areas),
            "fidelity": fidelity(model, subjects, threads, options.seed, reporter),
            "randomised_weights": randomisation(model, method, subjects, threads, options.seed, reporter),
        }
        rows = [row for row, _ in chosen][:_MOST_PAIRS]
        predicted = scored.predicted[rows]
        see = partial(_seen, [files[row] for row in rows], decode, model)
        exchanged = regions(model, see, predicted, classes, threads, options.seed, reporter)
        checks["exchange"] = exchanged
    counts = np.bincount(scored.predicted[scored.predicted >= 0], minlength=len(classes))
    right = scored.truth == scored.predicted
    known = (scored.truth >= 0) & (scored.predicted >= 0)
    return {
        "method": method,
        "layers": [tap.tensor for tap in model.taps],
        "classes": list(classes),
        "n": len(scored.manifest),
        "n_unreadable": len(scored.failures),
        "n_explained": len(outputs.rows),
        "n_labelled": int(known.sum()),
        "other_labels": scored.other_labels,
        "accuracy": float(right[known].mean()) if known.any() else None,
        "predicted": {name: int(n) for name, n in zip(classes, counts, strict=True)},
        "warnings": [*scored.manifest.warnings, *warnings_of(exchanged)],
        "notes": beyond_notes(scored.beyond),
        "checks": checks,
        "rows": outputs.rows,
    }, outputs
