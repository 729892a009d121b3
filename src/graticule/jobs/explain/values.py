"""`graticule explain` of a model of a number: what in the pictures makes the number larger or smaller."""

import csv
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from graticule import __version__
from graticule.arrays import FloatArray, IntArray
from graticule.bundle import ValueBundle, bundle_hash, model_folder, task_in
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.errors import ManifestError, OptionError
from graticule.explain.image import Seen, look, results_in_order
from graticule.explain.options import ExplainOptions
from graticule.explain.overlay import full_scale, overlay, picture
from graticule.explain.pooled import resized
from graticule.explain.regions import share_in
from graticule.explain.values import ExplainableValue
from graticule.features.samples import image_files
from graticule.files import own_folder, write_text, writing, writing_text
from graticule.images.decode import ImageFile
from graticule.images.pool import Decode, decoder
from graticule.jobs.explain.job import explain
from graticule.jobs.record import write_failures
from graticule.manifest import escape_path
from graticule.options import check_outside
from graticule.plain_text import safe_cell
from graticule.progress import Reporter, Silent
from graticule.regress.predictor import ValuePredictor
from graticule.report.explain.value_page import render_value_explanations
from graticule.report.thumbnails import data_uri
from graticule.runs import output_folder, utc_now, write_json
from graticule.sources.sources import list_images
from graticule.tasks import REGRESSION
from graticule.workers.pool import WorkerPool, available_cores

TILE = 200
_GALLERY = 96
Mapped = tuple[Seen, FloatArray] | str


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
    if predictor.encoder.orientation:
        raise OptionError(
            "this model looks at orientation statistics of the whole picture, which stand in no one place: maps would "
            "leave them out. Explain a model trained with --features network"
        )
    reporter.step("looking into the network")
    baseline = _average(bundle)
    value = ExplainableValue.of(predictor.encoder, predictor.members, baseline)
    method = value.model.method if options.method == "auto" else options.method
    value.model.check_method(method)
    manifest = list_images(images, root=options.root)
    files = image_files(manifest)
    with output_folder(out, "explanation"):
        reporter.begin("predicting", len(files))
        learnt, failures = _numbers(predictor, files, options, reporter)
        known = np.flatnonzero(np.isfinite(learnt))
        if not len(known):
            raise ManifestError(f"{str(images)!r} holds no image that can be read")
        rows = _evenly(learnt, known, options.limit)
        numbers = predictor.target.restored(learnt, None)
        reporter.begin("explaining", len(rows))
        found = _explained(value, method, [files[i] for i in rows], options, reporter)
        document: dict[str, Any] = {
            "verb": "explain",
            "task": REGRESSION,
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "images": escape_path(str(images.absolute())),
            "run": escape_path(str(run.absolute())),
            "bundle_sha256": bundle_hash(folder),
            "target": predictor.target.column,
            "unit": predictor.target.unit,
            "scale": predictor.target.scale,
            "method": method,
            "baseline": None if baseline is None or method != "hirescam" else "training",
            "n": len(files),
            "n_unreadable": len(failures),
        }
        paths = [escape_path(str(manifest.path[i])) for i in rows]
        tiles = _write(out, document, paths, numbers[rows], found)
        document["wall_time_s"] = round(time.perf_counter() - start, 2)
        write_failures(out / "failures.csv", failures)
        write_json(out / "explain.json", document)
        write_text(out / "explain.html", render_value_explanations(document, tiles))
    return document | {"failures": failures}


def _average(bundle: ValueBundle) -> FloatArray | None:
    """Mean of the model's own features over the training images, shape (d,); None where the bundle has none."""
    mean = bundle.reference.get("mean_features")
    if mean is None:
        mean = bundle.reference["features"].mean(axis=0, dtype=np.float64)
    # the reference may keep fewer features than the model looks at
    return np.asarray(mean, np.float64) if len(mean) == bundle.info.n_features else None


def _numbers(
    predictor: ValuePredictor, files: list[ImageFile], options: ExplainOptions, reporter: Reporter
) -> tuple[FloatArray, list[tuple[str, str]]]:
    """What the model says of each file on the scale that is learnt, NaN for unreadable ones, and those."""
    learnt, failures, done = np.full(len(files), np.nan), [], 0
    for block in predictor.stream(files, workers=options.workers, batch_size=options.batch_size):
        rows = np.arange(done, done + len(block.info))
        learnt[rows] = block.learnt
        failures += [(escape_path(str(files[i].path)), one.error) for i, one in zip(rows, block.info, strict=True)
                     if one.error]  # fmt: skip
        done += len(block.info)
        reporter.advance(done)
    return learnt, failures


def _evenly(learnt: FloatArray, known: IntArray, limit: int) -> IntArray:
    """Rows evenly over the predicted numbers, the largest first."""
    order = known[np.argsort(-learnt[known], kind="stable")]
    if not limit or limit >= len(order):
        return order
    return order[np.unique(np.linspace(0, len(order) - 1, limit).round().astype(np.int64))]


def _map_of(file: ImageFile, value: ExplainableValue, method: str, decode: Decode) -> Mapped:
    seen = look(file, decode, value.model)
    return seen if isinstance(seen, str) else (seen, value.map_of(seen, method))


def _explained(
    value: ExplainableValue, method: str, files: list[ImageFile], options: ExplainOptions, reporter: Reporter
) -> list[Mapped]:
    cores = max(1, options.workers or available_cores())
    found: list[Mapped] = []
    with ThreadPoolExecutor(cores) as threads, WorkerPool(cores) as pool:
        decode = decoder(pool, value.model.encoder.preprocessing)
        for one in results_in_order(partial(_map_of, value=value, method=method, decode=decode), files, threads, 4):
            found.append(one)
            reporter.advance(len(found))
    return found


def _write(
    out: Path, document: dict[str, Any], paths: list[str], numbers: FloatArray, found: list[Mapped]
) -> list[dict[str, Any]]:
    """Overlays and their index; fills the rows and the shares on the border into the document, returns the tiles."""
    own_folder(out / "maps", new=True)
    maps = np.stack([one[1] for one in found if not isinstance(one, str)])
    # one scale, so that pictures can be compared
    scale, rows, tiles = full_scale(maps), list[dict[str, Any]](), list[dict[str, Any]]()
    border, area = [], []
    for path, number, one in zip(paths, numbers.tolist(), found, strict=True):
        if isinstance(one, str):
            continue
        seen, values = one
        file = f"maps/{len(rows):05d}.png"
        shown = picture(seen.pixels, seen.shown)
        laid = overlay(shown, values, scale)
        with writing(out / file) as sink:
            PIL.Image.fromarray(laid).save(sink, format="PNG", compress_level=6)
        share = share_in(resized(values, *seen.pixels.shape[:2]), seen.border)
        rows.append({"path": path, "predicted": number, "overlay": file, "border_share": share})
        if share is not None:
            border.append(share)
        area.append(float(seen.border.mean()))
        if len(tiles) < _GALLERY:
            tiles.append(rows[-1] | {"picture": data_uri(shown, TILE), "map": data_uri(laid, TILE)})
    with writing_text(out / "maps.csv", errors="replace") as stream:
        writer = csv.writer(stream)
        writer.writerow(("path", "predicted", "overlay", "border_share"))
        writer.writerows([safe_cell("" if cell is None else cell) for cell in row.values()] for row in rows)
    document |= {
        "n_explained": len(rows),
        "border": {"share": float(np.mean(border)) if border else None, "area": float(np.mean(area))},
        "rows": rows,
    }
    return tiles
