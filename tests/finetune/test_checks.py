"""What fine-tuning refuses before it reads an image."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import NETWORK, Small  # noqa: E402

from graticule.errors import OptionError  # noqa: E402
from graticule.finetune.checks import check_batches, check_network  # noqa: E402
from graticule.finetune.fold import FoldRows  # noqa: E402
from graticule.finetune.options import FinetuneOptions  # noqa: E402

NOTHING = np.zeros(0, np.int64)


def processes(count: int) -> Any:
    return SimpleNamespace(count=count)


@pytest.mark.parametrize(
    ("batch_size", "count", "statistics", "least"),
    [(1, 1, "learned", 4), (2, 2, "learned", 8), (1, 2, "kept", 4)],
)
def test_batches_that_leave_a_process_too_few_images(
    small: Small, batch_size: int, count: int, statistics: str, least: int
) -> None:
    recipe = replace(small.recipe, batch_size=batch_size, statistics=statistics)
    parts = [FoldRows(np.arange(40), NOTHING, NOTHING)]
    with pytest.raises(OptionError, match=f"give at least --batch-size {least}"):
        check_batches(recipe, small.network(), parts, processes(count))
    check_batches(replace(recipe, batch_size=least), small.network(), parts, processes(count))


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"input_size": 16, "backbone": "inception_v4"}, "--input-size 16: inception_v4 takes 75 pixels and more"),
        ({"frozen_blocks": 99, "backbone": NETWORK}, "--frozen-blocks 99: .* blocks"),
    ],
)
def test_sizes_and_blocks_that_the_network_has_not(changes: dict[str, Any], cause: str) -> None:
    with pytest.raises(OptionError, match=cause):
        check_network(FinetuneOptions(weights="none", **changes), gpu=False)
