"""The network that is shipped: the one, all, or a refit; and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.finetune.campaign import ROWS, campaign_of  # noqa: E402
from tests.small_network import Small  # noqa: E402

from graticule.finetune import shipped  # noqa: E402
from graticule.finetune.fold import Finished  # noqa: E402
from graticule.finetune.progress import Teller  # noqa: E402
from graticule.finetune.shipped import choose_shipped  # noqa: E402
from graticule.progress import Silent  # noqa: E402


def finished(small: Small, best_epoch: int) -> Finished:
    return Finished(small.network().state_dict(), best_epoch, [{"epoch": 1}], 40, 20, 1.0, 40.0)


def test_the_only_fold_and_an_ensemble_are_shipped_as_they_are(small: Small, tmp_path: Path) -> None:
    campaign, teller = campaign_of(small, tmp_path), Teller(Silent(), 1)
    one = choose_shipped(campaign, [finished(small, 1)], [2.0], ROWS.train, small.processes, teller)
    assert (len(one.members), one.temperatures, one.refit, one.warnings) == (1, [2.0], None, [])
    assert one.words == "the network of the training part"
    both = replace(campaign, options=replace(campaign.options, ensemble=True))
    two = choose_shipped(both, [finished(small, 1)] * 2, [2.0, 3.0], ROWS.train, small.processes, teller)
    assert two.words == "mean of the 2 fold networks"
    assert [head.temperature for head in both.goal.last_layer.heads(two.members, two.temperatures)] == [2.0, 3.0]


def test_a_refit_takes_the_median_of_the_epochs_and_the_mean_of_the_temperatures(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def trained(campaign: Any, processes: Any, name: str, rows: Any, watch: Any, *, until: int) -> Finished:
        asked.append((name, rows.train.tolist(), len(rows.validation), until))
        return finished(small, until)

    monkeypatch.setattr(shipped, "finished_fold", trained)
    folds = [finished(small, best) for best in (2, 9, 4)]
    found = choose_shipped(
        campaign_of(small, tmp_path), folds, [1.0, 2.0, 4.0], np.arange(60), small.processes, Teller(Silent(), 1)
    )
    assert asked == [("refit", list(range(60)), 0, 4)]
    assert found.temperatures == pytest.approx([2.0])
    assert found.refit is not None
    assert found.refit["epochs"] == 4
    assert "estimates" in found.warnings[0]
