"""Verdicts and their sentences: every reason to refuse, and what is said where nothing speaks against."""

import json
from dataclasses import replace

import numpy as np
import pytest

from graticule.gates import ACCEPTED, NO_GAIN, NOT_TESTED, REFUSED
from graticule.synthesis.copies import Copies, SetTest
from graticule.synthesis.quality import Quality
from graticule.synthesis.variety import Variety
from graticule.synthesis.verdict import ClassJudgement, faults, reasons

NAN = float("nan")
FINE = Quality(0.1, 0.9, 0.9, 1.0, 0.95)
GOOD = ClassJudgement(
    label="oil",
    n_generated=40,
    n_parents=40,
    n_held_out=60,
    n_different_parents=40,
    as_set=SetTest(0.42, 0.3, 0.4, 0.55, 0.4, 40, 40, 60),
    each=Copies(np.arange(40) < 1, np.zeros(40, np.int64), np.ones(40), 0.025, 0.004, 0.13, 0.5, 60),
    variety=Variety(0.9, 0.95, 0.01, 40, 40),
    agreement=0.8,
    agreement_of_real=0.9,
    distinguished=0.7,
    distinguished_real=0.5,
    quality=FINE,
    quality_of_real=FINE,
)
COPIES = replace(GOOD.each or 0, flagged=np.arange(40) < 9, share=0.225, low=0.12, high=0.375, p=1e-5)  # type: ignore[type-var]


def test_nothing_against_them_is_no_acceptance() -> None:
    assert GOOD.verdict == NOT_TESTED
    assert faults(GOOD) == []
    assert "was not tested" in " ".join(reasons(GOOD))


@pytest.mark.parametrize(("accepted", "verdict"), [(True, ACCEPTED), (False, NO_GAIN)])
def test_what_the_use_test_found_decides(accepted: bool, verdict: str) -> None:
    found = replace(GOOD, use={"accepted": accepted, "words": "Gain of 2 points."})
    assert found.verdict == verdict
    assert "Gain of 2 points." in reasons(found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"as_set": SetTest(0.9, 0.3, 0.4, 0.55, 0.001, 40, 40, 60)}, "Copied as a set: 90%"),
        ({"each": COPIES}, "Copied one by one: 9 of 40"),
        ({"variety": Variety(0.3, 0.95, 0.5, 40, 3)}, "The same few pictures"),
        ({"agreement": 0.2}, "Not of the class"),
        ({"each": None, "as_set": None, "n_different_parents": 4}, "saw 4 different images"),
    ],
)
def test_each_fault_refuses_whatever_was_gained(change: dict[str, object], words: str) -> None:
    found = replace(GOOD, use={"accepted": True, "words": "Gain."}, **change)  # type: ignore[arg-type]
    assert found.verdict == REFUSED
    assert words in faults(found)[0]
    assert len(faults(found)) == 1


def test_chance_is_not_blamed() -> None:
    # one set of images in twenty is as near to the parents
    near = replace(GOOD, as_set=SetTest(0.55, 0.3, 0.4, 0.55, 0.03, 40, 40, 60))
    assert near.verdict == NOT_TESTED
    # three flagged images of forty may be chance where the threshold rests on few real ones
    few = replace(GOOD, each=replace(COPIES, p=0.03))
    assert few.verdict == NOT_TESTED


def test_what_could_not_be_asked_is_said() -> None:
    found = replace(GOOD, as_set=SetTest(NAN, NAN, NAN, NAN, NAN, 0, 0, 7), agreement=NAN, agreement_of_real=NAN)
    told = " ".join(reasons(found))
    assert "there are 7" in told
    assert "two classes or more" in told
    assert found.verdict == NOT_TESTED


def test_recognised_images_are_a_warning_alone() -> None:
    found = replace(GOOD, distinguished=1.0)
    assert found.verdict == NOT_TESTED
    assert "tells the generated images from real ones" in " ".join(reasons(found))
    assert "other classes too" in " ".join(reasons(found))
    assert "other classes too" not in " ".join(reasons(replace(found, of_all_classes=True)))


def test_the_words_promise_nobody_anonymity() -> None:
    everything = " ".join(text for change in ({}, {"distinguished": 1.0}) for text in reasons(replace(GOOD, **change)))
    assert "anonym" not in everything
    assert "privat" not in everything


def test_the_document_is_plain() -> None:
    found = replace(GOOD, agreement=NAN, as_set=SetTest(NAN, NAN, NAN, NAN, NAN, 0, 0, 7)).describe()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["right_class"]["share"] is None
    assert found["copied_one_by_one"]["n"] == 1
