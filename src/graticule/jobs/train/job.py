"""`graticule train`: a folder of labelled images to a cross-validated model with its report."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graticule.audit.instruments import read_instruments
from graticule.audit.search import search_shortcuts, shortcut_warnings, shortcuts_found
from graticule.audit.shortcuts import Shortcuts
from graticule.decide.settle import settle_decisions
from graticule.errors import ManifestError
from graticule.features.samples import Samples
from graticule.files import remove_folder
from graticule.heads.input_choice import Embedded, InputSteps, embed_as_chosen
from graticule.heads.input_judge import ClassInputJudge
from graticule.heads.method import fit_heads
from graticule.heads.outcome import Outcome, measure, scored_predictions
from graticule.images.reading import Reading
from graticule.jobs.train.files import write_model, write_tables
from graticule.jobs.train.options import TrainOptions
from graticule.jobs.train.record import Labelled, openings, train_record
from graticule.jobs.train.steps import (
    WORK,
    embed_first,
    network_and_reading,
    not_held_back,
    processes_of,
    read_training,
    run_folder,
)
from graticule.jobs.train.values import train_values
from graticule.label_errors.judged import suspected_labels
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.run.page import write_report
from graticule.runs import write_json
from graticule.sources.mix import read_mix
from graticule.sources.sources import check_trainable
from graticule.split.division import Division, check_split, divide_samples
from graticule.split.parents_table import read_parents
from graticule.split.seal import held_out_key, note_in_ledger
from graticule.split.training_only import PICKED, SYNTHETIC, training_only

if TYPE_CHECKING:
    from graticule.training.processes import Processes


def train(data: Path, out: Path, options: TrainOptions, reporter: Reporter | None = None) -> dict[str, Any]:
    """Train and evaluate a classifier, or with a target a model of numbers; write the run folder.

    Parameters
    ----------
    data : Path
        Folder of class folders, split folders, or a CSV or Parquet manifest.
    out : Path
        The run folder, created.
    options : TrainOptions
    reporter : Reporter, optional

    Returns
    -------
    dict
        run.json with "metrics" (metrics.json) and "failures" (list of [path, error]). Empty in the second and further
        processes of a distributed training, which write nothing.
    """
    options.check()
    check_outside(out, data)
    if options.target is not None:
        return train_values(data, out, options, reporter or Silent())
    start = time.perf_counter()
    processes = processes_of(options)
    main = processes is None or processes.main
    reporter = (reporter or Silent()) if main else Silent()
    labelled = _labelled(data, options)
    mix = None if options.prevalence is None else read_mix(options.prevalence, labelled.manifest.classes)
    # before the images are read, which may take long; duplicates are known only afterwards
    check_split(labelled.manifest, options)
    with run_folder(out, options, main=main) as folder:
        encoder, reading = network_and_reading(labelled.manifest, options, reporter)
        embedded = _embedded(labelled, encoder, options, processes, reporter)
        encoder, samples, division = embedded.encoder, embedded.samples, embedded.division
        outcome = _fit(samples, encoder, division, options, processes, folder / WORK, reporter)
        if not main:
            return {}
        reporter.step("calibration, sets, acceptance and novelty")
        decider = settle_decisions(samples, division, outcome, options.seed)
        decider.document["labels"] = suspected_labels(
            samples, division.folds, decider.proba, outcome.encoder.preprocessing
        )
        reporter.step("writing the run")
        predictions = scored_predictions(samples, division, decider.proba)
        metrics = measure(predictions, samples.manifest, division, outcome, options.seed, mix)
        remove_folder(folder / "model")  # of an interrupted run that is resumed
        bundle_sha256 = write_model(folder / "model", samples, encoder, division, outcome, decider, metrics)
        write_tables(folder, samples, division.folds, predictions)
        record = train_record(data, out, options, labelled, samples, reading, division, outcome)
        record["embedding"]["choice"] = embedded.describe()
        shortcuts = _shortcuts(samples, reading, options, reporter)
        record["shortcuts"] = [row.model_dump(by_alias=True) for row in shortcuts_found(shortcuts)]
        record["warnings"] += shortcut_warnings(shortcuts)
        record["test_openings"] = openings(division, bundle_sha256)
        record["bundle_sha256"] = bundle_sha256
        record["test_openings_elsewhere"] = note_in_ledger(held_out_key(samples, division.folds.part), bundle_sha256)
        record["wall_time_s"] = round(time.perf_counter() - start, 2)
        write_json(folder / "metrics.json", metrics)
        write_json(folder / "decisions.json", decider.document)
        write_json(folder / "run.json", record)
        write_report(folder)
        remove_folder(folder / WORK)
    return record | {"metrics": metrics, "failures": samples.failures}


def _shortcuts(samples: Samples, reading: Reading, options: TrainOptions, reporter: Reporter) -> Shortcuts:
    """What else than the object tells the class: the report of a model says it as an audit would."""
    reporter.step("looking for shortcuts")
    masked = reading.preprocessing.marks == "mask"
    return search_shortcuts(samples, read_instruments(samples), options.seed, masked=masked)


def _labelled(data: Path, options: TrainOptions) -> Labelled:
    """Labelled samples in the order of their paths, and what was left out."""
    manifest = read_training(data, options)
    n_unlabelled = len(manifest) - int(manifest.labelled.sum())
    labelled, told = not_held_back(manifest.take(manifest.labelled), options)
    kind = training_only(labelled)
    check_trainable(labelled.take(kind == ""))
    for name, words in ((SYNTHETIC, "synthetic images"), (PICKED, "images picked by a review queue")):
        odd = sorted(set(labelled.label[kind == name]) - set(labelled.label[kind == ""]))
        if odd:
            raise ManifestError(f"class {', '.join(map(repr, odd))} has {words} only; no other one could test it")
    parents = read_parents(data, labelled, options.parents, options.synthetic)
    return Labelled(labelled, n_unlabelled, [*manifest.warnings, *told], parents)


def _embedded(
    labelled: Labelled, encoder: Encoder, options: TrainOptions, processes: Processes | None, reporter: Reporter
) -> Embedded:
    """The samples with their features and their division; of frozen features at the input that is chosen."""

    def embed(manifest: Manifest, encoder: Encoder) -> Samples:
        return embed_first(manifest, encoder, options, processes, reporter)

    def divide(samples: Samples, encoder: Encoder) -> Division:
        check_trainable(samples.manifest.take(training_only(samples.manifest) == ""))
        parents, refitted = labelled.parents, options.refits
        return divide_samples(samples, encoder.preprocessing, options, reporter, parents=parents, refitted=refitted)

    if processes is None:
        return embed_as_chosen(
            labelled.manifest,
            encoder,
            options,
            InputSteps(embed, divide, lambda samples: ClassInputJudge.of(samples.manifest)),
            seed=options.seed,
            workers=options.workers,
            reporter=reporter,
        )
    samples = embed(labelled.manifest, encoder)
    return Embedded(encoder, samples, divide(samples, encoder))


def _fit(
    samples: Samples,
    encoder: Encoder,
    division: Division,
    options: TrainOptions,
    processes: Processes | None,
    work: Path,
    reporter: Reporter,
) -> Outcome:
    if processes is None:
        return fit_heads(samples, encoder, division, options, reporter)
    from graticule.finetune.method import fine_tune

    preprocessing = replace(encoder.preprocessing)
    return fine_tune(samples, preprocessing, division, options, processes, work, reporter)
