"""Feature maps behind the frozen blocks, computed once for all folds into one file that stays on disk and is mapped.

    pixels ── as they are, and V times changed ──> frozen blocks ──> maps, float16 ── MapSource ──> the other blocks

Frozen blocks have the same weights in every fold, and what an epoch shows of an image does not depend on the fold: one
file serves all folds and the refit.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from graticule.arrays import IntArray
from graticule.errors import TrainingError
from graticule.files import check_regular
from graticule.finetune.batches import PixelSource
from graticule.finetune.network import Classifier
from graticule.training.memory import memory_told, new_array
from graticule.training.processes import Processes

_LARGEST = float(np.finfo(np.float16).max)
_ADVICE = (
    "Freeze more blocks, whose maps are smaller, or none; or choose a smaller --input-size, fewer --epochs (up to 16 "
    "views are kept)"
)


def write_maps(
    file: Path,
    source: PixelSource,
    network: Classifier,
    stop: int,
    views: int,
    rows: IntArray,
    processes: Processes,
    *,
    at_once: int,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Run the frozen blocks over the images as they are and over `views` changed ones.

    The file appears under its name only when it is complete: float16 of shape (n, 1 + views, C, h, w), n the images of
    the source. Several processes share the work; they must see the same folder.

    Parameters
    ----------
    file : Path
        A new .npy file.
    source : PixelSource
    network : Classifier
        On the source's device, a plain row of blocks; left in eval mode.
    stop : int
        Number of frozen blocks, at least 1.
    views : int
        Changed views per image; view 1 + v is what epoch v of plain training would show.
    rows : int array
        The images wanted; the others stay empty.
    processes : Processes
    at_once : int
        Images that each process computes at once.
    progress : callable, optional
        Told how many of `rows` are done.

    Raises
    ------
    TrainingError
        When there is no room for the file, memory does not suffice, or the maps go beyond float16.
    """
    network.eval()
    part = file.with_name(file.name + ".part")
    with torch.inference_mode():
        shape = (views + 1, *network.stage(source.clean(rows[:1]), 0, stop).shape[1:])
        if processes.main:
            new_array(part, np.float16, (len(source.pixels), *shape), _ADVICE)
        processes.wait()
        maps = np.load(part, mmap_mode="r+")
        for start in range(at_once * processes.rank, len(rows), at_once * processes.count):
            some = rows[start : start + at_once]
            for view in range(views + 1):
                with memory_told(at_once):
                    x = source.clean(some) if view == 0 else source.training(some, view - 1)
                    found = network.stage(x, 0, stop).cpu().numpy()
                if not np.abs(found).max() <= _LARGEST:
                    raise TrainingError(
                        f"the maps behind {stop} blocks of {network.spec.name} hold numbers beyond float16, in which "
                        "they are kept; freeze another number of blocks, or none"
                    )
                maps[some, view] = found
            if progress is not None:
                progress(min(len(rows), start + at_once * processes.count))
        maps.flush()
    del maps  # some systems move no file that is open
    processes.wait()
    if processes.main:
        part.replace(file)
    processes.wait()


def map_views(file: Path) -> NDArray[np.float16]:
    """The maps of a file written by `write_maps`, mapped read-only."""
    maps: NDArray[np.float16] = np.load(check_regular(file), mmap_mode="r")
    return maps
