"""The true values of a run, judged: what it takes, and what stands in the document."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.report.values.conftest import write_values

from graticule.errors import RunError
from graticule.label_errors.suspicious_run import describe_targets, judge_targets, target_rows
from graticule.values import read_values

__all__ = ["write_values"]
WriteValues = Callable[..., Path]


def planted(folder: Path, row: int = 7) -> str:
    """Make the true value of one image wrong; returns its path."""
    from dataclasses import replace

    file = folder / "predictions.parquet"
    values = read_values(file)
    target = values.target.copy()
    target[row] = 1.0 if values.value[row] < 0.5 else 0.0
    target[row] += np.sign(target[row] - 0.5)
    replace(values, target=target).write(file)
    return str(values.path[row])


def test_a_planted_value_stands_first_with_its_evidence(write_values: WriteValues) -> None:
    folder = write_values(pictures=0)
    path = planted(folder)
    judged = judge_targets(folder)
    document = describe_targets(folder, judged)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["errors"][0]["path"] == path
    assert document["n_listed"] >= 1
    assert "the other images of its group are off by" in document["errors"][0]["evidence"]
    rows = target_rows(judged)
    assert [row["rank"] for row in rows] == list(range(1, 121))


@pytest.mark.parametrize(
    ("shape", "message"),
    [({"verb": "evaluate"}, "an evaluation"), ({"n_groups": 4, "size": 5}, "20 cross-validated images; at least 30")],
)
def test_what_cannot_be_judged_is_refused(write_values: WriteValues, shape: dict[str, object], message: str) -> None:
    with pytest.raises(RunError, match=message):
        judge_targets(write_values(pictures=0, **shape))
