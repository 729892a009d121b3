"""A run of a number in seconds: pictures in groups, a planted number, and features that tell it with some noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.jobs.drawn import N_FEATURES, Drawn

N_VALUED, N_VALUED_GROUPS = 120, 24


class DrawnValues(Drawn):
    """Pictures with a number each, `values` of shape (n,), alike within a group."""

    values: NDArray[np.float64]
    group: list[str]

    def plant(self, seed: int = 0, noise: float = 0.5) -> None:
        """Draw numbers between 0 and 1, and features in which they stand."""
        rng = np.random.default_rng(seed)
        code = np.arange(self.n) % N_VALUED_GROUPS
        self.group = [f"s{g:02d}" for g in code]
        self.values = np.clip(rng.uniform(0.1, 0.9, N_VALUED_GROUPS)[code] + rng.normal(0, 0.1, self.n), 0, 1).round(6)
        raw = 3 + 4 * self.values[:, None] * rng.normal(size=N_FEATURES) + noise * rng.normal(size=(self.n, N_FEATURES))
        self.features = np.asarray(np.sign(raw) * raw**2, np.float32)

    def value_table(self, name: str = "values.csv", column: str = "fraction", **more: list[str]) -> Path:
        """A manifest without labels, beside the folder."""
        rows = [",".join(["path", column, "group", *more])]
        for i in range(self.n):
            cells = [f"{self.folder.name}/{i:05d}.png", f"{self.values[i]!r}", self.group[i]]
            rows.append(",".join([*cells, *(cell[i] for cell in more.values())]))
        file = self.folder.parent / name
        file.write_text("\n".join(rows).replace("np.float64(", "").replace(")", "") + "\n")
        return file
