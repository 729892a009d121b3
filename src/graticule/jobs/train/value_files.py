"""The bundle of a model of numbers, written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule import __version__
from graticule.bundle import ValueBundle, write_bundle
from graticule.bundle_info import ValueBundleInfo
from graticule.decide.value_settle import ValueDecider
from graticule.features.samples import Samples
from graticule.heads.crossval import training_rows
from graticule.jobs.train.files import image_tensors, network_fields
from graticule.jobs.train.record import describe_weights
from graticule.jobs.train.value_card import value_card
from graticule.networks.encoder import Encoder
from graticule.networks.pooling import ORIENTATION, part_span
from graticule.regress.outcome import ValueOutcome
from graticule.regress.packing import pack_values
from graticule.split.division import Division


def write_value_model(
    folder: Path,
    samples: Samples,
    embedded: Encoder,
    division: Division,
    outcome: ValueOutcome,
    decider: ValueDecider,
    metrics: Mapping[str, Any],
) -> str:
    """Write the bundle; returns the hash that identifies it.

    `embedded` is the encoder that the features of the samples come from, see `graticule.jobs.train.files.write_model`.
    """
    training = training_rows(division.folds)
    targets = samples.manifest.targets[training]
    info = ValueBundleInfo(
        task=samples.manifest.task,
        graticule_version=__version__,
        **outcome.target.to_json(),
        **network_fields(samples, embedded, training, outcome),
        trained_on=[float(targets.min()), float(targets.max())],
        intervals=None if decider.intervals is None else decider.intervals.describe(),
    )
    reference: dict[str, NDArray[Any]] = {
        **image_tensors(samples, training, division.parents),
        "target": targets,
        "mean_features": average_features(samples, embedded, training, outcome),
        **({} if decider.intervals is None else decider.intervals.to_arrays()),
        **({} if decider.novelty is None else decider.novelty.pack()),
    }
    card = value_card(info, metrics, describe_weights(outcome.encoder))
    return write_bundle(folder, ValueBundle(info, outcome.encoder.model, pack_values(outcome.members), reference, card))


def average_features(
    samples: Samples, embedded: Encoder, training: NDArray[np.bool_], outcome: ValueOutcome
) -> NDArray[np.float32]:
    """Features of an average training image, from which explanations are measured, as the shipped model has them."""
    if outcome.mean_features is not None:
        return outcome.mean_features
    # without a copy of the rows
    mean: NDArray[np.float32] = samples.features.mean(axis=0, dtype=np.float64, where=training[:, None])
    mean = mean.astype(np.float32)
    if embedded.orientation and not outcome.encoder.orientation:
        return np.delete(mean, part_span(embedded.parts, ORIENTATION, embedded.n_features))
    return mean
