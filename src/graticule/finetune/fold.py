"""One fold of fine-tuning: trained, or taken up from what an interrupted run left; kept on disk when it is finished."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from graticule.errors import TrainingError
from graticule.finetune.batches import BatchSource, MapSource, PixelSource
from graticule.finetune.blocks import trainee_of
from graticule.finetune.frozen import map_views, write_maps
from graticule.finetune.head import head_first
from graticule.finetune.logits import score_views
from graticule.finetune.network import NetworkSpec, build_network
from graticule.finetune.objective import ClassObjective
from graticule.finetune.options import FinetuneOptions
from graticule.finetune.recipe import Circumstances, Recipe, choose_recipe
from graticule.heads.heads import fit_temperature
from graticule.heads.scoring import softmax
from graticule.progress import Reporter
from graticule.training.checkpoint import Tensors, read_checkpoint, write_checkpoint
from graticule.training.loop import Saved, Watch, fit_network
from graticule.training.pixels import map_pixels
from graticule.training.processes import Processes

IntArray = NDArray[np.int64]
CACHED_VIEWS = 16
_NORMS = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.LayerNorm, torch.nn.GroupNorm)


@dataclass(frozen=True)
class Campaign:
    """What all folds share.

    Attributes
    ----------
    y : int array, shape (n,)
    names : object array of str, shape (n,)
        Paths, for messages.
    n_classes : int
    pixels : Path
        File of the decoded images, see `graticule.training.pixels`.
    pictures : list of n (first row, end row) or None
        Where a kept info bar leaves the picture.
    spec : NetworkSpec
    recipe : Recipe
    options : FinetuneOptions
    work : Path
        Folder of checkpoints and finished folds.
    fingerprint : str
        Of the run.
    freezable : int
        Half of the network's blocks; 0 where they cannot be frozen, or some are.
    maps : Path or None
        File of the maps behind the frozen blocks, see `graticule.finetune.frozen`.
    """

    y: IntArray
    names: NDArray[np.object_]
    n_classes: int
    pixels: Path
    pictures: Sequence[tuple[int, int] | None]
    spec: NetworkSpec
    recipe: Recipe
    options: FinetuneOptions
    work: Path
    fingerprint: str
    freezable: int = 0
    maps: Path | None = None


@dataclass(frozen=True)
class FoldRows:
    """Rows that train, rows that choose the epoch and the temperature, and rows that are scored in the end."""

    train: IntArray
    validation: IntArray
    held: IntArray


@dataclass(frozen=True)
class Finished:
    """A fold after training.

    Attributes
    ----------
    weights : dict of tensors
    best_epoch : int
    history : list of dict
        One entry per epoch.
    n_train, n_validation : int
    seconds : float
        Of training.
    rate : float
        Training images per second.
    """

    weights: Tensors
    best_epoch: int
    history: list[dict[str, Any]]
    n_train: int
    n_validation: int
    seconds: float
    rate: float


@dataclass(frozen=True)
class FoldScores:
    """The temperature of a fold's scores, and its scores of the rows held out, shape (n_held, K)."""

    temperature: float
    proba: NDArray[np.float64]


def settle_recipe(
    options: FinetuneOptions, spec: NetworkSpec, network: Any, y: IntArray, processes: Processes, *, ultrasound: bool
) -> Recipe:
    """The recipe for the training samples of classes `y`."""
    counts = np.bincount(y)
    found = Circumstances(
        n_train=len(y),
        largest=int(counts.max()),
        smallest=int(counts[counts > 0].min()),
        parameters=sum(p.numel() for p in network.parameters()),
        normalised=any(isinstance(module, _NORMS) for module in network.modules()),
        pretrained=options.weights != "none",
        native_size=spec.input_size,
        min_size=spec.min_size,
        gpu=processes.gpu,
        bfloat16=processes.bfloat16,
        ultrasound=ultrasound,
    )
    return choose_recipe(options, found)


def with_maps(campaign: Campaign, network: Any, rows: IntArray, processes: Processes, reporter: Reporter) -> Campaign:
    """The campaign with the maps behind its frozen blocks, computed for some rows or left by an earlier run.

    Parameters
    ----------
    campaign : Campaign
    network : Classifier
        With the weights that training starts from.
    rows : int array
        All that train in any fold.
    processes : Processes
    reporter : Reporter

    Raises
    ------
    TrainingError
        When there is no room for them.
    """
    recipe = campaign.recipe
    file = campaign.work / f"maps-{hashlib.sha256(campaign.fingerprint.encode()).hexdigest()[:16]}.npy"
    if not processes.any(file.exists()):
        if processes.main:
            reporter.begin("computing the maps of the frozen blocks", len(rows))
        write_maps(
            file,
            _pixel_source(campaign, processes),
            network.to(processes.device, memory_format=torch.channels_last),
            recipe.frozen_blocks,
            min(CACHED_VIEWS, recipe.epochs) if recipe.augment != "none" else 0,
            rows,
            processes,
            at_once=recipe.at_once,
            progress=reporter.advance if processes.main else None,
        )
    return replace(campaign, maps=file)


def finished_fold(
    campaign: Campaign, processes: Processes, name: str, rows: FoldRows, watch: Watch, *, until: int | None = None
) -> Finished:
    """Train on some rows, or read what an earlier run has finished.

    Parameters
    ----------
    campaign : Campaign
    processes : Processes
    name : str
        Of the files in the work folder.
    rows : FoldRows
    watch : Watch
    until : int, optional
        Stop after so many epochs of the recipe.

    Raises
    ------
    TrainingError
        When training fails, or what an earlier run left is damaged or of another run.
    """
    mark = hashlib.sha256(campaign.fingerprint.encode())
    for part in (rows.train, rows.validation, rows.held):
        mark.update(part.tobytes() + b";")
    mark.update(str(until).encode())
    done, fingerprint = campaign.work / f"{name}.finished", mark.hexdigest()
    if not done.exists():
        saved = Saved(campaign.work / f"{name}.checkpoint", fingerprint)
        result = _trained(campaign, processes, saved, rows, watch, until)
        if processes.main:
            _keep(done, result, fingerprint)
            saved.file.unlink(missing_ok=True)
        processes.wait()
    return _kept(done, fingerprint)


def judge_fold(campaign: Campaign, processes: Processes, result: Finished, rows: FoldRows) -> FoldScores:
    """Fit the temperature on the rows that chose the epoch, and score the rows held out; averaged over the views."""
    network = load_network(campaign, result).to(processes.device, memory_format=torch.channels_last)
    pixels = _pixel_source(campaign, processes)

    def logits(some: IntArray) -> NDArray[np.float32]:
        views, at_once = campaign.options.views_settled, campaign.recipe.at_once
        return score_views(network, pixels, some, processes, views=views, at_once=at_once)

    temperature = 1.0
    if len(rows.validation):
        temperature = fit_temperature(logits(rows.validation), campaign.y[rows.validation])
    return FoldScores(temperature, softmax(temperature * logits(rows.held)))


def load_network(campaign: Campaign, result: Finished) -> Any:
    """The network of a finished fold, on the processor, ready to predict."""
    network, _ = build_network(
        campaign.options.backbone, campaign.n_classes, weights="none", seed=campaign.options.seed
    )
    network.load_state_dict(result.weights)
    return network.eval()


def _trained(
    campaign: Campaign, processes: Processes, saved: Saved, rows: FoldRows, watch: Watch, until: int | None
) -> Finished:
    recipe, options = campaign.recipe, campaign.options
    network, _ = build_network(
        options.backbone, campaign.n_classes, weights=options.weights, seed=options.seed, drop_rate=recipe.drop_rate
    )
    if processes.gpu and processes.count > 1:
        network.synchronise()
    network = network.to(processes.device, memory_format=torch.channels_last)
    pixels = _pixel_source(campaign, processes)
    source: BatchSource = pixels
    if campaign.maps is not None:
        source = MapSource(map_views(campaign.maps), recipe.frozen_blocks, processes.device, seed=options.seed)
    objective = ClassObjective(
        y=campaign.y,
        train=rows.train,
        validation=rows.validation,
        n_classes=campaign.n_classes,
        seed=options.seed,
        names=campaign.names,
        source=source,
        recipe=recipe,
    )
    if options.weights != "none" and not saved.file.exists():
        head_first(network, objective, processes)
    trainee = trainee_of(network, source.start, recipe)
    trained = fit_network(trainee, objective, recipe, processes, watch=watch, saved=saved, until=until)
    seconds = sum(record.seconds for record in trained.history)
    return Finished(
        weights={k: v.cpu() for k, v in trained.network.state_dict().items()},
        best_epoch=trained.best_epoch,
        history=[record.to_json() for record in trained.history],
        n_train=len(rows.train),
        n_validation=len(rows.validation),
        seconds=seconds,
        rate=round(len(rows.train) * len(trained.history) / max(seconds, 1e-9), 2),
    )


def _pixel_source(campaign: Campaign, processes: Processes) -> PixelSource:
    return PixelSource(
        map_pixels(campaign.pixels),
        campaign.spec.mean,
        campaign.spec.std,
        processes.device,
        preset=campaign.recipe.augment,
        seed=campaign.options.seed,
        pictures=campaign.pictures,
    )


def _keep(file: Path, result: Finished, fingerprint: str) -> None:
    values = {k: v for k, v in vars(result).items() if k != "weights"}
    write_checkpoint(file, result.weights, values | {"fingerprint": fingerprint})


def _kept(file: Path, fingerprint: str) -> Finished:
    weights, values = read_checkpoint(file)
    if values.pop("fingerprint") != fingerprint:
        raise TrainingError(
            f"{file} belongs to a run with other data, options or versions. Give --resume the same command and data, "
            "or train into another --out"
        )
    return Finished(weights=weights, **values)
