"""The mix of classes as an option of every verb that gives figures or decides."""

from __future__ import annotations

from graticule.decide.options import DecisionOptions
from graticule.evaluate.options import MixOptions
from graticule.jobs.options import EvaluateOptions, PredictOptions
from graticule.jobs.train.options import TrainOptions


def test_one_statement_serves_all_verbs() -> None:
    for kind in (TrainOptions, EvaluateOptions, PredictOptions, DecisionOptions):
        assert issubclass(kind, MixOptions)
    words = TrainOptions(prevalence="a=1,b=2").command("train").split()
    assert words == ["graticule", "train", "--prevalence", "a=1,b=2"]


def test_a_model_of_a_number_takes_no_mix() -> None:
    assert "--prevalence is a mix of classes" in " ".join(TrainOptions(target="x", prevalence="1:2").faults())
