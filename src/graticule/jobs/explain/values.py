"""`graticule explain` of a model of a number: what in the pictures makes the number larger or smaller."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.bundle import bundle_hash, model_folder, task_in
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.errors import ManifestError, OptionError
from graticule.explain.options import ExplainOptions
from graticule.explain.traced import TracedValue
from graticule.features.samples import image_files
from graticule.files import write_text
from graticule.jobs.explain.job import explain
from graticule.jobs.explain.value_outputs import write_explained
from graticule.jobs.explain.value_pictures import Numbers, average_of, evenly, predicted_numbers, traced_pictures
from graticule.jobs.record import write_failures
from graticule.manifest import escape_path
from graticule.networks.pooling import ORIENTATION
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.regress.predictor import ValuePredictor
from graticule.report.explain.value_page import render_value_explanations
from graticule.runs import output_folder, utc_now, write_json
from graticule.sources.sources import list_images
from graticule.tasks import REGRESSION

OCCLUSION = "occlusion"


def explain_model(
    run: Path, images: Path, out: Path, options: ExplainOptions | None = None, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Explain a model of classes or of a number on images; see `graticule.jobs.explain.job.explain`.

    Of a number the folder holds explain.html, explain.json, maps/*.png, maps.csv and failures.csv. Images are taken
    evenly over the predicted numbers.
    """
    if task_in(model_folder(run)) != REGRESSION:
        return explain(run, images, out, options, reporter)
    options, reporter = options or ExplainOptions(), reporter or Silent()
    options.check()
    check_outside(out, images)
    start, folder = time.perf_counter(), model_folder(run)
    bundle = open_value_bundle(folder)
    predictor = ValuePredictor.of(bundle, any_depth=options.any_depth).on(options.device, options.batch_size)
    reporter.step("looking into the network" if predictor.encoder.model else "opening the model")
    value = TracedValue.of(predictor.encoder, predictor.members, None)
    method = _method(value, options.method)
    manifest = list_images(images, root=options.root)
    files = image_files(manifest)
    with output_folder(out, "explanation"):
        reporter.begin("predicting", len(files))
        numbers = predicted_numbers(predictor, files, options, reporter)
        if not len(numbers.known):
            raise ManifestError(f"{str(images)!r} holds no image that can be read")
        average, measured_from = average_of(bundle, numbers)
        value = value.measured_from(average)
        rows = evenly(numbers, options.limit)
        found, checks = traced_pictures(
            value,
            method,
            predictor.encoder.preprocessing,
            [files[i] for i in rows],
            numbers.spread,
            options,
            reporter,
        )
        if all(isinstance(one, str) for one in found):
            raise ManifestError(f"no image of {str(images)!r} can be read any more; do files change while this runs?")
        failures = numbers.failures + [
            (escape_path(str(files[i].path)), one) for i, one in zip(rows, found, strict=True) if isinstance(one, str)
        ]
        paths = [escape_path(str(manifest.path[i])) for i in rows]
        written, tiles = write_explained(out, paths, numbers.numbers[rows], found, _deviation(value, numbers))
        document: dict[str, Any] = {
            "verb": "explain",
            "task": REGRESSION,
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "images": escape_path(str(images.absolute())),
            "run": escape_path(str(run.absolute())),
            "bundle_sha256": bundle_hash(folder),
            "options": options.to_json(),
            **_target(predictor),
            "method": method,
            "parts": list(value.parts),
            "baseline": measured_from,
            "average": None if average is None else float(value.say(average[None])[0]),
            "n": len(files),
            "n_unreadable": len(failures),
            "checks": checks,
            **written,
            "wall_time_s": round(time.perf_counter() - start, 2),
        }
        write_failures(out / "failures.csv", failures)
        write_json(out / "explain.json", document)
        write_text(out / "explain.html", render_value_explanations(document, tiles))
    return document | {"failures": failures}


def _target(predictor: ValuePredictor) -> dict[str, Any]:
    target = predictor.target
    return {
        "target": target.column,
        "unit": target.unit,
        # on which what the parts told adds up
        "scale": "log" if target.logarithmic else "linear",
        "per_pixel_size": target.per_pixel_size,
    }


def _method(value: TracedValue, asked: str) -> str:
    """The method of the network's part; without a network there is occlusion alone."""
    if value.network is not None:
        method = value.network.model.method if asked == "auto" else asked
        value.network.model.check_method(method)
        return method
    if asked not in ("auto", OCCLUSION):
        raise OptionError(
            f"--method {asked}: this model asks no network (--features orientation); its orientation statistics are "
            f"measured again on what is left of a picture: use {OCCLUSION}, or leave --method out"
        )
    return OCCLUSION


def _deviation(value: TracedValue, numbers: Numbers) -> Any:
    """Standard deviation of each orientation statistic over the images that were read."""
    span = value.parts.get(ORIENTATION)
    return np.zeros(0) if span is None else numbers.deviation[span]
