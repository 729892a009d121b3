"""`predict` as a function: a row per file in the order of the list, unreadable ones among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.jobs.drawn import Drawn
from tests.networks.far import Far, far

from graticule.answers import read_scored
from graticule.bundle import bundle_hash
from graticule.errors import OptionError
from graticule.jobs.options import PredictOptions
from graticule.jobs.predict import predict

__all__ = ["far"]


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
