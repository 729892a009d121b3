"""`train --target` as a function: a complete folder that a reader can trust, or an error and none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.drawn_values import DrawnValues

from graticule.errors import FoldError, ManifestError, OptionError
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.manifest import Manifest
from graticule.tasks import REGRESSION
from graticule.values import read_values

OPTIONS = {"target": "fraction", "folds": 4, "head": "ridge", "features": "network"}


def test_the_folder_is_whole(valued_run: Path) -> None:
    names = {file.name for file in valued_run.iterdir()}
    assert {"run.json", "metrics.json", "decisions.json", "predictions.parquet", "model", "report.html"} <= names
    assert "work" not in names
    record = json.loads((valued_run / "run.json").read_text())
    assert (record["task"], record["target"]["target"], record["head"]["requested"]) == (
        "regression",
        "fraction",
        "ridge",
    )
    assert "--target fraction" in record["command"]
    assert record["data"]["n_groups"] == 24
    manifest = Manifest.read(valued_run / "manifest.parquet", REGRESSION)
    scored = read_values(valued_run / "predictions.parquet")
    assert set(manifest.sample_id) == set(scored.sample_id)
    groups = dict(zip(manifest.sample_id, manifest.columns["group"], strict=True))
    assert scored.group is not None
    assert [groups[name] for name in scored.sample_id] == scored.group.tolist()
    told = dict(zip(manifest.sample_id, manifest.targets, strict=True))
    np.testing.assert_array_equal([told[name] for name in scored.sample_id], scored.target)


def test_the_same_seed_gives_the_same_bytes(valued_run: Path, planted: DrawnValues, tmp_path: Path) -> None:
    options = TrainOptions(
        **OPTIONS,
        target_min=0.0,
        target_max=1.0,
        test_size=0.2,
        tolerance=0.05,
        workers=2,  # type: ignore[arg-type]
    )
    with planted.instead_of_pixels():
        train(planted.folder.parent / "values.csv", tmp_path / "again", options)
    for name in ("predictions.parquet", "metrics.json", "decisions.json", "model/head.safetensors", "model/SHA256SUMS"):
        assert (valued_run / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_copies_across_specimens_do_not_make_the_figures_better(planted: DrawnValues, tmp_path: Path) -> None:
    """Near-copies that stand under other groups join their groups instead of leaking."""
    made = DrawnValues(tmp_path / "images", 90)
    made.plant(noise=3.0)
    maes = []
    for copies in (False, True):
        if copies:  # the last 12 images are those of the first 12 again, of other specimens
            for i in range(12):
                made.features[78 + i] = made.features[i] + 0.01
                made.values[78 + i] = made.values[i]
        near = np.concatenate([np.arange(78), np.arange(12) if copies else np.arange(78, 90)])
        table = made.value_table(f"copies{copies}.csv")
        with made.instead_of_pixels(), pytest.MonkeyPatch.context() as patch:
            from graticule.split.kinship import Kinship

            patch.setattr("graticule.split.division.relate", lambda *_, near=near: Kinship([], near, near))
            run = train(table, tmp_path / f"run{copies}", TrainOptions(**OPTIONS))  # type: ignore[arg-type]
        maes.append(run["metrics"]["mae"]["value"])
    assert maes[1] > maes[0] - 0.02


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"target": "area"}, OptionError, "--target area: there is no such column"),
        ({"target_max": 0.3}, ManifestError, "lies above --target-max 0.3"),
        ({"folds": 30}, FoldError, "30 folds need 30 groups, found 24"),
        ({"per_pixel_size": True}, ManifestError, "needs the column pixel_size_nm"),
    ],
)
def test_nothing_is_written_where_nothing_can_be_learnt(
    planted: DrawnValues, tmp_path: Path, changed: dict[str, object], error: type[Exception], said: str
) -> None:
    with planted.instead_of_pixels(), pytest.raises(error, match=said):
        train(planted.folder.parent / "values.csv", tmp_path / "run", TrainOptions(**(OPTIONS | changed)))  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()
