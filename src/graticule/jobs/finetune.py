"""The method "finetune": a network trained end to end in each fold, and the one that is shipped.

folds ── fold 1 ... k ──> out-of-fold scores, settings ──> the shipped network (a refit, the folds together, or
the one fold) ──> ONNX, compared with torch on real images ──> scores of the held-out part
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule import __version__
from graticule.data.preprocess import Preprocessing
from graticule.data.synthetic import SYNTHETIC
from graticule.errors import TrainingError
from graticule.evaluate.crossval import fold_rows, training_rows
from graticule.finetune.export import check_parity, export_onnx, heads_of
from graticule.finetune.network import build_network, network_spec
from graticule.finetune.order import validation_rows
from graticule.finetune.pixels import decode_pixels, map_pixels
from graticule.finetune.processes import Processes
from graticule.finetune.recipe import Recipe
from graticule.finetune.weights import Origin
from graticule.jobs.division import Division
from graticule.jobs.finetune_fold import Campaign, Finished, finished_fold, load_network, settle_recipe
from graticule.jobs.finetune_progress import Teller
from graticule.jobs.outcome import Outcome, class_codes
from graticule.jobs.samples import Reporter, Samples, data_hash, image_files
from graticule.jobs.train_options import TrainOptions
from graticule.models.embed import available_cores
from graticule.models.encoder import Encoder, WeightsInfo
from graticule.models.network import Network
from graticule.models.scoring import Head, probabilities
from graticule.runs import package_versions

PACKAGES = ("torch", "timm", "accelerate")
PARITY_IMAGES = 64
_BLOCK = 64

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Shipped:
    """The networks that the bundle holds, with their temperatures, and what they are."""

    members: list[Any]
    temperatures: list[float]
    words: str
    refit: dict[str, Any] | None
    warnings: list[str]


def start_processes(options: TrainOptions) -> Processes:
    """Find the other processes and the device; refuse early what cannot work.

    Raises
    ------
    BackboneError
        When the network is unknown, or torch is missing.
    OptionError
        When the device is not there.
    """
    network_spec(options.backbone)
    return Processes(options.device)


def fine_tune(
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    options: TrainOptions,
    processes: Processes,
    work: Path,
    reporter: Reporter,
) -> Outcome:
    """Fine-tune a network in each fold and the shipped one, and score every part.

    Parameters
    ----------
    samples : Samples
    preprocessing : Preprocessing
        Of the embedded network; the size is replaced.
    division : Division
    options : TrainOptions
    processes : Processes
    work : Path
        Folder for decoded images, checkpoints and finished folds.
    reporter : Reporter

    Raises
    ------
    TrainingError, BackboneError
    """
    folds = division.folds
    campaign, preprocessing, origin = _prepared(samples, preprocessing, division, options, processes, work, reporter)
    teller = Teller(reporter, _planned_steps(division, options, campaign.recipe))
    proba = np.full((len(campaign.y), campaign.n_classes), np.nan)
    finished = []
    for fold, (train, held) in enumerate(fold_rows(folds)):
        fit_rows, validation = _divided(train, campaign, division)
        teller.fold(fold, folds.k)
        result = finished_fold(campaign, f"fold-{fold}", fit_rows, validation, held, teller)
        proba[held] = result.proba
        finished.append(result)
    shipped = _shipped(campaign, finished, division, teller)
    reporter.step("exporting the network and comparing it with torch on real images")
    model, parity = _exported(shipped, campaign, training_rows(folds))
    heads: list[Head] = _heads(shipped)
    encoder = Encoder(
        backbone=campaign.spec.name,
        model=model,
        preprocessing=preprocessing,
        views=options.views_settled,
        n_features=sum(member.n_features for member in shipped.members),
        weights=WeightsInfo(origin.sha256, origin.licence, origin.source),
    )
    test = np.flatnonzero(folds.part == "test")
    if processes.main and len(test):
        proba[test] = _scored(encoder, heads, campaign.pixels, test)
    return Outcome(
        proba=proba,
        encoder=encoder,
        heads=heads,
        shipped=shipped.words,
        head={"requested": "auto", "shipped": shipped.words, "default": False, "folds": [], "refitted": None},
        training=_describe(campaign, finished, shipped, parity, origin.notes),
        warnings=shipped.warnings,
    )


def _prepared(
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    options: TrainOptions,
    processes: Processes,
    work: Path,
    reporter: Reporter,
) -> tuple[Campaign, Preprocessing, Origin]:
    """The recipe settled and the images decoded: what all folds share."""
    spec = network_spec(options.backbone)
    y, n_classes = class_codes(samples.manifest), len(samples.manifest.classes)
    network, origin = build_network(options.backbone, n_classes, weights=options.weights, seed=options.seed)
    masked = preprocessing.marks == "mask"
    trains = y[training_rows(division.folds)]
    recipe = settle_recipe(options, spec, network, trains, gpu=processes.gpu, ultrasound=masked)
    preprocessing = _at_size(preprocessing, recipe.input_size)
    if processes.main:
        work.mkdir(exist_ok=True)
    processes.wait()
    campaign = Campaign(
        y=y,
        names=samples.manifest.path,
        n_classes=n_classes,
        pixels=_pixels(samples, preprocessing, work, options, processes, reporter),
        pictures=_pictures(samples, preprocessing),
        spec=spec,
        recipe=recipe,
        options=options,
        processes=processes,
        work=work,
        fingerprint=_fingerprint(samples, preprocessing, division, options, recipe),
    )
    return campaign, preprocessing, origin


def _at_size(preprocessing: Preprocessing, size: int) -> Preprocessing:
    """The same reading at another input size; with a physical scale the same field of view."""
    scale = preprocessing.scale_nm
    scale = None if scale is None else scale * preprocessing.size / size
    return replace(preprocessing, size=size, scale_nm=scale)


def _pixels(
    samples: Samples,
    preprocessing: Preprocessing,
    work: Path,
    options: TrainOptions,
    processes: Processes,
    reporter: Reporter,
) -> NDArray[np.uint8]:
    """The images at the network's size, decoded once by the main process."""
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
    return map_pixels(file)


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
    samples: Samples, preprocessing: Preprocessing, division: Division, options: TrainOptions, recipe: Recipe
) -> str:
    """Hash of all that decides the weights: a checkpoint of another run must not be taken up."""
    versions = {k: v for k, v in package_versions(*PACKAGES).items() if k in ("numpy", *PACKAGES)}
    parts = {
        "version": __version__,
        "packages": versions,
        "data": data_hash(samples),
        "preprocessing": preprocessing.key(),
        "folds": hashlib.sha256(division.folds.fold.tobytes()).hexdigest(),
        "backbone": options.backbone,
        "weights": options.weights,
        "recipe": recipe.to_json(),
        "seed": options.seed,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _divided(train: IntArray, campaign: Campaign, division: Division) -> tuple[IntArray, IntArray]:
    """Rows that train, and rows of the training part that choose the epoch; synthetic images choose nothing."""
    folds = division.folds
    real = train[folds.part[train] != SYNTHETIC]
    extra = train[folds.part[train] == SYNTHETIC]
    seed, held = campaign.options.seed, campaign.recipe.validation
    fit, validation = validation_rows(campaign.y[real], folds.component[real], held, seed)
    extra = extra[~np.isin(folds.component[extra], folds.component[real[validation]])]
    return np.concatenate([real[fit], extra]), real[validation]


def _planned_steps(division: Division, options: TrainOptions, recipe: Recipe) -> int:
    """Training steps of the whole run, as far as they can be foreseen."""
    folds = fold_rows(division.folds)
    sizes = [round(len(train) * (1 - recipe.validation)) for train, _ in folds]
    if len(folds) > 1 and not options.ensemble:
        sizes.append(int(training_rows(division.folds).sum()))
    return recipe.epochs * sum(max(1, round(n / recipe.batch_size)) for n in sizes)


def _shipped(campaign: Campaign, finished: list[Finished], division: Division, teller: Teller) -> Shipped:
    """The network of the only fold, the networks of all folds, or one refitted on all cross-validated samples."""
    k = len(finished)
    if k == 1 or campaign.options.ensemble:
        words = f"mean of the {k} fold networks" if k > 1 else "the network of the training part"
        members = [load_network(campaign, result) for result in finished]
        return Shipped(members, [result.temperature for result in finished], words, None, [])
    rows = np.flatnonzero(training_rows(division.folds))
    epochs = int(np.median([result.best_epoch for result in finished]))
    temperature = float(np.exp(np.mean(np.log([result.temperature for result in finished]))))
    teller.refit()
    nothing = np.zeros(0, np.int64)
    result = finished_fold(campaign, "refit", rows, nothing, nothing, teller, until=epochs)
    words = f"one network refitted on all cross-validated images ({epochs} epochs, as the folds chose)"
    warning = (
        "the shipped network was refitted on all cross-validated images: its figures are estimates, from networks "
    )
    refit = {"epochs": epochs, "temperature": temperature, "history": result.history}
    return Shipped(
        [load_network(campaign, result)], [temperature], words, refit, [warning + "that each saw fewer images"]
    )


def _exported(shipped: Shipped, campaign: Campaign, training: NDArray[np.bool_]) -> tuple[bytes, dict[str, Any]]:
    """The ONNX model and how it agrees with torch."""
    model = export_onnx(shipped.members, campaign.recipe.input_size)
    rows = np.flatnonzero(training)
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), PARITY_IMAGES)).astype(int))]
    parity = check_parity(model, shipped.members, np.ascontiguousarray(campaign.pixels[chosen]))
    return model, dict(vars(parity))


def _heads(shipped: Shipped) -> list[Head]:
    heads = heads_of(shipped.members, 1.0)
    return [replace(head, temperature=t) for head, t in zip(heads, shipped.temperatures, strict=True)]


def _scored(encoder: Encoder, heads: list[Head], pixels: NDArray[np.uint8], rows: IntArray) -> NDArray[np.float64]:
    """Scores of the held-out part by the very files that are shipped."""
    network = Network(encoder.model, encoder.output)
    blocks = [
        network.averaged(np.ascontiguousarray(pixels[rows[start : start + _BLOCK]]), encoder.views)
        for start in range(0, len(rows), _BLOCK)
    ]
    return probabilities(heads, np.concatenate(blocks))


def _describe(
    campaign: Campaign, finished: list[Finished], shipped: Shipped, parity: dict[str, Any], notes: tuple[str, ...]
) -> dict[str, Any]:
    """The object "training" of run.json."""
    return {
        "recipe": campaign.recipe.to_json(),
        "packages": {k: v for k, v in package_versions(*PACKAGES).items() if k in PACKAGES},
        "weights_notes": list(notes),
        "device": str(campaign.processes.device),
        "processes": campaign.processes.count,
        "folds": [
            {
                "fold": i,
                "n_train": result.n_train,
                "n_validation": result.n_validation,
                "best_epoch": result.best_epoch,
                "temperature": result.temperature,
                "seconds": round(result.seconds, 1),
                "images_per_second": result.rate,
                "history": result.history,
            }
            for i, result in enumerate(finished)
        ],
        "refit": shipped.refit,
        "shipped": shipped.words,
        "parity": parity,
    }
