"""`graticule backbones`: the networks that are available here without a download."""

from __future__ import annotations

import importlib.util
from typing import Any

from graticule.models.backbones import DEFAULT_BACKBONE, EMBEDDED, weights_file


def backbones() -> list[dict[str, Any]]:
    """One row per embedded backbone: name, available, default, input size, features, licence, package, timm name."""
    return [
        {
            "name": spec.name,
            "available": weights_file(spec) is not None,
            "default": spec.name == DEFAULT_BACKBONE,
            "input_size": spec.input_size,
            "n_features": spec.n_features,
            "licence": spec.licence,
            "package": spec.package,
            "timm_name": spec.timm_name,
        }
        for spec in EMBEDDED.values()
    ]


def timm_installed() -> bool:
    """Whether timm models can be named as well."""
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "timm"))
