"""A small finished run of numbers with real files, to write pages from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from graticule.arrays import object_array
from graticule.decide.value_assessment import assess_intervals
from graticule.decide.value_intervals import fit_intervals, held_out_limits
from graticule.evaluate.values.summary import summarise_values
from graticule.manifest import Manifest, sample_id_of
from graticule.values import Values

WriteValues = Callable[..., Path]
BOUNDS = (0.0, 1.0)


def value_run_json(root: Path, n: int, grouped: bool, verb: str) -> dict[str, Any]:
    """A run.json as `train` or `evaluate` writes it."""
    return {
        "schema_version": 1,
        "task": "regression",
        "verb": verb,
        "graticule_version": "0.1.0",
        "created_utc": "2026-01-02T03:04:05Z",
        "command": "graticule train DATA --target fraction --out RUN",
        "options": {"target": "fraction", "folds": 5},
        "seed": 0,
        "packages": {"python": "3.11.7"},
        "platform": "Linux-x86_64, 2 cores",
        "wall_time_s": 12.0,
        "data": {
            "source": "/data/wires", "root": str(root), "sha256": "ab" * 32, "n": n,
            "group_column": "specimen" if grouped else None,
        },
        "embedding": {"backbone": "lite0", "input_size": 224, "views": 4, "source": "where it is from"},
        "folds": {"k": 5, "strategy": "values"},
        "head": {
            "features": "auto",
            "folds": [{"fold": f, "kind": "ridge", "settings": [{"penalty": 10.0}], "features": ["network"],
                       "inner_mae": 0.08} for f in range(5)],
        },
        "leaks": [],
        "warnings": [],
    }  # fmt: skip


@pytest.fixture
def write_values(tmp_path: Path) -> WriteValues:
    """Write a run folder of predicted numbers; n_groups groups of `size` images each, 0 groups: none."""

    def write(n_groups: int = 24, size: int = 5, *, verb: str = "train", name: str = "run", noise: float = 0.06,
              pictures: int = 40, unit: str = "", scale: float = 1.0) -> Path:  # fmt: skip
        rng = np.random.default_rng(0)
        folder, root = tmp_path / name, tmp_path / "images"
        folder.mkdir()
        root.mkdir(exist_ok=True)
        n = max(n_groups, 1) * size
        code = np.repeat(np.arange(max(n_groups, 1)), size)
        group = object_array([f"s{g:02d}" for g in code]) if n_groups else None
        target = np.clip(rng.uniform(0, 1, max(n_groups, 1))[code] + 0.1 * rng.normal(size=n), 0, 1)
        value = np.clip(0.1 + 0.8 * target + noise * rng.normal(size=code.max() + 1)[code] + noise * rng.normal(size=n),
                        0, 1)  # fmt: skip
        path = object_array([f"{i:03d}.png" for i in range(n)])
        if pictures:
            for p, y in zip(path[:pictures], target, strict=False):
                PIL.Image.fromarray((rng.uniform(0, 255, (24, 32)) * y).astype(np.uint8)).save(root / str(p))
        target, value, bounds = target * scale, value * scale, (0.0, scale)
        low, high = held_out_limits(target, value, group, None, bounds=bounds)
        fold = (code if n_groups else np.arange(n)) % 5
        baselines = {"mean": np.full(n, target.mean()), "Local Gradient Orientation": 0.5 * target + 0.3 * scale}
        sample_id = object_array([sample_id_of(str(p)) for p in path])
        part = object_array(["test" if verb == "evaluate" else "cv"] * n)
        values = Values(sample_id, path, part, np.full(n, -1) if verb == "evaluate" else fold, target, value, low, high,
                        0.9, group, baselines)  # fmt: skip
        values.write(folder / "predictions.parquet")
        figures = summarise_values(target, value, group, train_mean=baselines["mean"], baselines=baselines,
                                   tolerance=0.05 * scale, bounds=bounds)  # fmt: skip
        metrics = {
            "schema_version": 1, "task": "regression", "target": "fraction", "unit": unit, "part": str(part[0]),
            **figures,
            "intervals": assess_intervals(target, value, low, high, group, level=0.9),
            "learning_curve": [
                {"fraction": f, "n_train": int(f * n), "mae": 0.2 * scale * f**-0.5, "low": 0.15 * scale * f**-0.5,
                 "high": 0.25 * scale * f**-0.5} for f in (0.25, 0.5, 1.0)
            ],
            "test": None,
        }  # fmt: skip
        decisions = {"kind": "values", "intervals": fit_intervals(target, value, group, None, bounds=bounds).describe()}
        documents = {"run": value_run_json(root, n, bool(n_groups), verb), "metrics": metrics, "decisions": decisions}
        for stem, document in documents.items():
            (folder / f"{stem}.json").write_text(json.dumps(document))
        columns = {"target": object_array([repr(float(y)) for y in target])} | (
            {} if group is None else {"group": group}
        )
        Manifest(root, path, object_array([""] * n), columns, task="regression").write(folder / "manifest.parquet")
        (folder / "DONE").touch()
        return folder

    return write
