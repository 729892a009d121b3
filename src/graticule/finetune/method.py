"""The method "finetune": networks trained to tell classes apart, or to say a number."""

from pathlib import Path

from graticule.arrays import class_codes
from graticule.features.samples import Samples
from graticule.finetune.checks import check_network
from graticule.finetune.classes import ClassGoal
from graticule.finetune.numbers import ValueGoal, standard_of
from graticule.finetune.options import FinetuneOptions
from graticule.finetune.tune import tune
from graticule.heads.crossval import training_rows
from graticule.heads.outcome import Outcome
from graticule.images.preprocess import Preprocessing
from graticule.progress import Reporter
from graticule.regress.baselines import constant_baselines
from graticule.regress.method import sizes_in_nm
from graticule.regress.outcome import ValueOutcome
from graticule.regress.target import Target
from graticule.split.division import Division
from graticule.training.processes import Processes


def start_processes(options: FinetuneOptions) -> Processes:
    """Find the other processes and the device; refuse early what cannot work.

    Raises
    ------
    BackboneError
        When the network is unknown, its weights cannot be had, or torch is missing.
    OptionError
        When the device is not there, or the network cannot be trained as asked.
    ExportError
        When the network cannot be exported.
    """
    processes = Processes(options.device)
    check_network(options, gpu=processes.gpu)
    return processes


def fine_tune(
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    options: FinetuneOptions,
    processes: Processes,
    work: Path,
    reporter: Reporter,
) -> Outcome:
    """Fine-tune a network that tells classes apart, see `tune`."""
    classes = samples.manifest.classes
    goal = ClassGoal(class_codes(samples.manifest.label, classes), len(classes))
    tuned = tune(goal, samples, preprocessing, division, options, processes, work, reporter)
    return Outcome(
        proba=tuned.answers,
        encoder=tuned.encoder,
        heads=tuned.heads,
        shipped=tuned.shipped,
        head=tuned.head,
        training=tuned.training,
        warnings=tuned.warnings,
        mean_features=tuned.mean_features,
    )


def fine_tune_value(
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    target: Target,
    options: FinetuneOptions,
    processes: Processes,
    work: Path,
    reporter: Reporter,
) -> ValueOutcome:
    """Fine-tune a network that says a number, see `tune`."""
    values, folds = samples.manifest.targets, division.folds
    learnt = target.learnt(values, sizes_in_nm(samples))
    goal = ValueGoal(learnt, standard_of(learnt[training_rows(folds)])[1])
    tuned = tune(goal, samples, preprocessing, division, options, processes, work, reporter)
    return ValueOutcome(
        target=target,
        learnt=tuned.answers[:, 0],
        encoder=tuned.encoder,
        members=tuned.heads,
        shipped=tuned.shipped,
        head=tuned.head,
        baselines=constant_baselines(values, folds),
        training=tuned.training,
        warnings=tuned.warnings,
        mean_features=tuned.mean_features,
    )
