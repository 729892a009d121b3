"""metrics.json of predicted numbers: the figures of each part, and how its limits turned out."""

from typing import Any

import numpy as np

from graticule.decide.value_assessment import assess_intervals
from graticule.evaluate.values.summary import summarise_values
from graticule.regress.target import Target
from graticule.tasks import REGRESSION
from graticule.values import Values


def value_metrics(values: Values, target: Target, tolerance: float | None, seed: int) -> dict[str, Any]:
    """metrics.json without its schema version: the cross-validated part with the test part inside, or the test part.

    Parameters
    ----------
    values : Values
        With the baseline "mean", the mean target of the images that each image's model was trained on.
    target : Target
    tolerance : float or None
    seed : int
    """
    bodies = {
        part: {
            "task": REGRESSION,
            **target.to_json(),
            "part": part,
            **_body(values.of_part(part), target, tolerance, seed),
        }
        for part in ("cv", "test")
        if (values.part == part).any()
    }
    if "cv" not in bodies:
        return bodies["test"] | {"test": bodies["test"]}
    return bodies["cv"] | {"test": bodies.get("test")}


def _body(values: Values, target: Target, tolerance: float | None, seed: int) -> dict[str, Any]:
    figures = summarise_values(
        values.target,
        values.value,
        values.group,
        train_mean=values.baselines["mean"],
        baselines=values.baselines,
        tolerance=tolerance,
        bounds=(target.least, target.most),
        seed=seed,
    )
    known = np.isfinite(values.low).any()
    limits = (values.target, values.value, values.low, values.high, values.group)
    return figures | {"intervals": assess_intervals(*limits, level=values.level, seed=seed) if known else None}
