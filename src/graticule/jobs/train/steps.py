"""Steps of training that do not ask what is learnt: the run folder, and the network with its reading of the images."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from graticule.directions.features import feature_names
from graticule.errors import ManifestError
from graticule.features.reader import settle
from graticule.features.samples import Samples, embed_samples, sorted_by_path
from graticule.images.reading import Reading
from graticule.jobs.train.options import TrainOptions
from graticule.manifest import Manifest
from graticule.networks.catalogue import encoder_of
from graticule.networks.device_choice import on_device
from graticule.networks.devices import candidates
from graticule.networks.encoder import Encoder, orientation_encoder
from graticule.networks.options import DEFAULT_BACKBONE, DEFAULT_VIEWS
from graticule.networks.pooling import ORIENTATION
from graticule.progress import Reporter
from graticule.runs import output_folder
from graticule.sources.sources import read_manifest
from graticule.sources.synthetic import read_synthetic, with_synthetic
from graticule.sources.targets import TargetColumn
from graticule.split.gate import admitted
from graticule.split.training_only import PICKED, training_only

if TYPE_CHECKING:
    from graticule.training.processes import Processes

WORK = "work"
_ADVICE = {  # for an interrupted run
    "features": "Training again goes on from the features that were cached by then",
    "finetune": "Or repeat the command with --resume: it goes on from the last checkpoint",
}


@contextlib.contextmanager
def run_folder(out: Path, options: TrainOptions, *, main: bool) -> Iterator[Path]:
    """The run folder, made by the main process alone."""
    if not main:
        yield out
        return
    with output_folder(out, "run", resume=options.resume, advice=_ADVICE[options.method]) as folder:
        yield folder


def read_training(data: Path, options: TrainOptions, target: TargetColumn | None = None) -> Manifest:
    """The samples of the data with the synthetic images that were named, in the order of their paths."""
    manifest = read_manifest(data, root=options.root, group=options.group, target=target)
    if options.synthetic is not None:
        manifest = with_synthetic(manifest, read_synthetic(options.synthetic))
    return sorted_by_path(manifest)


def not_held_back(manifest: Manifest, options: TrainOptions) -> tuple[Manifest, list[str]]:
    """Samples with an answer that no gate of synthetic images holds back; what the report says of these.

    Raises
    ------
    ManifestError
    """
    check_not_all_picked(manifest)
    return admitted(manifest, allow_unproven=options.allow_unproven)


def network_and_reading(manifest: Manifest, options: TrainOptions, reporter: Reporter) -> tuple[Encoder, Reading]:
    """How the images are read, and the network that embeds them.

    Where only orientation statistics are looked at, there is no network. One that is to be trained gets its input
    later; what its images have in common with each other is then told by the embedded network.
    """
    frozen = options.method == "features"
    if frozen and options.target is not None and options.features == ORIENTATION:
        encoder = orientation_encoder(len(feature_names()))
    elif frozen:  # the number of views is settled later
        encoder = encoder_of(options.backbone, views=DEFAULT_VIEWS, weights=options.weights)
    else:
        encoder = encoder_of(DEFAULT_BACKBONE, views=1)
    encoder, reading = settle(manifest, encoder, options, workers=options.workers, reporter=reporter)
    return on_device(encoder, options.device, options.batch_size) if frozen else encoder, reading


def processes_of(options: TrainOptions) -> Processes | None:
    """The processes that train a network together; None for frozen features."""
    if options.method != "finetune":
        candidates(options.device)  # one that is not installed is told before anything is read
        return None
    from graticule.finetune.method import start_processes

    return start_processes(options)


def embed_first(
    manifest: Manifest, encoder: Encoder, options: TrainOptions, processes: Processes | None, reporter: Reporter
) -> Samples:
    """The samples with their features by an embedded network, by the main process first where there are several."""
    # of a network that is trained it is the batch of a training step
    batch_size = options.batch_size if processes is None else None

    def embed() -> Samples:
        return embed_samples(manifest, encoder, workers=options.workers, batch_size=batch_size, reporter=reporter)

    return embed() if processes is None else processes.on_main_first(embed)


def check_not_all_picked(manifest: Manifest) -> None:
    """Refuse images that may all only train: nothing could test the model.

    Raises
    ------
    ManifestError
    """
    if len(manifest) and (training_only(manifest) == PICKED).all():
        raise ManifestError(
            "every label was picked on purpose by a review queue (column sampling_prob is empty): nothing could test "
            "the model. Export with --data DATA, which adds images of the data set, or review the control sample too"
        )
