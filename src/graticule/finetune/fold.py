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
from graticule.finetune.goal import FoldRows, Goal
from graticule.finetune.head import head_first
from graticule.finetune.logits import score_views
from graticule.finetune.network import NetworkSpec, build_network
from graticule.finetune.options import FinetuneOptions
from graticule.finetune.recipe import Circumstances, Recipe, choose_recipe
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
    goal : Goal
        What for.
    names : object array of str, shape (n,)
        Paths, for messages.
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

    goal: Goal
    names: NDArray[np.object_]
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
class FoldAnswers:
    """The temperature of a fold's scores (1: none), and its answers to the rows held out, shape (n_held, K)."""

    temperature: float
    answers: NDArray[np.float64]


def settle_recipe(
    options: FinetuneOptions,
    spec: NetworkSpec,
    network: Any,
    goal: Goal,
    rows: IntArray,
    processes: Processes,
    *,
    ultrasound: bool,
) -> Recipe:
    """The recipe for some training samples."""
    largest, smallest = goal.class_sizes(rows)
    found = Circumstances(
        n_train=len(rows),
        largest=largest,
        smallest=smallest,
        sized=goal.outputs == 1,
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


def judge_fold(campaign: Campaign, processes: Processes, result: Finished, rows: FoldRows) -> FoldAnswers:
    """Settle the answers on the rows that chose the epoch, and answer to those held out; averaged over the views."""
    network = load_network(campaign, result).to(processes.device, memory_format=torch.channels_last)
    pixels = _pixel_source(campaign, processes)

    def logits(some: IntArray) -> NDArray[np.float32]:
        views, at_once = campaign.options.views_settled, campaign.recipe.at_once
        return score_views(network, pixels, some, processes, views=views, at_once=at_once)

    temperature = 1.0
    if len(rows.validation):
        temperature = campaign.goal.settle(logits(rows.validation), rows.validation)
    return FoldAnswers(temperature, campaign.goal.answers(logits(rows.held), temperature))


def load_network(campaign: Campaign, result: Finished) -> Any:
    """The network of a finished fold, on the processor, ready to predict."""
    options = campaign.options
    network, _ = build_network(options.backbone, campaign.goal.outputs, weights="none", seed=options.seed)
    network.load_state_dict(result.weights)
    return network.eval()


def _trained(
    campaign: Campaign, processes: Processes, saved: Saved, rows: FoldRows, watch: Watch, until: int | None
) -> Finished:
    recipe, options = campaign.recipe, campaign.options
    network, _ = build_network(
        options.backbone, campaign.goal.outputs, weights=options.weights, seed=options.seed, drop_rate=recipe.drop_rate
    )
    if processes.gpu and processes.count > 1:
        network.synchronise()
    network = network.to(processes.device, memory_format=torch.channels_last)
    pixels = _pixel_source(campaign, processes)
    source: BatchSource = pixels
    if campaign.maps is not None:
        source = MapSource(map_views(campaign.maps), recipe.frozen_blocks, processes.device, seed=options.seed)
    objective = campaign.goal.objective(rows, source, recipe, campaign.names, options.seed)
    if options.weights != "none" and not saved.file.exists():
        head_first(network, campaign.goal, objective, processes)
    trainee = trainee_of(network, source.start, recipe)
    trained = fit_network(trainee, objective, recipe, processes, watch=watch, saved=saved, until=until)
    campaign.goal.finish(trained.network, rows.train)
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
