"""The network that a fine-tuning run ships: chosen or refitted, exported, and proved to say what torch says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import IntArray
from graticule.finetune.export import check_parity, export_onnx
from graticule.finetune.fold import Campaign, Finished, finished_fold, load_network
from graticule.finetune.goal import FoldRows
from graticule.finetune.progress import Teller
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network
from graticule.training.pixels import map_pixels
from graticule.training.processes import Processes

PARITY_IMAGES = 64
MEAN_IMAGES = 512
_BLOCK = 64


@dataclass(frozen=True)
class Shipped:
    """The networks that the bundle holds, with their temperatures, and what they are."""

    members: list[Any]
    temperatures: list[float]
    words: str
    refit: dict[str, Any] | None
    warnings: list[str]


def choose_shipped(
    campaign: Campaign,
    finished: list[Finished],
    temperatures: list[float],
    training: IntArray,
    processes: Processes,
    teller: Teller,
) -> Shipped:
    """The network of the only fold, the networks of all folds, or one refitted on all cross-validated samples."""
    k = len(finished)
    if k == 1 or campaign.options.ensemble:
        words = f"mean of the {k} fold networks" if k > 1 else "the network of the training part"
        members = [load_network(campaign, result) for result in finished]
        return Shipped(members, temperatures, words, None, [])
    epochs = int(np.median([result.best_epoch for result in finished]))
    temperature = float(np.exp(np.mean(np.log(temperatures))))
    teller.refit()
    nothing = np.zeros(0, np.int64)
    rows = FoldRows(training, nothing, nothing)
    result = finished_fold(campaign, processes, "refit", rows, teller, until=epochs)
    words = f"one network refitted on all cross-validated images ({epochs} epochs, as the folds chose)"
    warning = (
        "the shipped network was refitted on all cross-validated images: its figures are estimates, from networks that "
        "each saw fewer images"
    )
    refit = {"epochs": epochs, "temperature": temperature, "history": result.history}
    return Shipped([load_network(campaign, result)], [temperature], words, refit, [warning])


def exported_network(shipped: Shipped, campaign: Campaign, training: IntArray) -> tuple[bytes, dict[str, Any]]:
    """The ONNX model, and how it agrees with torch on training images.

    Raises
    ------
    BackboneError
        When it does not.
    """
    last = campaign.goal.last_layer
    model = export_onnx(shipped.members, campaign.recipe.input_size, last)
    spread = np.linspace(0, len(training) - 1, min(len(training), PARITY_IMAGES)).astype(int)
    pixels = map_pixels(campaign.pixels)[training[np.unique(spread)]]
    parity = check_parity(model, shipped.members, np.ascontiguousarray(pixels), last=last)
    return model, dict(vars(parity))


def answered_as_shipped(encoder: Encoder, heads: list[Any], campaign: Campaign, rows: IntArray) -> NDArray[np.float64]:
    """Answers to the held-out part by the very files that are shipped, shape (len(rows), K)."""
    features = np.concatenate(list(_features(encoder, campaign, rows, encoder.views)))
    return campaign.goal.last_layer.said(heads, features)


def mean_as_shipped(encoder: Encoder, campaign: Campaign, training: IntArray) -> NDArray[np.float32]:
    """Mean features of the training images by the network that is shipped, shape (d,): what maps are measured from.

    One view of each image. Of more than 512 training images 512 are drawn at random, by the seed of the run.
    """
    if len(training) > MEAN_IMAGES:
        training = np.sort(np.random.default_rng(campaign.options.seed).choice(training, MEAN_IMAGES, replace=False))
    total = sum(
        (block.sum(axis=0, dtype=np.float64) for block in _features(encoder, campaign, training, 1)), np.zeros(())
    )
    return np.asarray(total / len(training), np.float32)


def _features(encoder: Encoder, campaign: Campaign, rows: IntArray, views: int) -> Iterator[NDArray[np.float32]]:
    """Features of the images in `rows`, block by block."""
    pixels = map_pixels(campaign.pixels)
    network = Network(encoder.model, encoder.output)
    for start in range(0, len(rows), _BLOCK):
        yield network.averaged(np.ascontiguousarray(pixels[rows[start : start + _BLOCK]]), views)
