"""The method "features" on drawn features: every part is scored, and what is shipped is said."""

from __future__ import annotations

import numpy as np
import pytest
from tests.jobs.drawn import features_of, small_encoder
from tests.made_samples import folds_of, samples_of

from graticule.heads.method import fit_heads
from graticule.heads.options import HeadOptions
from graticule.progress import Silent
from graticule.split.division import Division

N = 90


@pytest.mark.parametrize("refit", [False, True])
def test_every_part_is_scored_by_what_did_not_see_it(refit: bool) -> None:
    y = np.arange(N) % 3
    samples = samples_of([str(k) for k in y], features=features_of(y, 0, distance=4.0))
    part = ["test" if i >= 75 else "cv" for i in range(N)]
    division = Division(folds_of(part, [-1 if i >= 75 else i // 3 % 3 for i in range(N)]), [], [])
    options = HeadOptions(folds=3, head="logistic", refit=refit)
    outcome = fit_heads(samples, small_encoder(), division, options, Silent())
    assert np.isfinite(outcome.proba).all()
    assert (outcome.proba.argmax(axis=1) == y).mean() > 0.9
    assert len(outcome.heads) == (1 if refit else 3)
    assert outcome.head["requested"] == "logistic"
    assert ["logistic" in fold["kind"] for fold in outcome.head["folds"]] == [True] * 3
    assert (outcome.head["refitted"] is not None) == refit
    assert ("refitted" in outcome.shipped) == refit == any("refitted" in text for text in outcome.warnings)
    assert outcome.learning_curve
    assert outcome.training is None
