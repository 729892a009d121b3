"""The held-out part of a run is sealed: each time it is scored is recorded, and the report says how often.

A run's own record lists what was done with the run. A ledger beside the feature cache counts the models that were
scored on the same held-out images, whatever run they came from: choosing the best of them tunes on the test part.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graticule.predictions import Predictions, read_predictions
from graticule.report.run.page import write_report
from graticule.report.values.page import write_value_report
from graticule.runs import read_run, utc_now, write_json
from graticule.tasks import TASKS
from graticule.values import Values, read_values


def count_opening(run: Path, scored: Predictions, verb: str) -> list[str]:
    """Note in a run's record that images of its held-out part were scored again, and write its report anew.

    An image counts as the same when its path and its probabilities are: the model is, so then the pixels are too.

    Parameters
    ----------
    run : Path
        A finished run, or a bundle alone, which has no record to note anything in.
    scored : Predictions
        What its model says of the images.
    verb : str
        What they were scored for.

    Returns
    -------
    list of str
        A warning for the report of the verb, or nothing.
    """
    if not (run / "predictions.parquet").is_file():
        return []
    test = read_predictions(run / "predictions.parquet").of_part("test")
    known = dict(zip(test.sample_id, test.proba, strict=True))
    return _count(run, known, zip(scored.sample_id, scored.proba, strict=True), verb, write_report)


def count_value_opening(run: Path, scored: Values, verb: str) -> list[str]:
    """As `count_opening`, of a model of a number."""
    if not (run / "predictions.parquet").is_file():
        return []
    test = read_values(run / "predictions.parquet").of_part("test")
    known = dict(zip(test.sample_id, test.value, strict=True))
    return _count(run, known, zip(scored.sample_id, scored.value, strict=True), verb, write_value_report)


def _count(
    run: Path, known: Mapping[str, Any], again: Iterable[tuple[str, Any]], verb: str, write: Callable[[Path], object]
) -> list[str]:
    """Note what is `known` of held-out images and said `again` (sample_id, score), and write the run's page anew."""
    n = sum(name in known and bool(np.allclose(known[name], said, rtol=1e-3, atol=0.0)) for name, said in again)
    warnings = note_opening(run, n, verb)
    if warnings:
        write(run)
    return warnings


def note_opening(run: Path, n: int, verb: str) -> list[str]:
    """Note in a run's record that so many images of its held-out part were scored again; a warning that says so."""
    if not n:
        return []
    record = read_run(run, TASKS)
    openings = [
        *record.get("test_openings", []),
        {"utc": utc_now(), "verb": verb, "model_sha256": record["bundle_sha256"]},
    ]
    told = f"{n} of the images are the run's held-out part, which was opened {len(openings)} times by now"
    try:
        write_json(run / "run.json", record | {"test_openings": openings})
    except OSError as error:
        return [f"{told}; the run's record could not be told of it: {error.strerror}"]
    return [told]
