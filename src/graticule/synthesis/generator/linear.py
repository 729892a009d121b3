"""A generator in seconds: principal components of the canvas, and a small network that takes noise from them.

Diffusion in the space of components, preconditioned as by Karras et al. ("Elucidating the design space of
diffusion-based generative models", 2022), drawn by Heun's method. One network learns all classes, the rare ones drawn
more often: what the common ones have in common with them slows copying. Its pictures are smooth: what the components
leave out is not drawn.
"""

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

from graticule.arrays import Float32Array, FloatArray, IntArray
from graticule.split.duplicates.symmetry import SYMMETRIES, symmetric

COMPONENTS = 128
HIDDEN = (256, 256, 256)
BATCH = 128
LEARNING_RATE = 1e-3
# a class of n images is drawn as if it had n to this power
BALANCE = 0.25
_SIGMA_LEAST, _SIGMA_MOST, _RHO = 0.01, 20.0, 7.0
_SIGMA_MEAN, _SIGMA_SPREAD = -1.0, 1.2
_DRAWN_IN = 18
_DECAY = 0.999


@dataclass(frozen=True)
class Canvases:
    """Real images that a generator learns from.

    Attributes
    ----------
    pixels : float32 array, shape (n, side, side) or (n, side, side, 3)
        0 to 1, see `graticule.synthesis.canvas.to_canvas`.
    y : int array, shape (n,)
        Classes, 0 to k - 1.
    """

    pixels: Float32Array
    y: IntArray


class LinearGenerator:
    """Learns step by step; what it is at any step can draw.

    Parameters
    ----------
    real : Canvases
        Two images or more of each class.
    n_classes : int
    turned : bool
        Whether the eight symmetries of the square are as likely as the picture itself.
    seed : int
    """

    def __init__(self, real: Canvases, n_classes: int, *, turned: bool, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.shape = real.pixels.shape[1:]
        self.n_classes = n_classes
        every = turned_canvases(real.pixels) if turned else real.pixels[None]
        rows = every.reshape(every.shape[0] * every.shape[1], -1)
        n_components = min(COMPONENTS, len(real.y) - 1, rows.shape[1])
        self._pca = PCA(n_components, svd_solver="randomized", random_state=seed).fit(rows)
        self._scale = np.sqrt(self._pca.explained_variance_).clip(1e-6)
        self._latent = (self._pca.transform(rows) / self._scale[0]).reshape(len(every), len(real.y), -1)
        self._spread = float(self._latent.std())
        counts = np.bincount(real.y, minlength=n_classes)
        weight = counts[real.y] ** (BALANCE - 1.0)
        self._chance = weight / weight.sum()
        self._y = real.y
        self._network = MLPRegressor(
            hidden_layer_sizes=HIDDEN,
            activation="relu",
            solver="adam",
            alpha=0.0,
            batch_size=BATCH,
            learning_rate_init=LEARNING_RATE,
            random_state=seed,
        )
        self._mean: list[FloatArray] = []
        self.steps = 0

    def learn(self, steps: int) -> None:
        """Go on by so many steps of `BATCH` noisy images each."""
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(steps):
                self._step()

    def _step(self) -> None:
        rng = self._rng
        rows = rng.choice(len(self._y), BATCH, p=self._chance)
        clean = self._latent[rng.integers(len(self._latent), size=BATCH), rows]
        sigma = np.exp(rng.normal(_SIGMA_MEAN, _SIGMA_SPREAD, BATCH))[:, None] * self._spread * 2
        noisy = clean + sigma * rng.normal(size=clean.shape)
        kept, told, _ = self._conditioning(sigma)
        self._network.partial_fit(self._seen(noisy, sigma, self._y[rows]), (clean - kept * noisy) / told)
        self.steps += 1
        now = [*self._network.coefs_, *self._network.intercepts_]
        decay = min(_DECAY, (1 + self.steps) / (10 + self.steps))
        if not self._mean:
            self._mean = [part.copy() for part in now]
        for mean, part in zip(self._mean, now, strict=True):
            mean += (1 - decay) * (part - mean)

    def _conditioning(self, sigma: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """How much of the noisy image is kept, what the network's answer is worth, and what its input is divided by."""
        total = np.sqrt(sigma**2 + self._spread**2)
        return self._spread**2 / total**2, sigma * self._spread / total, total

    def _seen(self, noisy: FloatArray, sigma: FloatArray, y: IntArray) -> FloatArray:
        level = np.log(sigma) / 4
        waves = [np.cos(np.pi * level * k) for k in (1, 2, 4)] + [np.sin(np.pi * level * k) for k in (1, 2, 4)]
        return np.concatenate([noisy / self._conditioning(sigma)[2], level, *waves, np.eye(self.n_classes)[y]], axis=1)

    def _denoised(self, noisy: FloatArray, sigma: float, y: IntArray) -> FloatArray:
        level = np.full((len(noisy), 1), sigma)
        kept, told, _ = self._conditioning(level)
        half = len(self._mean) // 2
        values = self._seen(noisy, level, y)
        for i in range(half):
            values = values @ self._mean[i] + self._mean[half + i]
            if i < half - 1:
                values = np.maximum(values, 0)
        return np.asarray(kept * noisy + told * values, float)

    def state(self) -> tuple[int, list[FloatArray]]:
        """The steps so far and the weights that draw."""
        return self.steps, [part.copy() for part in self._mean]

    def restore(self, state: tuple[int, list[FloatArray]]) -> None:
        """Draw as at an earlier step; it does not learn from there on."""
        self.steps, self._mean = state

    def tensors(self) -> dict[str, FloatArray]:
        """All that drawing needs, by name, for a file."""
        half = len(self._mean) // 2
        return {
            "mean": self._pca.mean_,
            "components": self._pca.components_,
            "scale": self._scale[:1],
            "spread": np.array([self._spread]),
            **{f"layer{i}.weight": self._mean[i] for i in range(half)},
            **{f"layer{i}.bias": self._mean[half + i] for i in range(half)},
        }

    def draw(self, y: IntArray, rng: np.random.Generator) -> Float32Array:
        """New images of classes, by the mean of the weights so far.

        Parameters
        ----------
        y : int array, shape (n,)
        rng : numpy.random.Generator

        Returns
        -------
        float32 array, shape (n, side, side) or (n, side, side, 3)
            0 to 1.
        """
        ramp = np.linspace(0, 1, _DRAWN_IN)
        most, least = _SIGMA_MOST ** (1 / _RHO), _SIGMA_LEAST ** (1 / _RHO)
        sigmas = [*((most + ramp * (least - most)) ** _RHO * self._spread), 0.0]
        latent = rng.normal(size=(len(y), self._latent.shape[2])) * sigmas[0]
        with threadpool_limits(1):
            for now, then in pairwise(sigmas):
                slope = (latent - self._denoised(latent, now, y)) / now
                ahead = latent + (then - now) * slope
                if then > 0:
                    slope = (slope + (ahead - self._denoised(ahead, then, y)) / then) / 2
                    ahead = latent + (then - now) * slope
                latent = ahead
            pixels = self._pca.inverse_transform(latent * self._scale[0])
        return np.asarray(pixels.reshape(len(y), *self.shape).clip(0, 1), np.float32)


def turned_canvases(pixels: Float32Array) -> Float32Array:
    """The eight symmetries of canvases, shape (8, n, ...)."""
    moved = np.moveaxis(pixels, 3, 1) if pixels.ndim == 4 else pixels
    turned = np.stack([symmetric(moved, s) for s in range(SYMMETRIES)])
    return np.moveaxis(turned, 2, 4) if pixels.ndim == 4 else turned
