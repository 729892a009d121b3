"""`graticule train --target COLUMN`: a table of images with a number each to a cross-validated model of that number."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graticule.arrays import object_array
from graticule.decide.value_metrics import value_metrics
from graticule.decide.value_settle import LEVEL, ValueDecider, settle_values
from graticule.directions.features import feature_names
from graticule.features.samples import Samples
from graticule.files import remove_folder
from graticule.heads.input_choice import Embedded, InputSteps, embed_as_chosen
from graticule.heads.outcome import scored_once
from graticule.jobs.train.files import write_tables
from graticule.jobs.train.options import TrainOptions
from graticule.jobs.train.record import Labelled, openings, train_record
from graticule.jobs.train.simpler_methods import beside_simpler
from graticule.jobs.train.steps import (
    WORK,
    embed_first,
    network_and_reading,
    not_held_back,
    processes_of,
    read_training,
    run_folder,
)
from graticule.jobs.train.value_files import write_value_model
from graticule.manifest import Manifest, escape_path
from graticule.networks.encoder import Encoder
from graticule.progress import Reporter, Silent
from graticule.regress.crossval import ValueSearch
from graticule.regress.input_judge import ValueInputJudge
from graticule.regress.inputs import NETWORK
from graticule.regress.method import feature_layout, fit_values, sizes_in_nm
from graticule.regress.outcome import ValueOutcome
from graticule.regress.target import Target, target_of
from graticule.report.values.page import write_value_report
from graticule.runs import write_json
from graticule.sources.targets import check_learnable, target_warnings
from graticule.split.division import Division, check_split, divide_samples
from graticule.split.parents_table import read_parents
from graticule.split.seal import held_out_key, note_in_ledger
from graticule.split.training_only import training_only
from graticule.split.value_folds import value_folds
from graticule.values import Values

if TYPE_CHECKING:
    from graticule.training.processes import Processes


def train_values(data: Path, out: Path, options: TrainOptions, reporter: Reporter) -> dict[str, Any]:
    """Train and evaluate a model of a number; write the run folder.

    Parameters and result are those of `graticule.jobs.train.job.train`.
    """
    start = time.perf_counter()
    processes, target = processes_of(options), target_of(options)
    main = processes is None or processes.main
    reporter = reporter if main else Silent()
    labelled = _with_targets(data, options, target)
    # before the images are read, which may take long; duplicates are known only afterwards
    check_split(labelled.manifest, options, value_folds)
    with run_folder(out, options, main=main) as folder:
        encoder, reading = network_and_reading(labelled.manifest, options, reporter)
        embedded = _embedded(labelled, encoder, target, options, processes, reporter)
        encoder, samples, division = embedded.encoder, embedded.samples, embedded.division
        outcome = _fit(samples, encoder, division, target, options, processes, folder / WORK, reporter)
        if not main:
            return {}
        reporter.step("simpler methods")
        outcome = beside_simpler(
            outcome, samples, reading.preprocessing, division, seed=options.seed, workers=options.workers
        )
        reporter.step("intervals, novelty and figures")
        decider = settle_values(samples, division, outcome, options.seed)
        values = valued(samples, division, outcome, decider)
        metrics = value_metrics(values, target, options.tolerance, options.seed)
        metrics["learning_curve"] = outcome.learning_curve
        reporter.step("writing the run")
        remove_folder(folder / "model")  # of an interrupted run that is resumed
        bundle_sha256 = write_value_model(folder / "model", samples, encoder, division, outcome, decider, metrics)
        write_tables(folder, samples, division.folds, values)
        record = train_record(data, out, options, labelled, samples, reading, division, outcome)
        record["embedding"]["choice"] = embedded.describe()
        record["target"] = target.to_json()
        record["test_openings"] = openings(division, bundle_sha256)
        record["bundle_sha256"] = bundle_sha256
        record["test_openings_elsewhere"] = note_in_ledger(held_out_key(samples, division.folds.part), bundle_sha256)
        record["wall_time_s"] = round(time.perf_counter() - start, 2)
        write_json(folder / "metrics.json", metrics)
        write_json(folder / "decisions.json", decider.document)
        write_json(folder / "run.json", record)
        write_value_report(folder)
        remove_folder(folder / WORK)
    return record | {"metrics": metrics, "failures": samples.failures}


def _with_targets(data: Path, options: TrainOptions, target: Target) -> Labelled:
    """Samples with a number, in the order of their paths, and what was left out."""
    column = target.read_as
    manifest = read_training(data, options, column)
    n_without = len(manifest) - int(manifest.with_target.sum())
    known, told = not_held_back(manifest.take(manifest.with_target), options)
    judging = known.take(training_only(known) == "")
    check_learnable(judging, column)
    warnings = [*manifest.warnings, *told, *target_warnings(judging.targets, judging.group, column)]
    return Labelled(known, n_without, warnings, read_parents(data, known, options.parents))


def _fit(
    samples: Samples,
    encoder: Encoder,
    division: Division,
    target: Target,
    options: TrainOptions,
    processes: Processes | None,
    work: Path,
    reporter: Reporter,
) -> ValueOutcome:
    if processes is None:
        search = ValueSearch(feature_layout(encoder), options.head, options.features, options.seed)
        return fit_values(samples, encoder, division, target, search, refit=options.refit, reporter=reporter)
    from graticule.finetune.method import fine_tune_value

    return fine_tune_value(samples, encoder.preprocessing, division, target, options, processes, work, reporter)


def _embedded(
    labelled: Labelled,
    encoder: Encoder,
    target: Target,
    options: TrainOptions,
    processes: Processes | None,
    reporter: Reporter,
) -> Embedded:
    """The samples with their features and their division; of frozen features at the input that is chosen.

    With orientation statistics where these may be looked at.
    """

    def embed(manifest: Manifest, encoder: Encoder) -> Samples:
        return embed_first(manifest, encoder, options, processes, reporter)

    def divide(samples: Samples, encoder: Encoder) -> Division:
        check_learnable(samples.manifest, target.read_as)
        seen, parents, refitted = encoder.preprocessing, labelled.parents, options.refits
        return divide_samples(samples, seen, options, reporter, value_folds, parents, refitted=refitted)

    def judge(samples: Samples) -> ValueInputJudge:
        return ValueInputJudge(target.learnt(samples.manifest.targets, sizes_in_nm(samples)))

    def beside(encoder: Encoder) -> Encoder:
        return encoder if options.features == NETWORK else encoder.with_orientation(len(feature_names()))

    if processes is not None or not encoder.model:
        samples = embed(labelled.manifest, encoder)
        return Embedded(encoder, samples, divide(samples, encoder))
    return embed_as_chosen(
        labelled.manifest,
        encoder,
        options,
        InputSteps(embed, divide, judge, beside),
        seed=options.seed,
        workers=options.workers,
        reporter=reporter,
    )


def valued(samples: Samples, division: Division, outcome: ValueOutcome, decider: ValueDecider) -> Values:
    """The Values table of a run: out of fold for the cross-validated part, once for what was set aside."""
    manifest, folds = samples.manifest, division.folds
    scored = scored_once(folds) | ((folds.part == "cv") & (folds.k > 1))
    return Values(
        sample_id=manifest.sample_id,
        path=object_array([escape_path(p) for p in manifest.path]),
        part=folds.part,
        fold=np.asarray(folds.fold, dtype=np.int64),
        target=manifest.targets,
        value=decider.value,
        low=decider.low,
        high=decider.high,
        level=LEVEL,
        group=manifest.group,
        baselines=outcome.baselines,
    ).take(scored)
