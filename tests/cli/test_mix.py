"""Figures at a mix of classes to come, from the command line and on the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]
MIX = "500000:500:500"
NAMED = "stripes=500,disc=500000,square=500"


def test_train_writes_them_for_both_parts_and_prints_them(
    images: Path, graticule: Command, fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    run = tmp_path / "run"
    options = (*fast, "--folds", 3, "--test-size", 0.25)
    outcome = graticule("train", images, "--out", run, *options, "--prevalence", NAMED)
    assert outcome.code == 0, outcome.err
    assert "at the mix 500,000 disc : 500 square : 500 stripes" in outcome.out
    assert "27 images of disc" not in outcome.out
    assert "9 images of disc were judged" in outcome.out
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    assert metrics["prevalence"]["mix"] == {"disc": 500_000, "square": 500, "stripes": 500}
    assert metrics["prevalence"]["macro_precision"]["low"] < 0.5
    assert metrics["test"]["prevalence"]["more"]["n_judged"] == 3
    page = (run / "report.html").read_text("utf-8")
    assert "At the mix of classes to come" in page
    assert "On the held-out part: macro precision" in page
    refused = graticule("train", images, "--out", tmp_path / "no", *options, "--prevalence", "1:2")
    assert "2 amounts for 3 classes; in their order these are disc, square, stripes" in refused.message()
    number = graticule("train", images, "--out", tmp_path / "no", "--target", "x", "--prevalence", MIX)
    assert "there are none where a number is learnt" in number.message()


def test_a_report_of_a_finished_run_and_an_evaluation_take_a_mix(
    run: Path, images: Path, graticule: Command, tmp_path: Path, warm_cache: Path
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    before = (copy / "metrics.json").read_bytes()
    assert graticule("report", copy, "--prevalence", MIX).code == 0
    page = (copy / "report.html").read_text("utf-8")
    assert "500,000 disc : 500 square : 500 stripes" in page
    assert (copy / "metrics.json").read_bytes() == before
    assert graticule("report", copy).code == 0
    assert "At the mix of classes to come" not in (copy / "report.html").read_text("utf-8")
    assert "names dust" in graticule("report", copy, "--prevalence", "disc=1,square=1,dust=2").message()
    out = tmp_path / "evaluation"
    judged = graticule("evaluate", run, images, "--out", out, "--workers", 1, "--prevalence", MIX)
    assert judged.code == 0, judged.err
    assert "12 images of disc were judged" in judged.out
    found = json.loads((out / "metrics.json").read_text("utf-8"))["prevalence"]
    assert found["macro_precision"]["low"] < 0.5
