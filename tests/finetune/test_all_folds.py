"""The folds one after the other: each in its turn, told of by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.finetune.campaign import ROWS, campaign_of  # noqa: E402
from tests.small_network import Small  # noqa: E402

from graticule.finetune import all_folds  # noqa: E402
from graticule.finetune.all_folds import train_folds  # noqa: E402
from graticule.finetune.progress import Teller  # noqa: E402
from graticule.progress import Silent  # noqa: E402


@pytest.mark.parametrize(("gpus", "apart"), [(0, False), (1, False), (2, True)])
def test_folds_go_one_by_one_unless_there_are_several_gpus(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpus: int, apart: bool
) -> None:
    campaign = campaign_of(small, tmp_path)
    campaign = all_folds.Campaign(**vars(campaign) | {"options": type(campaign.options)(device="auto")})
    done: list[Any] = []
    monkeypatch.setattr(all_folds, "_gpus", lambda: [f"cuda:{i}" for i in range(gpus)])
    monkeypatch.setattr(all_folds, "finished_fold", lambda _c, _p, name, rows, _t: done.append((name, rows)) or name)
    monkeypatch.setattr(all_folds, "train_apart", lambda _c, parts, devices, *_: done.append(devices) or parts)
    found = train_folds(campaign, [ROWS, ROWS], small.processes, Teller(Silent(), 1))
    if apart:
        assert done == [["cuda:0", "cuda:1"]]
    else:
        assert [name for name, _ in done] == ["fold-0", "fold-1"] == found
