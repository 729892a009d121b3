"""`predict` as a function: a row per file in the order of the list, unreadable ones among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.jobs.drawn import Drawn

from graticule.answers import read_scored
from graticule.bundle import bundle_hash
from graticule.errors import OptionError
from graticule.jobs.options import PredictOptions
from graticule.jobs.predict import predict


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
