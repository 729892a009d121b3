"""Feature maps behind the frozen blocks, computed once for all folds into one file that stays on disk and is mapped.

    pixels ── as they are, and V times changed ──> frozen blocks ──> maps, float16 ── MapSource ──> the other blocks

Frozen blocks have the same weights in every fold, and what an epoch shows of an image depends on neither: one file
serves all folds and the refit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from graticule.errors import TrainingError
from graticule.finetune.network import Classifier
from graticule.finetune.processes import Processes
from graticule.finetune.sources import PixelSource

IntArray = NDArray[np.int64]
_AT_ONCE = 64


def write_maps(
    file: Path,
    source: PixelSource,
    network: Classifier,
    stop: int,
    views: int,
    rows: IntArray,
    processes: Processes,
    *,
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
        The images wanted; the others stay empty and take no room on most disks.
    processes : Processes
    progress : callable, optional
        Told how many of `rows` are done.

    Raises
    ------
    TrainingError
        When there is no room for the file.
    """
    network.eval()
    part = file.with_name(file.name + ".part")
    with torch.inference_mode():
        shape = (views + 1, *network.stage(source.clean(rows[:1]), 0, stop).shape[1:])
        if processes.main:
            _check_room(part.parent, 2 * len(rows) * prod(shape), stop)
            np.lib.format.open_memmap(part, mode="w+", dtype=np.float16, shape=(len(source.pixels), *shape)).flush()
        processes.wait()
        maps = np.load(part, mmap_mode="r+")
        for start in range(_AT_ONCE * processes.rank, len(rows), _AT_ONCE * processes.count):
            some = rows[start : start + _AT_ONCE]
            for view in range(views + 1):
                x = source.clean(some) if view == 0 else source.training(some, view - 1)
                maps[some, view] = network.stage(x, 0, stop).cpu().numpy().astype(np.float16)
            if progress is not None:
                progress(min(len(rows), start + _AT_ONCE * processes.count))
        maps.flush()
    del maps  # some systems move no file that is open
    processes.wait()
    if processes.main:
        part.replace(file)
    processes.wait()


def map_views(file: Path) -> NDArray[np.float16]:
    """The maps of a file written by `write_maps`, mapped read-only."""
    maps: NDArray[np.float16] = np.load(file, mmap_mode="r")
    return maps


def _check_room(folder: Path, needed: int, stop: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise TrainingError(
            f"the maps behind {stop} frozen blocks need {needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB "
            "are free. Freeze more blocks, whose maps are smaller, or none; or choose a smaller --input-size, fewer "
            "--epochs (up to 16 views are kept), or an --out on another disk"
        )
