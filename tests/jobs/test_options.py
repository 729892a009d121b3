"""Options that verbs add to those of their parts."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from graticule.jobs.options import AuditOptions, CountOptions, EmbedOptions, EvaluateOptions
from graticule.options import Options


@pytest.mark.parametrize("volume", [0.0, -1.0, float("inf"), float("nan")])
def test_a_volume_is_a_number_above_0(volume: float) -> None:
    assert CountOptions(volume_ml=volume).faults() == [f"--volume-ml {volume}: allowed are numbers above 0"]


def test_a_column_needs_its_table() -> None:
    assert CountOptions(by="well").faults() == ["--by names a column of --table, which is missing"]
    assert CountOptions(by="well", table=Path("t.csv"), volume_ml=1e-6).faults() == []


@pytest.mark.parametrize("options", [AuditOptions(views=3), EmbedOptions(views=3)])
def test_views(options: Options) -> None:
    assert options.faults() == ["--views 3: allowed are 1, 4, 8"]


def test_an_evaluation_is_repeated_with_its_decisions() -> None:
    options = EvaluateOptions(target_accuracy=0.9, per_class=True, group="lot", synthetic=True, root=Path("r"), seed=3)
    words = shlex.split(options.command("evaluate", Path("run"), Path("d"), out=Path("o")))
    assert words[:6] == ["graticule", "evaluate", "run", "d", "--out", "o"]
    assert words[6:10] == ["--target-accuracy", "0.9", "--per-class", "--group"]
    assert words[10:] == ["lot", "--synthetic", "--seed", "3", "--root", "r"]


def test_an_audit_without_an_outcome_is_repeated_without_one() -> None:
    assert AuditOptions(workers=2).command("audit", Path("d")) == "graticule audit d"
