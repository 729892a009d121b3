"""`graticule count`: counts per class and specimen from predictions, with intervals that say what they cover."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.answers import Scored, read_scored
from graticule.arrays import FloatArray
from graticule.counting.counts import LEVEL
from graticule.counting.figures import Figures, add_control, add_plain, add_prior_shift, add_sizes, scope_counts
from graticule.counting.outputs import document_of, write_counts
from graticule.counting.prior_shift import Reference
from graticule.counting.reference import read_reference
from graticule.counting.tables import Details, read_control, read_details
from graticule.decide.specimens import Verdicts, judge_specimens
from graticule.decide.specimens_table import write_specimens
from graticule.errors import OptionError, RunError
from graticule.jobs.options import CountOptions
from graticule.manifest import escape_path
from graticule.options import check_outside
from graticule.runs import as_written, output_folder, package_versions, utc_now, write_json

ALL_IMAGES = "all images"


def count(predictions: Path, out: Path, options: CountOptions) -> dict[str, Any]:
    """Count the images of a predict output per class, in all and per specimen; returns counts.json.

    Parameters
    ----------
    predictions : Path
        Output folder of `predict`.
    out : Path
        Folder for counts.json, counts.csv and specimens.parquet, created.
    options : CountOptions

    Raises
    ------
    OptionError, ManifestError, RunError
        When options contradict each other, a table is faulty, or predictions or an explicitly named run do not serve.
    """
    options.check()
    check_outside(out, predictions)
    start = time.perf_counter()
    with as_written(predictions):
        scored = read_scored(predictions)
    details = read_details(options.table, options.by, scored)
    _check_sizes(details, options)
    sample = None if options.control is None else read_control(options.control, scored)
    volume, volume_notes = _volumes(details, options)
    with as_written(predictions, *([options.calibration] if options.calibration else [])):
        known, reason = _reference(scored, options)
    figures = Figures(notes=[*details.notes, *volume_notes])
    add_plain(figures, scope_counts(scored, details))
    if sample is not None:
        add_control(figures, scored, details, sample, np.random.default_rng([options.seed, 0]))
    if known is not None:
        add_prior_shift(figures, scored, details, known[0], np.random.default_rng([options.seed, 1]))
    totals = None if details.diameter_um is None else add_sizes(figures, scored, details, volume)
    verdicts = _verdicts(scored, details)
    with output_folder(out, "count"):
        content = {
            "verb": "count",
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "predictions": escape_path(str(predictions.absolute())),
            "bundle_sha256": scored.summary.get("bundle_sha256"),
            "options": options.to_json(),
            "packages": package_versions(),
            "level": LEVEL,
            **document_of(figures, scored, details, verdicts, volume, totals),
            "prior_shift": _prior_shift(figures, known, reason),
        }
        content["wall_time_s"] = round(time.perf_counter() - start, 2)
        write_counts(out / "counts.csv", figures, scored.classes, [ALL_IMAGES, *details.names], totals, volume)
        write_specimens(out / "specimens.parquet", scored.classes, details.names or (ALL_IMAGES,), verdicts)
        write_json(out / "counts.json", content)
    return content


def _check_sizes(details: Details, options: CountOptions) -> None:
    if details.diameter_um is not None and not (options.diameter_is or "").strip():
        raise OptionError(
            f"{options.table} has a column diameter_um: say what it is, since the diameters of one particle "
            "differ by their definition, for example --diameter-is 'equivalent circular diameter of the filled outline'"
        )
    if details.diameter_um is None and options.diameter_is is not None:
        raise OptionError("--diameter-is says what the column diameter_um of --table is, and there is none")
    if details.volume_ml is not None and options.volume_ml is not None:
        raise OptionError(f"--volume-ml and the column volume_ml of {options.table} contradict each other: use one")


def _volumes(details: Details, options: CountOptions) -> tuple[FloatArray | None, list[str]]:
    """Volume of all images together and of each specimen, shape (S + 1,), NaN where unknown; and notes."""
    n = len(details.names)
    volume = details.volume_ml
    if volume is None and options.volume_ml is not None:
        volume = np.full(max(n, 1), options.volume_ml)
    if volume is None:
        return None, []
    if not n:
        return volume, []
    notes = []
    unknown = int(np.isnan(volume).sum())
    whole = float(volume.sum())
    if unknown:
        notes.append(f"{unknown:,} specimens have no volume: they and all images together get no number per mL")
    elif (details.specimen < 0).any():
        whole = float("nan")
        notes.append("images without a specimen have no volume: all images together get no number per mL")
    return np.append(whole, volume), notes


def _reference(scored: Scored, options: CountOptions) -> tuple[tuple[Reference, Path, str] | None, str | None]:
    """The calibration images, or why there are none; a run that was asked for must serve."""
    try:
        return read_reference(options.calibration, scored), None
    except RunError as error:
        if options.calibration is not None:
            raise
        return None, str(error)


def _verdicts(scored: Scored, details: Details) -> Verdicts:
    """Of each specimen, or of all images as one."""
    specimen = details.specimen if details.names else np.zeros(len(scored), dtype=np.int64)
    review = np.where(scored.decision < 0, np.nan, scored.decision == 1)
    return judge_specimens(specimen, scored.called, scored.proba, review, max(len(details.names), 1))


def _prior_shift(figures: Figures, known: tuple[Reference, Path, str] | None, reason: str | None) -> dict[str, Any]:
    if known is None:
        return {"offered": False, "reasons": [reason], "p": None, "calibration": None}
    reference, folder, part = known
    whole = figures.tests[0]
    return {
        "offered": whole.passed,
        "reasons": list(whole.reasons),
        "p": whole.p,
        "n_bins": whole.n_bins,
        "calibration": {
            "run": escape_path(str(folder.absolute())),
            "part": part,
            "n": len(reference.y),
            "n_units": None if reference.unit is None else int(reference.unit.max()) + 1,
        },
    }
