"""A small study.json with its images."""

from __future__ import annotations

from typing import Any

import numpy as np

from graticule.arrays import object_array
from graticule.evaluate.values.methods import ComparedImages, MethodValues, compare_methods

NAMES = ("lgo_fiji", "lgo", "mixture", "lgo_calibrated", "orientation", "network", "both")


def compared(name: str = "new", n_groups: int = 12) -> ComparedImages:
    rng = np.random.default_rng(1)
    y = rng.uniform(0, 1, 5 * n_groups)
    methods = []
    for i, method in enumerate(NAMES):
        value = np.clip(y + rng.normal(0, 0.2 - 0.02 * i, y.size), 0, 1)
        low, high = (value - 0.2, value + 0.2) if i > 3 else (None, None)
        methods.append(MethodValues(method, f"<{method}>", value, low, high, trained=i > 2))
    group = object_array([f"N{i // 5}" for i in range(y.size)])
    return ComparedImages(name, object_array([f"{i}.png" for i in range(y.size)]), group, y, methods, 0.5)


def study_document(*parts: ComparedImages, drawn: bool = True) -> dict[str, Any]:
    floors = {"the directions of the visible wires": 0.05}
    return {
        "graticule_version": "1",
        "created_utc": "2026-12-01T00:00:00Z",
        "wall_time_s": 12.0,
        "command": "graticule study nanowires --out <x>",
        "packages": {},
        "phantoms": drawn,
        "floors": {part.name: floors if drawn else {} for part in parts},
        "parts": [
            {
                "name": part.name,
                "n": len(part.target),
                "n_groups": 12,
                "methods": compare_methods(part, ("lgo_fiji", "lgo_calibrated")),
            }
            for part in parts
        ],
    }
