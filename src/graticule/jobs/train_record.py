"""What run.json says of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule import __version__
from graticule.data.folds import Folds
from graticule.data.leaks import Leak
from graticule.data.reading import Reading
from graticule.data.synthetic import SYNTHETIC
from graticule.evaluate.crossval import CrossValidation
from graticule.jobs.samples import Samples, describe_data, describe_embedding, reading_notes, unreadable_warning
from graticule.jobs.train_options import TrainOptions
from graticule.manifest import Manifest, escape_path
from graticule.models.encoder import Encoder
from graticule.models.head_search import Choice
from graticule.models.scoring import Head
from graticule.predictions import Predictions
from graticule.runs import machine, package_versions, utc_now


@dataclass(frozen=True)
class Labelled:
    """The samples to train on, and what was left out before any image was read."""

    manifest: Manifest
    n_unlabelled: int
    warnings: list[str]


@dataclass(frozen=True)
class Fitted:
    """What the cross-validation step hands to the writing step."""

    folds: Folds
    cv: CrossValidation
    heads: list[Head]
    shipped: str
    refitted: Choice | None
    predictions: Predictions
    metrics: dict[str, Any]
    leaks: list[Leak]
    kinship_notes: list[str]


@dataclass(frozen=True)
class Embedded:
    """What the embedding step hands on."""

    samples: Samples
    encoder: Encoder
    reading: Reading


def train_record(
    data: Path,
    out: Path,
    options: TrainOptions,
    labelled: Labelled,
    embedded: Embedded,
    fitted: Fitted,
    bundle_sha256: str,
) -> dict[str, Any]:
    """run.json without its schema version and wall time.

    Parameters
    ----------
    data, out, options
        What was asked for.
    labelled, embedded, fitted
        What the steps of the run handed on.
    bundle_sha256 : str
        Identifies the model written.
    """
    samples, encoder = embedded.samples, embedded.encoder
    left_out = [*labelled.warnings, *samples.warnings]
    return {
        "verb": "train",
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "command": options.command(data, out),
        "options": options.to_json() | {"data": escape_path(str(data)), "out": escape_path(str(out))},
        "seed": options.seed,
        "packages": package_versions(),
        "platform": machine(),
        "data": describe_data(
            data,
            samples,
            n_unlabelled=labelled.n_unlabelled,
            group_column=_group_name(samples.manifest, options.group),
        ),
        "embedding": describe_embedding(encoder, embedded.reading, samples, describe_weights(encoder)),
        "folds": {
            "k": fitted.folds.k,
            "test_size": options.test_size,
            "strategy": fitted.folds.strategy,
            "seed": options.seed,
            "notes": list(fitted.folds.notes),
        },
        "head": _describe_heads(fitted, options),
        "leaks": [leak.describe(samples.manifest.path) for leak in fitted.leaks],
        "n_synthetic": int((fitted.folds.part == SYNTHETIC).sum()),
        "warnings": [*left_out, *_warnings(samples, fitted, options), *reading_notes(samples, embedded.reading)],
        "test_openings": _openings(fitted, bundle_sha256),
        "bundle_sha256": bundle_sha256,
    }


def describe_weights(encoder: Encoder) -> dict[str, Any]:
    """Hash, licence, origin and pooled layers of an encoder's network."""
    weights = encoder.weights
    return {
        "weights_sha256": weights.sha256,
        "licence": weights.licence,
        "source": weights.source,
        "layers": list(weights.layers),
    }


def _describe_heads(fitted: Fitted, options: TrainOptions) -> dict[str, Any]:
    def described(choice: Choice) -> dict[str, Any]:
        return {
            "kind": choice.kind,
            "settings": choice.describe(),
            "inner_score": choice.inner_score,
            "candidates": choice.candidates,
            "inner_folds": choice.inner_folds,
        }

    return {
        "requested": options.head,
        "shipped": fitted.shipped,
        "default": any(choice.inner_folds == 0 for choice in fitted.cv.choices),
        "folds": [{"fold": i} | described(choice) for i, choice in enumerate(fitted.cv.choices)],
        "refitted": None if fitted.refitted is None else described(fitted.refitted),
        "seconds": round(fitted.cv.seconds, 2),
    }


def _warnings(samples: Samples, fitted: Fitted, options: TrainOptions) -> list[str]:
    warnings = list(fitted.folds.notes)
    warnings += unreadable_warning(samples.failures)
    warnings += fitted.kinship_notes
    if any(choice.inner_folds == 0 for choice in fitted.cv.choices):
        warnings.append(
            "a fixed default head was used in at least one fold: too few images or groups to choose one by an inner "
            "cross-validation"
        )
    if options.group == "none":
        warnings.append("groups were switched off (--group none): images of one group may be on both sides of a split")
    if options.refit:
        warnings.append("the shipped head was refitted on all cross-validated images: its figures are estimates")
    return warnings


def _openings(fitted: Fitted, bundle_sha256: str) -> list[dict[str, str]]:
    if not (fitted.folds.part == "test").any():
        return []
    return [{"utc": utc_now(), "verb": "train", "model_sha256": bundle_sha256}]


def _group_name(manifest: Manifest, group: str) -> str | None:
    if manifest.group is None:
        return None
    return "group" if group == "auto" else group
