"""A network trained end to end in each fold, and the one that is shipped, whatever the goal.

folds ── fold 1 ... k ──> out-of-fold answers, settings ──> the shipped network (a refit, the folds together, or
the one fold) ──> ONNX, compared with torch on real images ──> answers for the held-out part
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.arrays import Float32Array, FloatArray
from graticule.errors import TrainingError
from graticule.features.samples import Samples, data_hash, image_files
from graticule.files import own_folder
from graticule.finetune.all_folds import train_folds
from graticule.finetune.checks import check_batches
from graticule.finetune.fold import Campaign, Finished, judge_fold, settle_recipe, with_maps
from graticule.finetune.goal import FoldRows, Goal
from graticule.finetune.network import build_network, network_spec
from graticule.finetune.options import FinetuneOptions
from graticule.finetune.progress import Teller
from graticule.finetune.recipe import Recipe
from graticule.finetune.shipped import (
    Shipped,
    answered_as_shipped,
    choose_shipped,
    exported_network,
    mean_as_shipped,
)
from graticule.finetune.validation import validation_rows
from graticule.finetune.weights import Origin
from graticule.heads.crossval import fold_rows, training_rows
from graticule.heads.outcome import scored_once
from graticule.images.preprocess import Preprocessing
from graticule.networks.encoder import Encoder, WeightsInfo
from graticule.progress import Reporter
from graticule.runs import package_versions
from graticule.split.division import Division
from graticule.split.training_only import only_trains
from graticule.training.pixels import decode_pixels
from graticule.training.processes import Processes
from graticule.workers.pool import available_cores

PACKAGES = ("torch", "timm", "accelerate")


@dataclass(frozen=True)
class Tuned:
    """What fine-tuning for any goal hands on.

    Attributes
    ----------
    answers : float array, shape (n, K)
        Out-of-fold for part "cv", of the shipped model for parts "test" and "calibration"; NaN rows elsewhere.
    encoder : Encoder
        Pixels to the vectors that the heads act on.
    heads : list
        Of the goal's last layer.
    shipped : str
        What the heads are, for people.
    training : dict
        The object "training" of run.json.
    warnings : list of str
    mean_features : float array, shape (d,), or None
        Of the training images by `encoder`; None in processes that write nothing.
    """

    answers: FloatArray
    encoder: Encoder
    heads: list[Any]
    shipped: str
    training: dict[str, Any]
    warnings: list[str]
    mean_features: Float32Array | None

    @property
    def head(self) -> dict[str, Any]:
        """The object "head" of run.json."""
        return {"requested": "auto", "shipped": self.shipped, "default": False, "folds": [], "refitted": None}


def tune(
    goal: Goal,
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    options: FinetuneOptions,
    processes: Processes,
    work: Path,
    reporter: Reporter,
) -> Tuned:
    """Fine-tune a network in each fold and the shipped one, and answer for every part.

    Parameters
    ----------
    goal : Goal
    samples : Samples
    preprocessing : Preprocessing
        Of the embedded network; the size is replaced.
    division : Division
    options : FinetuneOptions
    processes : Processes
    work : Path
        Folder for decoded images, checkpoints and finished folds.
    reporter : Reporter
    """
    folds, training = division.folds, training_rows(division.folds)
    campaign, parts, preprocessing, origin = _prepared(
        goal, samples, preprocessing, division, options, processes, work, reporter
    )
    teller = Teller(reporter, _planned_steps(division, options, campaign.recipe), campaign.freezable)
    finished = train_folds(campaign, parts, processes, teller)
    answers = np.full((goal.n_samples, goal.outputs), np.nan)
    judged = []
    for rows, result in zip(parts, finished, strict=True):
        judged.append(judge_fold(campaign, processes, result, rows))
        answers[rows.held] = judged[-1].answers
    temperatures = [fold.temperature for fold in judged]
    shipped = choose_shipped(campaign, finished, temperatures, np.flatnonzero(training), processes, teller)
    reporter.step("exporting the network and comparing it with torch on real images")
    model, parity = exported_network(shipped, campaign, np.flatnonzero(training))
    heads = goal.last_layer.heads(shipped.members, shipped.temperatures)
    encoder = Encoder(
        backbone=campaign.spec.name,
        model=model,
        preprocessing=preprocessing,
        views=options.views_settled,
        n_features=sum(member.n_features for member in shipped.members),
        weights=WeightsInfo(origin.sha256, origin.licence, origin.source),
    )
    aside = np.flatnonzero(scored_once(folds))
    if processes.main and len(aside):
        answers[aside] = answered_as_shipped(encoder, heads, campaign, aside)
    return Tuned(
        answers=answers,
        encoder=encoder,
        heads=heads,
        shipped=shipped.words,
        training=_describe(campaign, processes, finished, temperatures, shipped, parity)
        | {"weights_notes": list(origin.notes)},
        warnings=[*shipped.warnings, *_blind_notes(division, parts)],
        mean_features=mean_as_shipped(encoder, campaign, np.flatnonzero(training)) if processes.main else None,
    )


def _prepared(
    goal: Goal,
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    options: FinetuneOptions,
    processes: Processes,
    work: Path,
    reporter: Reporter,
) -> tuple[Campaign, list[FoldRows], Preprocessing, Origin]:
    """The recipe settled, the rows of each fold, and the images decoded."""
    spec = network_spec(options.backbone)
    network, origin = build_network(options.backbone, goal.outputs, weights=options.weights, seed=options.seed)
    masked = preprocessing.marks == "mask"
    trains = np.flatnonzero(training_rows(division.folds))
    recipe = settle_recipe(options, spec, network, goal, trains, processes, ultrasound=masked)
    parts = [_divided(fold, goal, division, recipe, options.seed) for fold in range(division.folds.k)]
    check_batches(recipe, network, parts, processes)
    preprocessing = _at_size(preprocessing, recipe.input_size)
    if processes.main:
        own_folder(work)
    processes.wait()
    campaign = Campaign(
        goal=goal,
        names=samples.manifest.path,
        pixels=_pixels(samples, preprocessing, work, options, processes, reporter),
        pictures=_pictures(samples, preprocessing),
        spec=spec,
        recipe=recipe,
        options=options,
        work=work,
        fingerprint=_fingerprint(samples, preprocessing, division, options, recipe, origin, goal),
        freezable=len(network.blocks()) // 2 if network.sequential and not recipe.frozen_blocks else 0,
    )
    if recipe.frozen_blocks:
        campaign = with_maps(campaign, network, trains, processes, reporter)
    return campaign, parts, preprocessing, origin


def _at_size(preprocessing: Preprocessing, size: int) -> Preprocessing:
    """The same reading at another input size; with a physical scale the same field of view."""
    scale = preprocessing.scale_nm
    scale = None if scale is None else scale * preprocessing.size / size
    return replace(preprocessing, size=size, scale_nm=scale)


def _pixels(
    samples: Samples,
    preprocessing: Preprocessing,
    work: Path,
    options: FinetuneOptions,
    processes: Processes,
    reporter: Reporter,
) -> Path:
    """The file of the images at the network's size, decoded once by the main process."""
    key = hashlib.sha256(f"{data_hash(samples)} {preprocessing.key()}".encode()).hexdigest()[:16]
    file = work / f"pixels-{key}.npy"
    if processes.main and not file.exists():
        reporter.begin("decoding", len(samples.manifest))
        errors = decode_pixels(
            image_files(samples.manifest),
            preprocessing,
            file,
            workers=options.workers or available_cores(),
            progress=reporter.advance,
        )
        broken = [name for name, error in zip(samples.manifest.path, errors, strict=True) if error]
        if broken:
            file.unlink()
            raise TrainingError(
                f"{len(broken)} images that could be read a moment ago cannot be read now, the first: {broken[0]}. "
                "Were they moved or changed? Repeat the command when they are back"
            )
    processes.wait()
    return file


def _pictures(samples: Samples, preprocessing: Preprocessing) -> list[tuple[int, int] | None]:
    """Rows of the picture proper where an info bar was kept: augmentation must not move the bar."""
    rows: list[tuple[int, int] | None] = []
    for item, facts in zip(samples.info, samples.facts(), strict=True):
        bar = facts.bar if preprocessing.info_bar == "keep" and preprocessing.scale_nm is None else None
        if bar is None or not item.height:
            rows.append(None)
            continue
        top, bottom = (round(edge * preprocessing.size / item.height) for edge in (bar.top, bar.bottom))
        rows.append((0, top) if bar.top > 0 else (bottom, preprocessing.size))
    return rows


def _fingerprint(
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    options: FinetuneOptions,
    recipe: Recipe,
    origin: Origin,
    goal: Goal,
) -> str:
    """Hash of all that decides the weights: a checkpoint of another run must not be taken up."""
    versions = {k: v for k, v in package_versions(*PACKAGES).items() if k in ("numpy", *PACKAGES)}
    parts = {
        "version": __version__,
        "packages": versions,
        "data": data_hash(samples),
        "preprocessing": preprocessing.key(),
        "goal": hashlib.sha256(goal.key()).hexdigest(),
        "folds": hashlib.sha256(division.folds.key()).hexdigest(),
        "backbone": options.backbone,
        "origin": origin.sha256,
        "recipe": recipe.to_json(),
        "seed": options.seed,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _divided(fold: int, goal: Goal, division: Division, recipe: Recipe, seed: int) -> FoldRows:
    """The rows of a fold; some of those that may judge choose the epoch instead of training.

    What synthetic images of the fold were made from does not: they would choose the epoch that knows them best.
    """
    folds = division.folds
    train, held = fold_rows(folds)[fold]
    alone = only_trains(folds.part[train])
    real, extra = train[~alone], train[alone]
    unit = folds.component[real]
    parental = None if folds.parental is None else folds.parental[real, fold]
    fit, validation = validation_rows(goal.strata(real, unit), unit, recipe.validation, seed, trains=parental)
    extra = extra[~np.isin(folds.component[extra], folds.component[real[validation]])]
    return FoldRows(np.concatenate([real[fit], extra]), real[validation], held)


def _blind_notes(division: Division, parts: Sequence[FoldRows]) -> list[str]:
    """Said where no epoch could be chosen, since synthetic images were made from all that could have chosen it."""
    blind = [i for i, rows in enumerate(parts, start=1) if not len(rows.validation)]
    if division.folds.parental is None or not blind:
        return []
    return [
        f"in fold {', '.join(map(str, blind))} synthetic images were made from all training images, or from too many, "
        "so that none is left to choose the epoch: the last one is taken, and its scores are left as they are"
    ]


def _planned_steps(division: Division, options: FinetuneOptions, recipe: Recipe) -> int:
    """Training steps of the whole run, as far as they can be foreseen."""
    folds = fold_rows(division.folds)
    sizes = [round(len(train) * (1 - recipe.validation)) for train, _ in folds]
    if len(folds) > 1 and not options.ensemble:
        sizes.append(int(training_rows(division.folds).sum()))
    return recipe.epochs * sum(max(1, math.ceil(n / recipe.batch_size)) for n in sizes)


def _describe(
    campaign: Campaign,
    processes: Processes,
    finished: list[Finished],
    temperatures: list[float],
    shipped: Shipped,
    parity: dict[str, Any],
) -> dict[str, Any]:
    """The object "training" of run.json."""
    return {
        "recipe": campaign.recipe.to_json(),
        "packages": {k: v for k, v in package_versions(*PACKAGES).items() if k in PACKAGES},
        "device": str(processes.device),
        "processes": processes.count,
        "folds": [
            {
                "fold": i,
                "n_train": result.n_train,
                "n_validation": result.n_validation,
                "best_epoch": result.best_epoch,
                "temperature": temperature,
                "seconds": round(result.seconds, 1),
                "images_per_second": result.rate,
                "history": result.history,
            }
            for i, (result, temperature) in enumerate(zip(finished, temperatures, strict=True))
        ],
        "refit": shipped.refit,
        "shipped": shipped.words,
        "parity": parity,
    }
