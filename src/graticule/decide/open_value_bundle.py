"""The door to the bundle of a model of numbers: read, and held against itself, as `open_bundle` does for classes."""

from pathlib import Path

import numpy as np

from graticule.bundle import ValueBundle, checked_tensor, read_value_bundle
from graticule.decide.novelty import Novelty
from graticule.decide.open_bundle import check_graph_of, check_layout, check_training_images, refusing
from graticule.decide.value_intervals import ValueIntervals
from graticule.decide.value_settle import LEVELS_OF_NUMBER
from graticule.errors import BundleError
from graticule.regress.predictor import ValuePredictor
from graticule.regress.scoring import member_values


def open_value_bundle(folder: Path) -> ValueBundle:
    """A bundle of a model of numbers whose files are whole, whose parts fit together, and whose network runs.

    Raises
    ------
    BundleError
        One message with the first fault found.
    TaskError
        When it is of another task.
    """
    bundle = read_value_bundle(folder)
    with refusing(folder):
        check_value_bundle(bundle)
    return bundle


def check_value_bundle(bundle: ValueBundle) -> None:
    """Hold the parts of a bundle against each other, and try its network; a GraticuleError says what is wrong."""
    info = bundle.info
    check_layout(info)
    check_training_images(info, bundle.reference, ("target", "mean_features"))
    target = checked_tensor(bundle.reference, "target", "float64", (info.n_training,), file="reference")
    least, most = info.trained_on
    low, high = info.bounds
    if least > most or (low is not None and high is not None and low > high):
        raise BundleError("bundle.json: a lower end of a range lies above the upper one")
    predictor = ValuePredictor.of(bundle)
    if not predictor.target.logarithmic and not (target.min() >= least and target.max() <= most):
        raise BundleError("reference: a target lies outside the range that bundle.json names")
    Novelty.unpack(bundle.reference, n_features=bundle.reference["features"].shape[1], n_classes=LEVELS_OF_NUMBER)
    if info.intervals is not None:
        ValueIntervals.from_arrays(bundle.reference, info.intervals)
    check_graph_of(info, bundle.model, predictor.encoder.preprocessing.size)
    with np.errstate(all="ignore"):
        found = member_values(predictor.members, np.zeros((1, info.n_features), np.float32))
    if not np.isfinite(found).all():
        raise BundleError("its heads give what is no number")
