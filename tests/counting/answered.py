"""Answers of a model as `count` reads them, made in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graticule.answers import Scored

CLASSES = ("fibre", "glass", "protein")


def answered(called: Sequence[int], proba: np.ndarray | None = None, **more: Any) -> Scored:
    """Images 0.png, 1.png, ... called the classes of these codes, -1 for what cannot be read; nothing is decided."""
    code = np.array(called, dtype=np.int64)
    if proba is None:
        proba = np.where(code[:, None] == np.arange(len(CLASSES)), 0.8, 0.1)
        proba[code < 0] = np.nan
    values: dict[str, Any] = {
        "classes": CLASSES,
        "path": pa.array([f"{i}.png" for i in range(len(code))], pa.string()),
        "called": code,
        "proba": proba,
        "decision": np.full(len(code), -1),
        "novelty": np.full(len(code), np.nan),
        "more": pa.table({}),
        "folder": Path("answers"),
        "summary": {},
    }
    return Scored(**values | more)
