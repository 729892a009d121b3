"""What run.json says of a training run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule import __version__
from graticule.features.samples import Samples
from graticule.heads.outcome import Outcome
from graticule.images.reading import Reading
from graticule.jobs.record import describe_data, describe_embedding, reading_notes, unreadable_warning
from graticule.jobs.train.options import TrainOptions
from graticule.manifest import Manifest, escape_path
from graticule.networks.encoder import Encoder
from graticule.regress.outcome import ValueOutcome
from graticule.runs import machine, package_versions, utc_now
from graticule.split.division import Division
from graticule.split.folds import Folds
from graticule.split.gate import gates_of
from graticule.split.training_only import PICKED, SYNTHETIC, is_synthetic


@dataclass(frozen=True)
class Labelled:
    """The samples to train on, and what was left out before any image was read."""

    manifest: Manifest
    n_unlabelled: int
    warnings: list[str]
    parents: Mapping[str, frozenset[str]] | None = None


def train_record(
    data: Path,
    out: Path,
    options: TrainOptions,
    labelled: Labelled,
    samples: Samples,
    reading: Reading,
    division: Division,
    outcome: Outcome | ValueOutcome,
) -> dict[str, Any]:
    """run.json without its schema version, model hash and wall time.

    Parameters
    ----------
    data, out, options
        What was asked for.
    labelled, samples, reading, division, outcome
        What the steps of the run handed on.
    """
    encoder, folds = outcome.encoder, division.folds
    return {
        "verb": "train",
        "task": samples.manifest.task,
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "command": options.command("train", data, out=out),
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
        "embedding": describe_embedding(encoder, reading, samples, describe_weights(encoder)),
        "folds": {
            "k": folds.k,
            "test_size": options.test_size,
            "calibration": options.calibration,
            "strategy": folds.strategy,
            "seed": options.seed,
            "notes": list(folds.notes),
        },
        "head": outcome.head,
        "training": outcome.training,
        "leaks": [leak.describe(samples.manifest.path) for leak in division.leaks],
        "n_synthetic": int((folds.part == SYNTHETIC).sum()),
        "generators": _generators(samples.manifest, folds, labelled, options),
        "n_picked": int((folds.part == PICKED).sum()),
        "warnings": [
            *labelled.warnings,
            *samples.warnings,
            *folds.notes,
            *unreadable_warning(samples.failures),
            *division.notes,
            *_group_warning(options),
            *outcome.warnings,
            *reading_notes(samples, reading),
        ],
    }


def _generators(manifest: Manifest, folds: Folds, labelled: Labelled, options: TrainOptions) -> dict[str, Any] | None:
    """What is known of how synthetic images came to be, and what their gate said; None where there are none."""
    if not is_synthetic(manifest).any():
        return None
    gates = gates_of(manifest, folds.part == SYNTHETIC)
    if labelled.parents is None:
        return {"parents": options.parents, "seen": {}, "gates": gates}
    seen = {name: len(hashes) for name, hashes in labelled.parents.items()}
    return {"parents": "known", "seen": seen, "gates": gates}


def describe_weights(encoder: Encoder) -> dict[str, Any]:
    """Hash, licence, origin and pooled layers of an encoder's network."""
    weights = encoder.weights
    return {
        "weights_sha256": weights.sha256,
        "licence": weights.licence,
        "source": weights.source,
        "layers": list(weights.layers),
    }


def openings(division: Division, bundle_sha256: str) -> list[dict[str, str]]:
    """The first opening of the held-out part, where there is one."""
    if not (division.folds.part == "test").any():
        return []
    return [{"utc": utc_now(), "verb": "train", "model_sha256": bundle_sha256}]


def _group_warning(options: TrainOptions) -> list[str]:
    if options.group != "none":
        return []
    return ["groups were switched off (--group none): images of one group may be on both sides of a split"]


def _group_name(manifest: Manifest, group: str) -> str | None:
    if manifest.group is None:
        return None
    return "group" if group == "auto" else group
