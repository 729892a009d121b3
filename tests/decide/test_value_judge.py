"""Decisions on predicted numbers: width, novelty, range, and what could not be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.drawn_values import DrawnValues

from graticule.bundle import ValueBundle, read_value_bundle
from graticule.decide.options import DecisionOptions, ValueDecisionOptions, check_of_kind
from graticule.decide.value_judge import NO_PIXEL_SIZE, ValueJudge
from graticule.errors import OptionError
from graticule.images.decode import Decoded
from graticule.jobs.options import PredictOptions
from graticule.regress.predictor import ValuedFiles, ValuePredictor
from graticule.regress.scoring import member_values
from graticule.values import read_values


@pytest.fixture(scope="module")
def bundle(valued_run: Path) -> ValueBundle:
    return read_value_bundle(valued_run / "model")


def block(bundle: ValueBundle, features: np.ndarray, unreadable: int = 0) -> ValuedFiles:
    """Files with these features, and some that cannot be read behind them."""
    predictor = ValuePredictor.of(bundle)
    n = len(features)
    members = np.full((len(predictor.members), n + unreadable), np.nan)
    members[:, :n] = member_values(predictor.members, features)
    info = [Decoded("ab", "cd", 16, 16, "grey, 8 bit")] * n + [Decoded(error="no image")] * unreadable
    padded = np.concatenate([features, np.zeros((unreadable, features.shape[1]), np.float32)])
    return ValuedFiles(info, padded, members, padded)


def test_limits_are_those_of_the_run(bundle: ValueBundle, valued_run: Path, planted: DrawnValues) -> None:
    test = read_values(valued_run / "predictions.parquet").of_part("test")
    rows = [int(Path(path).stem) for path in test.path]
    found = ValueJudge(bundle, ValueDecisionOptions()).judge(block(bundle, planted.features[rows]), None)
    np.testing.assert_allclose(found.value, test.value, atol=1e-9)
    usual = np.isfinite(found.low)
    assert usual.mean() > 0.8
    np.testing.assert_allclose(found.low[usual], test.low[usual], atol=1e-6)
    np.testing.assert_allclose(found.high[usual], test.high[usual], atol=1e-6)


def test_what_is_done_with_each(bundle: ValueBundle, planted: DrawnValues) -> None:
    strange = -40 * np.abs(planted.features[:1])
    files = block(bundle, np.concatenate([planted.features[:10], strange]), unreadable=1)
    found = ValueJudge(bundle, ValueDecisionOptions(novelty_alpha=0.1)).judge(files, None)
    assert "accept" in found.decision[:10]
    assert (found.decision[10], found.reason[10]) == ("reject", "unlike any training image")
    assert np.isnan([found.low[10], found.high[10]]).all()
    assert np.isfinite(found.value[10])
    assert (found.decision[11], found.reason[11]) == ("reject", "unreadable")
    assert np.isnan([found.value[11], found.novelty[11]]).all()
    narrow = ValueJudge(bundle, ValueDecisionOptions(max_width=0.01)).judge(files, None)
    assert "accept" not in narrow.decision
    assert any("accepted up to 0.01" in why for why in narrow.reason)
    # whatever kind of regression was chosen: one that draws far pictures to the mean says nothing far
    far = replace(files, members=files.members + 40.0 * (np.arange(12) == 10))
    unlike = ValueJudge(bundle, ValueDecisionOptions(novelty_alpha=0.0)).judge(far, None)
    assert (unlike.value[10], unlike.decision[10]) in ((0.0, "reject"), (1.0, "reject"))
    assert "far outside" in unlike.reason[10]
    wide = ValueJudge(bundle, ValueDecisionOptions(level=0.95)).judge(files, None)
    known = np.isfinite(wide.low) & np.isfinite(found.low)
    assert ((wide.high - wide.low)[known] >= (found.high - found.low)[known]).all()


def test_a_length_without_pixel_size_goes_to_review(bundle: ValueBundle, planted: DrawnValues) -> None:
    info = bundle.info.model_copy(update={"per_pixel_size": True, "bounds": [None, None]})
    judge = ValueJudge(ValueBundle(**(vars(bundle) | {"info": info})), ValueDecisionOptions())
    found = judge.judge(block(bundle, planted.features[:2]), np.array([2.0, np.nan]))
    assert np.isnan(found.value).tolist() == [False, True]
    assert (found.decision[1], found.reason[1]) == ("review", NO_PIXEL_SIZE)


def test_what_is_claimed(bundle: ValueBundle) -> None:
    told = ValueJudge(bundle, ValueDecisionOptions(max_width=0.3)).describe()
    assert (told["level"], told["max_width"]) == (0.9, 0.3)
    assert told["limits"]["level"] == 0.9
    assert told["trained_on"] == bundle.info.trained_on


def test_options_of_another_kind_of_model_are_refused() -> None:
    check_of_kind(PredictOptions(novelty_alpha=0.02), DecisionOptions, "a number")
    with pytest.raises(OptionError, match="--target-accuracy: does not apply, the model answers with a number"):
        check_of_kind(PredictOptions(target_accuracy=0.9), DecisionOptions, "a number")
    with pytest.raises(OptionError, match="--max-width, --level: does not apply, the model answers with classes"):
        check_of_kind(PredictOptions(max_width=0.1, level=0.8), ValueDecisionOptions, "classes")
