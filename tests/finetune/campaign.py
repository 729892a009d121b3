"""A campaign of two epochs on the small pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.small_network import NETWORK, Small

from graticule.finetune.classes import ClassGoal
from graticule.finetune.fold import Campaign
from graticule.finetune.goal import FoldRows
from graticule.finetune.options import FinetuneOptions

ROWS = FoldRows(np.arange(40), np.arange(40, 60), np.arange(60, 96))


def campaign_of(small: Small, work: Path, **options: Any) -> Campaign:
    """A campaign whose decoded pictures lie in `work`."""
    np.save(work / "pixels.npy", small.pixels)
    return Campaign(
        goal=ClassGoal(small.y, 3),
        names=small.names,
        pixels=work / "pixels.npy",
        pictures=[None] * len(small.y),
        spec=small.network().spec,
        recipe=replace(small.recipe, epochs=2),
        options=FinetuneOptions(backbone=NETWORK, weights="none", views=1, device="cpu", **options),
        work=work,
        fingerprint="these pictures",
    )
