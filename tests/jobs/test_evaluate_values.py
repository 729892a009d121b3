"""`evaluate` with a model of a number: its figures, its limits, and the seal on the held-out part."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.drawn_values import DrawnValues

from graticule.errors import ManifestError, OptionError
from graticule.jobs.evaluate import evaluate
from graticule.jobs.options import EvaluateOptions
from graticule.values import read_values


def test_other_images_of_known_number(
    valued_run: Path, value_table: Path, planted: DrawnValues, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(valued_run, tmp_path / "run"))
    own = read_values(run / "predictions.parquet").of_part("test")
    lines = value_table.read_text().splitlines()
    kept = [line for line in lines[1:] if line.split(",")[0] in set(own.path)]
    table = value_table.with_name("held-out.csv")
    table.write_text("\n".join([lines[0], *kept]) + "\n")
    with planted.instead_of_pixels():
        found = evaluate(run, table, tmp_path / "out", EvaluateOptions(max_width=10.0))
    values = read_values(tmp_path / "out" / "predictions.parquet")
    np.testing.assert_allclose(values.value, own.value, atol=1e-6)
    told = json.loads((run / "metrics.json").read_text())["test"]
    assert found["metrics"]["mae"]["value"] == pytest.approx(told["mae"]["value"])
    assert found["metrics"]["task"] == "regression"
    assert sum(found["decisions"]["decisions"].values()) == len(own)
    assert found["decisions"]["accepted_mae"] is not None
    # the held-out part was opened again: both say so
    assert any("which was opened 2 times by now" in warning for warning in found["warnings"])
    assert len(json.loads((run / "run.json").read_text())["test_openings"]) == 2
    assert {"run.json", "metrics.json", "decisions.json", "manifest.parquet", "DONE"} <= {
        file.name for file in (tmp_path / "out").iterdir()
    }


def test_what_cannot_be_evaluated(valued_run: Path, value_table: Path, planted: DrawnValues, tmp_path: Path) -> None:
    other = value_table.with_name("other.csv")
    other.write_text(value_table.read_text().replace("path,fraction", "path,area"))
    empty = value_table.with_name("empty.csv")
    empty.write_text("path,fraction\n" + f"{planted.folder.name}/00000.png,\n")
    with planted.instead_of_pixels():
        with pytest.raises(OptionError, match="--target fraction: there is no such column"):
            evaluate(valued_run, other, tmp_path / "out", EvaluateOptions())
        with pytest.raises(ManifestError, match="no image to evaluate on"):
            evaluate(valued_run, empty, tmp_path / "out", EvaluateOptions())
        with pytest.raises(OptionError, match="--coverage: does not apply"):
            evaluate(valued_run, value_table, tmp_path / "out", EvaluateOptions(coverage=0.9))
    assert not (tmp_path / "out").exists()
