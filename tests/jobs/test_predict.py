"""`predict` as a function: a row per file in the order of the list, unreadable ones among them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests import forgeries
from tests.jobs.drawn import Drawn
from tests.networks.far import Far, far

from graticule.answers import read_scored
from graticule.bundle import bundle_hash
from graticule.errors import OptionError
from graticule.jobs.options import PredictOptions
from graticule.jobs.predict import predict
from graticule.networks.encoder import Encoder
from graticule.runs import DONE

__all__ = ["far"]
# made by the version before features had parts, its network left out: `graticule train DATA --head logistic --views 1
# --folds 3` on 12 discs and 12 stripes, and `graticule predict RUN images --csv --novelty-alpha 0.05
# --target-accuracy 0.9`
EARLIER = Path(__file__).parent / "earlier_bundle"


def test_every_file_has_a_row_with_the_decision_that_the_summary_counts(
    run: Path, drawn: Drawn, tmp_path: Path, reading_drawn: None
) -> None:
    told = predict(run, drawn.folder, tmp_path / "out", PredictOptions(csv=True))
    scored = read_scored(tmp_path / "out", ("sha256",))
    assert scored.path.to_pylist() == [f"{i:05d}.png" for i in range(drawn.n)]
    assert scored.more["sha256"].to_pylist()[5] == drawn.info[(drawn.folder / "00005.png").resolve()][1].sha256
    assert scored.proba.sum(axis=1) == pytest.approx(1.0)
    assert (scored.called == drawn.y).mean() > 0.8
    assert (told["n"], told["n_unreadable"], told["failures"]) == (90, 0, [])
    assert told["bundle_sha256"] == bundle_hash(run / "model")
    assert "failures" not in json.loads((tmp_path / "out" / "summary.json").read_text())
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 91


def test_the_answers_do_not_go_among_the_images(run: Path, drawn: Drawn) -> None:
    with pytest.raises(OptionError, match="inside"):
        predict(run, drawn.folder, drawn.folder / "out")
    assert not (drawn.folder / "out").exists()


def test_the_device_that_computed_is_told_and_why_another_did_not(
    run: Path, drawn: Drawn, tmp_path: Path, reading_drawn: None, far: Far
) -> None:
    told = predict(run, drawn.folder, tmp_path / "there", PredictOptions(device="cuda"))
    assert (told["device"], told["warnings"]) == ("cuda:0", [])
    far.off = 0.01
    told = predict(run, drawn.folder, tmp_path / "here", PredictOptions(device="auto"))
    assert told["device"] == "cpu"
    (warning,) = told["warnings"]
    assert "cuda:0 was not used: its features of 6 pictures differ" in warning
    assert json.loads((tmp_path / "here" / "summary.json").read_text())["warnings"] == [warning]


def test_a_device_that_is_not_there_is_told_before_anything_is_made(run: Path, drawn: Drawn, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--device directml: ONNX Runtime [\d.]+ has no DmlExecutionProvider here"):
        predict(run, drawn.folder, tmp_path / "out", PredictOptions(device="directml"))
    assert not (tmp_path / "out").exists()


def test_a_bundle_of_an_earlier_version_answers_as_it_did(lite0: Encoder, tmp_path: Path) -> None:
    files = {name: (EARLIER / name).read_bytes() for name in forgeries.FILES if name != "model.onnx"}
    forgeries.write(tmp_path / "run" / "model", files | {"model.onnx": lite0.model})
    (tmp_path / "run" / DONE).touch()
    options = PredictOptions(csv=True, workers=1, novelty_alpha=0.05, target_accuracy=0.9)
    predict(tmp_path / "run", EARLIER / "images", tmp_path / "out", options)
    tables = []
    for file in (EARLIER / "predictions.csv", tmp_path / "out" / "predictions.csv"):
        with file.open(encoding="utf-8-sig", newline="") as stream:
            tables.append(list(csv.DictReader(stream)))
    before, now = tables
    assert {row["decision"] for row in before} == {"accept", "reject"}
    assert [list(row) for row in now] == [list(row) for row in before]
    numbers = ("score", "p_disc", "p_stripes", "novelty")
    for name in before[0]:
        told, known = ([row[name] for row in table] for table in (now, before))
        if name in numbers:
            np.testing.assert_allclose(np.array(told, float), np.array(known, float), rtol=0, atol=1e-6)
        else:
            assert told == known
