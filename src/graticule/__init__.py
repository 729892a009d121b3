"""Graticule: from a folder of labelled scientific images to a classifier its user can defend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graticule.quiet import keep_quiet

__version__ = "0.1.0"
__all__ = ["Embedder", "__version__", "load", "orientation", "train"]

if TYPE_CHECKING:
    from graticule.api import load, orientation, train
    from graticule.features.embedder import Embedder

keep_quiet()


def __getattr__(name: str) -> Any:
    # imported on first use: worker processes and `graticule --help` need none of it
    if name in ("load", "orientation", "train"):
        from graticule import api

        return getattr(api, name)
    if name == "Embedder":
        from graticule.features.embedder import Embedder

        return Embedder
    raise AttributeError(f"module 'graticule' has no attribute {name!r}")
