"""Simpler methods beside a model of a number: the plug-in's amount as it is, beside shares alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.directions.scenes import wires

from graticule.directions.lgo import local_gradient_orientation
from graticule.images.preprocess import Preprocessing
from graticule.jobs.options import OrientationOptions
from graticule.jobs.orientation.picture import FileToMeasure, measure_file
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.jobs.train.simpler_methods import CUES, PLUGIN, plugin_amount
from graticule.phantoms.infobar import Acquisition, append_bar
from graticule.values import read_values

N = 24


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wires")
    rows = ["path,share,length,group"]
    for i in range(N):
        share = round(0.1 + 0.8 * i / (N - 1), 3)
        grey = np.clip(wires(7.0 * i, share=share, side=72, n=40, seed=i), 0, 255).astype(np.uint8)
        PIL.Image.fromarray(grey).save(folder / f"{i:02d}.png")
        rows.append(f"{i:02d}.png,{share},{30 * share},s{i % 8}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_the_plug_in_stands_beside_a_share_as_the_verb_measures_it(pictures: Path, tmp_path: Path) -> None:
    options = TrainOptions(target="share", target_min=0, target_max=1, features="orientation", head="ridge", folds=3,
                           workers=1)  # fmt: skip
    metrics = train(pictures / "table.csv", tmp_path / "run", options)["metrics"]
    assert {"mean", "median", CUES, "tensor mixture", PLUGIN} <= set(metrics["baselines"])
    assert f"{PLUGIN}, calibrated" not in metrics["baselines"]
    values = read_values(tmp_path / "run" / "predictions.parquet")
    verb = OrientationOptions(method="lgo-fiji")
    for path, amount in zip(values.path[:5], values.baselines[PLUGIN][:5], strict=True):
        found = measure_file(FileToMeasure(pictures / path), verb).found
        assert found is not None
        assert found.shipped is not None
        assert amount == pytest.approx(found.shipped.amount, abs=1e-12)
    assert PLUGIN in (tmp_path / "run" / "report.html").read_text()


def test_no_share_no_plug_in(pictures: Path, tmp_path: Path) -> None:
    options = TrainOptions(target="length", features="orientation", head="ridge", folds=3, workers=1)
    metrics = train(pictures / "table.csv", tmp_path / "run", options)["metrics"]
    assert PLUGIN not in metrics["baselines"]
    assert "tensor mixture, calibrated" in metrics["baselines"]


def test_the_info_bar_is_cut_off_and_a_picture_without_gradients_has_none(tmp_path: Path) -> None:
    grey = np.clip(wires(30, share=0.6, side=320), 0, 255).astype(np.uint8)
    barred, _ = append_bar(grey, "zeiss", Acquisition(5.0, 10.0, 5.0, 7))
    for name, picture in (("plain", grey), ("barred", barred), ("flat", np.full((40, 40), 90, np.uint8))):
        PIL.Image.fromarray(picture).save(tmp_path / f"{name}.png")
    plain, bar, flat = (
        plugin_amount(tmp_path / f"{name}.png", Preprocessing(224)) for name in ("plain", "barred", "flat")
    )
    assert plain == local_gradient_orientation(grey.astype(np.float32), as_shipped=True).amount
    assert bar == pytest.approx(plain, abs=0.01)
    assert np.isnan(flat)
    kept = plugin_amount(tmp_path / "barred.png", Preprocessing(224, info_bar="keep"))
    assert abs(kept - plain) > 0.02
