"""Random changes of training images that leave their class as it is, for two ways of taking images.

microscopy: the eight symmetries of the square, small changes of scale, brightness and contrast, blur, noise.
unscaled: the same at the scale of the image, for numbers that are sizes.
ultrasound: left to right, gain, depth (the lower part is cut off, as when the sonographer chooses less depth).

A picture whose info bar was kept is mirrored and changed above or below its bar only. All draws of a sample come from
its own generator (`order.sample_generator`), in a fixed number, so they do not depend on batches or processes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from graticule.training.order import sample_generator

_SCALE, _SHIFT = 0.1, 0.04
_BRIGHTNESS, _CONTRAST, _GAIN = 20.0, 0.2, 0.25
_BLUR_SHARE, _BLUR = 0.2, (0.3, 1.1)
_NOISE_SHARE, _NOISE = 0.3, 7.0
_DEPTH = 0.2
_TAPS = 7

Rows = tuple[int, int]


@dataclass(frozen=True)
class Draws:
    """Random numbers of one batch.

    Attributes
    ----------
    symmetry : int array, shape (n,)
        0 to 3: quarter turns; 4 to 7: the same of the mirror image.
    zoom, shift_x, shift_y : float arrays, shape (n,)
        Factor; shifts as shares of half the picture.
    brightness, contrast : float arrays, shape (n,)
        Grey levels added; factor around the picture's mean.
    blur, noise : float arrays, shape (n,)
        Standard deviations in pixels and grey levels; 0: none.
    depth : float array, shape (n,)
        Share of the lower part cut off.
    noise_seed : int array, shape (n,)
    """

    symmetry: NDArray[np.int64]
    zoom: NDArray[np.float32]
    shift_x: NDArray[np.float32]
    shift_y: NDArray[np.float32]
    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    blur: NDArray[np.float32]
    noise: NDArray[np.float32]
    depth: NDArray[np.float32]
    noise_seed: NDArray[np.int64]


def draw(samples: Iterable[int], *, preset: str, seed: int, epoch: int) -> Draws:
    """The random numbers of some samples in one epoch.

    Parameters
    ----------
    samples : iterable of int
        Row numbers of the samples in the data.
    preset : "microscopy", "unscaled" or "ultrasound"
    seed, epoch : int
    """
    u = np.stack([sample_generator(seed, epoch, int(sample)).random(10) for sample in samples])
    signed = (2.0 * u - 1.0).astype(np.float32)
    nothing = np.zeros(len(u), np.float32)
    noise_seed = (u[:, 9] * 2**62).astype(np.int64)
    if preset == "ultrasound":
        return Draws(
            symmetry=np.where(u[:, 0] < 0.5, 0, 6).astype(np.int64),  # 6: mirrored, turned by half: left to right
            zoom=nothing + 1,
            shift_x=nothing,
            shift_y=nothing,
            brightness=nothing,
            contrast=1 + _GAIN * signed[:, 4],
            blur=nothing,
            noise=_noise(u),
            depth=(_DEPTH * u[:, 1]).astype(np.float32),
            noise_seed=noise_seed,
        )
    return Draws(
        symmetry=np.minimum(7, 8 * u[:, 0]).astype(np.int64),
        zoom=nothing + 1 if preset == "unscaled" else np.exp(_SCALE * signed[:, 1]),
        shift_x=_SHIFT * signed[:, 2],
        shift_y=_SHIFT * signed[:, 3],
        brightness=_BRIGHTNESS * signed[:, 4],
        contrast=np.exp(_CONTRAST * signed[:, 5]),
        blur=_blur(u),
        noise=_noise(u),
        depth=nothing,
        noise_seed=noise_seed,
    )


def _noise(u: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.where(u[:, 7] < _NOISE_SHARE, _NOISE * u[:, 8], 0.0).astype(np.float32)


def _blur(u: NDArray[np.float64]) -> NDArray[np.float32]:
    least, most = _BLUR
    # among those chosen, u / share is again even between 0 and 1
    return np.where(u[:, 6] < _BLUR_SHARE, least + (most - least) * u[:, 6] / _BLUR_SHARE, 0.0).astype(np.float32)


def augment(x: torch.Tensor, draws: Draws, preset: str, pictures: Sequence[Rows | None] | None = None) -> torch.Tensor:
    """Change a batch.

    Parameters
    ----------
    x : float tensor, shape (n, 3, s, s)
        Values 0 to 255, on any device.
    draws : Draws
        Of the same n samples.
    preset : "microscopy", "unscaled" or "ultrasound"
    pictures : sequence of n (first row, end row) or None, optional
        Where a kept info bar leaves the picture; None: the whole is the picture.

    Returns
    -------
    float tensor, shape (n, 3, s, s), values 0 to 255
    """
    if pictures is not None and any(rows is not None for rows in pictures):
        return _beside_bars(x, draws, preset, pictures)
    x = _turned(x, draws.symmetry)
    x = _cut_depth(x, draws.depth) if preset == "ultrasound" else _moved(x, draws)
    return _lit(x, draws, preset)


def _beside_bars(x: torch.Tensor, draws: Draws, preset: str, pictures: Sequence[Rows | None]) -> torch.Tensor:
    """Sample by sample: what lies beside a bar is mirrored and changed in place, the bar stays as it is."""
    changed = []
    for i, rows in enumerate(pictures):
        one = _of_one(draws, i)
        if rows is None:
            changed.append(augment(x[i : i + 1], one, preset))
            continue
        start, stop = rows
        picture = x[i : i + 1, :, start:stop]
        picture = torch.flip(picture, _flips(int(one.symmetry[0]), preset))
        whole = x[i : i + 1].clone()
        whole[:, :, start:stop] = _lit(picture, one, preset)
        changed.append(whole)
    return torch.cat(changed)


def _flips(symmetry: int, preset: str) -> list[int]:
    """Axes to flip: of the eight symmetries only mirror images and the half turn fit a strip."""
    if preset == "ultrasound":
        return [3] if symmetry else []
    return [axis for axis, bit in ((3, 1), (2, 2)) if symmetry & bit]


def _of_one(draws: Draws, i: int) -> Draws:
    return Draws(**{name: value[i : i + 1] for name, value in vars(draws).items()})


def _turned(x: torch.Tensor, symmetry: NDArray[np.int64]) -> torch.Tensor:
    """Each picture under its symmetry."""
    turned = torch.empty_like(x)
    for code in np.unique(symmetry):
        mine = torch.from_numpy(np.flatnonzero(symmetry == code)).to(x.device)
        part = x[mine]
        if code >= 4:
            part = torch.flip(part, [2])
        turned[mine] = torch.rot90(part, int(code) % 4, (2, 3))
    return turned


def _moved(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Each picture scaled and shifted a little; what comes in from outside is the mirror image of what is there."""
    theta = torch.zeros((len(x), 2, 3), dtype=x.dtype)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.from_numpy(1.0 / draws.zoom)
    theta[:, 0, 2], theta[:, 1, 2] = torch.from_numpy(draws.shift_x), torch.from_numpy(draws.shift_y)
    grid = functional.affine_grid(theta.to(x.device), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _cut_depth(x: torch.Tensor, depth: NDArray[np.float32]) -> torch.Tensor:
    """Each picture without a share of its lower part, stretched to its former height."""
    theta = torch.zeros((len(x), 2, 3), dtype=x.dtype)
    kept = torch.from_numpy(1.0 - depth)
    theta[:, 0, 0] = 1.0
    theta[:, 1, 1] = kept
    theta[:, 1, 2] = kept - 1.0
    grid = functional.affine_grid(theta.to(x.device), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _lit(x: torch.Tensor, draws: Draws, preset: str) -> torch.Tensor:
    """Brightness, contrast or gain, blur and noise."""
    contrast = _column(draws.contrast, x)
    if preset == "ultrasound":
        x = x * contrast  # gain: black stays black
    else:
        centre = x.mean(dim=(1, 2, 3), keepdim=True)
        x = (x - centre) * contrast + centre + _column(draws.brightness, x)
    for i in np.flatnonzero(draws.blur > 0):
        x[i] = _blurred(x[i], float(draws.blur[i]))
    for i in np.flatnonzero(draws.noise > 0):
        generator = torch.Generator(device=x.device).manual_seed(int(draws.noise_seed[i]))
        # one channel: the noise of a detector, not of a colour
        grain = torch.randn(x.shape[2:], generator=generator, device=x.device, dtype=x.dtype)
        x[i] += float(draws.noise[i]) * grain
    return x.clamp_(0.0, 255.0)


def _column(values: NDArray[np.float32], x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(values).to(x.device, x.dtype).view(-1, 1, 1, 1)


def _blurred(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """A picture (3, h, w) blurred by a Gaussian."""
    place = torch.arange(_TAPS, device=x.device, dtype=x.dtype) - _TAPS // 2
    taps = torch.exp(-0.5 * (place / sigma) ** 2)
    taps = (taps / taps.sum()).view(1, 1, 1, _TAPS)
    half = _TAPS // 2
    padded = functional.pad(x[:, None], (half, half, half, half), mode="replicate")
    return functional.conv2d(functional.conv2d(padded, taps), taps.transpose(2, 3))[:, 0]
