"""The files of a run folder: the model's bundle, the samples, the scores and the split."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule import __version__
from graticule.arrays import class_codes
from graticule.audit.instruments import read_instruments, with_instruments
from graticule.bundle import Bundle, write_bundle
from graticule.bundle_info import BundleInfo, ReferenceInfo
from graticule.decide.settle import Decider
from graticule.features.reader import as_trained
from graticule.features.samples import Samples, data_hash
from graticule.files import writing
from graticule.heads.crossval import training_rows
from graticule.heads.outcome import Outcome
from graticule.heads.scoring import pack_heads
from graticule.images.beyond import Shares
from graticule.images.preprocess import Preprocessing
from graticule.jobs.record import write_failures
from graticule.jobs.train.card import model_card
from graticule.jobs.train.record import describe_weights
from graticule.manifest import bundled_path
from graticule.networks.encoder import Encoder
from graticule.predictions import Predictions
from graticule.regress.outcome import ValueOutcome
from graticule.split.division import Division
from graticule.split.folds import Folds
from graticule.split.gate import gates_of
from graticule.split.parents import PARENTS
from graticule.values import Values

_FLOAT16_MAX = float(np.finfo(np.float16).max)


def write_model(
    folder: Path,
    samples: Samples,
    embedded: Encoder,
    division: Division,
    outcome: Outcome,
    decider: Decider,
    metrics: Mapping[str, Any],
) -> str:
    """Write the bundle; returns the hash that identifies it.

    `embedded` is the encoder that the features of the samples come from: the model's own, or that of the reference
    where the model's network was trained.
    """
    encoder = outcome.encoder
    training = training_rows(division.folds)
    counts = Counter(samples.manifest.label[training].tolist())
    weights = describe_weights(encoder)
    info = BundleInfo(
        task=samples.manifest.task,
        graticule_version=__version__,
        classes=list(samples.manifest.classes),
        **network_fields(samples, embedded, training, outcome),
        calibration=decider.calibration.to_json(),
        thresholds=decider.document["acceptance"] and decider.document["acceptance"]["rule"],
    )
    reference: dict[str, NDArray[Any]] = {
        **image_tensors(samples, training, division.parents),
        "class": class_codes(samples.manifest.label, samples.manifest.classes)[training].astype(np.int32),
        # without a copy of the rows: of many images that would be the most that a run holds
        "mean_features": samples.features.mean(axis=0, dtype=np.float64, where=training[:, None]).astype(np.float32)
        if outcome.mean_features is None
        else outcome.mean_features,
        **({} if decider.evidence is None else decider.evidence.pack()),
        **({} if decider.novelty is None else decider.novelty.pack()),
    }
    card = model_card(info, metrics, counts, weights)
    return write_bundle(folder, Bundle(info, encoder.model, pack_heads(outcome.heads), reference, card))


def network_fields(
    samples: Samples, embedded: Encoder, training: NDArray[np.bool_], outcome: Outcome | ValueOutcome
) -> dict[str, Any]:
    """What bundle.json says of the network, the features and the data, see `graticule.bundle_info.NetworkInfo`."""
    encoder = outcome.encoder
    seen = tuple(sorted({item.mode.partition(", ")[2] for item in samples.info}))
    outside = as_trained(samples, training, encoder.preprocessing.intensity).outside
    weights = describe_weights(encoder)
    return {
        "backbone": encoder.backbone,
        "weights_sha256": weights["weights_sha256"],
        "licence": weights["licence"],
        "preprocessing": _seen_only(encoder.preprocessing, seen, outside).to_json(),
        "output": encoder.output,
        "n_features": encoder.n_features,
        "views": encoder.views,
        "sizes": encoder.sizes,
        "parts": dict(encoder.parts),
        "heads": outcome.shipped,
        "data_sha256": data_hash(samples),
        "n_training": int(training.sum()),
        "synthetic": gates_of(samples.manifest, training),
        "parity": None if outcome.training is None else outcome.training["parity"],
        "reference": None
        if embedded.model_sha256 == encoder.model_sha256
        else _described(embedded, seen, outside).model_dump(),
    }


def image_tensors(samples: Samples, training: NDArray[np.bool_], parents: Collection[str]) -> dict[str, NDArray[Any]]:
    """What the reference of a bundle keeps of each training image, whatever its model answers with.

    And of each image that a generator of synthetic ones saw ("parents_sha256"), where there are any.
    """
    hashes = np.array([list(bytes.fromhex(item.pixel_sha256)) for item in samples.info], np.uint8)
    paths = "\n".join(bundled_path(p) for p in samples.manifest.path[training])
    return {
        # a network without normalisation may go beyond what 16 bits hold, and infinity is no distance
        "features": np.clip(samples.alike_features[training], -_FLOAT16_MAX, _FLOAT16_MAX).astype(np.float16),
        "pixel_sha256": np.ascontiguousarray(hashes[training]),
        "paths": np.frombuffer(paths.encode(), np.uint8).copy(),
        **({PARENTS: np.array([list(bytes.fromhex(sha)) for sha in sorted(parents)], np.uint8)} if parents else {}),
    }


def _seen_only(preprocessing: Preprocessing, seen: tuple[str, ...], outside: Shares) -> Preprocessing:
    """The reading restricted to what the training images had: kinds of pixels, and values outside the window."""
    return replace(preprocessing, intensity=replace(preprocessing.intensity, kinds=seen, outside=outside))


def _described(embedded: Encoder, seen: tuple[str, ...], outside: Shares) -> ReferenceInfo:
    """How features of the reference are made, where the model's own features are others."""
    return ReferenceInfo(
        backbone=embedded.backbone,
        views=embedded.views,
        model_sha256=embedded.model_sha256,
        sizes=embedded.sizes,
        preprocessing=_seen_only(embedded.preprocessing, seen, outside).to_json(),
    )


def write_tables(folder: Path, samples: Samples, folds: Folds, predictions: Predictions | Values) -> None:
    """Write manifest.parquet, predictions.parquet, splits.parquet and failures.csv."""
    with_instruments(samples.manifest, read_instruments(samples)).write(folder / "manifest.parquet")
    predictions.write(folder / "predictions.parquet")
    splits = pa.table(
        {
            "sample_id": pa.array(samples.manifest.sample_id, pa.string()),
            "part": pa.array(folds.part, pa.string()),
            "fold": pa.array(folds.fold, pa.int32()),
        }
    )
    if folds.trains is not None:
        told = [
            np.flatnonzero(row).tolist() if own else None for row, own in zip(folds.trains, folds.made, strict=True)
        ]
        splits = splits.append_column("trains_in", pa.array(told, pa.list_(pa.int32())))
    # an open file, since Arrow takes no path that is not UTF-8
    with writing(folder / "splits.parquet") as sink:
        pq.write_table(splits, sink)
    write_failures(folder / "failures.csv", samples.failures)
