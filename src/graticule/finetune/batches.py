"""What the training loop is fed with: pixels changed on the fly, or cached feature maps of changed pixels."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from graticule.arrays import IntArray
from graticule.finetune.augment import Rows, augment, draw


class BatchSource(Protocol):
    """Batches on the device, ready for block `start` of the network."""

    start: int

    def training(self, rows: IntArray, epoch: int) -> torch.Tensor:
        """The samples of some rows as they are shown in an epoch of training."""

    def clean(self, rows: IntArray) -> torch.Tensor:
        """The samples of some rows as prediction sees them."""


class PixelSource:
    """Images from the pixel store, augmented and normalised on the device.

    Parameters
    ----------
    pixels : uint8 array, shape (n, size, size, 3)
        May be a memory map.
    mean, std : sequences of 3 float
        Normalisation of values 0 to 255.
    device : torch.device
    preset : str
        See `augment`; "none" shows the images as they are.
    seed : int
    pictures : sequence of n (first row, end row) or None, optional
        See `augment.augment`.
    """

    start = 0

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device,
        *,
        preset: str,
        seed: int,
        pictures: Sequence[Rows | None] | None = None,
    ) -> None:
        self.pixels, self.preset, self.seed = pixels, preset, seed
        self.pictures = pictures if pictures is not None and any(pictures) else None
        self._device = device
        self._mean = torch.tensor(mean, dtype=torch.float32, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(std, dtype=torch.float32, device=device).view(1, 3, 1, 1)

    def training(self, rows: IntArray, epoch: int) -> torch.Tensor:
        """Augmented, normalised, channels last; shape (n, 3, size, size)."""
        x = self._loaded(rows)
        if self.preset != "none":
            pictures = None if self.pictures is None else [self.pictures[row] for row in rows]
            x = augment(x, draw(rows, preset=self.preset, seed=self.seed, epoch=epoch), self.preset, pictures)
        return self._normalised(x)

    def clean(self, rows: IntArray) -> torch.Tensor:
        """Normalised, channels last; shape (n, 3, size, size)."""
        return self._normalised(self._loaded(rows))

    def _loaded(self, rows: IntArray) -> torch.Tensor:
        batch = torch.from_numpy(np.ascontiguousarray(self.pixels[rows]))
        if self._device.type == "cuda":
            batch = batch.pin_memory()
        return batch.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float()

    def _normalised(self, x: torch.Tensor) -> torch.Tensor:
        return ((x - self._mean) / self._std).contiguous(memory_format=torch.channels_last)


class MapSource:
    """Feature maps behind the frozen blocks, computed once for several changed views of each image.

    Parameters
    ----------
    views : float16 array, shape (n, V, C, h, w)
        View 0 is the image as it is. May be a memory map.
    start : int
        The block that the maps are the input of.
    device : torch.device
    seed : int
    """

    def __init__(self, views: NDArray[np.float16], start: int, device: torch.device, *, seed: int) -> None:
        self.views, self.start, self._device, self.seed = views, start, device, seed

    def training(self, rows: IntArray, epoch: int) -> torch.Tensor:
        """A view of each sample: within V - 1 epochs each changed view comes once, in an order of its own."""
        changed = self.views.shape[1] - 1
        if changed == 0:
            return self.clean(rows)
        lap, place = divmod(epoch, changed)
        view = [1 + np.random.default_rng([self.seed, 4, lap, int(row)]).permutation(changed)[place] for row in rows]
        return self._loaded(self.views[rows, view])

    def clean(self, rows: IntArray) -> torch.Tensor:
        """The maps of the images as they are."""
        return self._loaded(self.views[rows, 0])

    def _loaded(self, maps: NDArray[np.float16]) -> torch.Tensor:
        batch = torch.from_numpy(np.ascontiguousarray(maps)).to(self._device)
        return batch.float().contiguous(memory_format=torch.channels_last)
