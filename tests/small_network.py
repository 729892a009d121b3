"""A small data set and a small network for the training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

NETWORK = "test_efficientnet"  # timm's network for tests: 0.4 million weights, batch normalisation, 8 blocks


def stripes(n: int, size: int = 32, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """n pictures of 3 classes: fine stripes, coarse stripes, none; noise over all, each at an angle of its own."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    row, column = np.mgrid[:size, :size]
    pictures = []
    for label in y:
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        period = {0: 4.0, 1: 10.0, 2: np.inf}[int(label)]
        wave = np.sin((row * np.sin(angle) + column * np.cos(angle)) * 2 * np.pi / period + phase)
        pictures.append(128 + 40 * wave * np.isfinite(period) + rng.normal(0, 15, (size, size)))
    grey = np.clip(pictures, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3), y.astype(np.int64)


@dataclass
class Small:
    """All that `fit_network` needs; `run` trains a fresh network."""

    y: NDArray[np.int64]
    recipe: Any
    pixels: NDArray[np.uint8]
    processes: Any

    @property
    def names(self) -> NDArray[np.object_]:
        return np.array([f"{i}.png" for i in range(len(self.y))], dtype=object)

    def network(self) -> Any:
        from graticule.finetune.network import build_network

        return build_network(NETWORK, 3, weights="none", seed=0, drop_rate=0.2)[0]

    def source(self, network: Any) -> Any:
        from graticule.finetune.batches import PixelSource

        mean, std = network.spec.mean, network.spec.std
        return PixelSource(self.pixels, mean, std, self.processes.device, preset=self.recipe.augment, seed=0)

    def objective(self, source: Any, recipe: Any = None, n_train: int = 66, end: int = 96) -> Any:
        """Tell the classes apart; the rows from `n_train` to `end` choose the epoch."""
        from graticule.finetune.objective import ClassObjective

        train, validation = np.arange(n_train), np.arange(n_train, end)
        return ClassObjective(self.y, train, validation, 3, 0, self.names, source, recipe or self.recipe)

    def fit(self, network: Any, objective: Any, recipe: Any = None, **more: Any) -> Any:
        from graticule.finetune.blocks import trainee_of
        from graticule.training.loop import fit_network

        recipe = recipe or self.recipe
        trainee = trainee_of(network, objective.source.start, recipe)
        return fit_network(trainee, objective, recipe, self.processes, **more)

    def run(self, file: Path | None = None, *, watch: Any = None, **changes: Any) -> Any:
        from graticule.training.loop import Saved

        network, recipe = self.network(), replace(self.recipe, **changes)
        saved = None if file is None else Saved(file, "this run")
        objective = self.objective(self.source(network), recipe)
        return self.fit(network, objective, recipe, watch=watch, saved=saved)


@pytest.fixture(scope="session")
def small() -> Small:
    pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")
    from graticule.finetune.recipe import Recipe
    from graticule.training.processes import Processes

    pixels, y = stripes(96)
    recipe = Recipe(epochs=3, batch_size=16, input_size=32, lr=3e-3, layer_decay=1.0, statistics="learned")
    return Small(y, recipe, pixels, Processes("cpu"))


@pytest.fixture(scope="session")
def weights_of() -> Callable[[Any], dict[str, Any]]:
    return lambda trained: {k: v.clone() for k, v in trained.network.state_dict().items()}
