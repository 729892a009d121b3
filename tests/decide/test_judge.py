"""A bundle's decisions on blocks of scored images: strangers and unreadable files are rejected, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.decide.test_labelled import evidence
from tests.decide.test_novelty import fitted, pictures

from graticule.bundle import Bundle
from graticule.bundle_info import BundleInfo
from graticule.decide.judge import NO_EVIDENCE, Judge, reject_novel
from graticule.decide.options import DecisionOptions
from graticule.errors import OptionError
from graticule.heads.predictor import ScoredFiles
from graticule.images.decode import Decoded
from graticule.images.preprocess import Preprocessing

CLASSES = ["fibre", "glass", "protein"]
RULE = {
    "threshold": [0.6, 0.6, None], "status": "estimated", "target": 0.99, "confidence": 0.95, "per_class": False,
    "n": 300, "accepted": 200, "errors": 1, "words": "planted", "limits": None, "seed": 5,
}  # fmt: skip
NOVELTY, FEATURES, _ = fitted(n=100)


def bundle(*, told: bool = True, novelty: bool = True) -> Bundle:
    """One that stores the planted rule, with or without evidence and novelty."""
    reference: dict[str, Any] = evidence().pack() if told else {}
    if novelty:
        paths = np.frombuffer("\n".join(f"{i}.png" for i in range(len(FEATURES))).encode(), np.uint8)
        reference |= NOVELTY.pack() | {"paths": paths, "features": FEATURES.astype(np.float16)}
    info = BundleInfo(
        graticule_version="0", classes=CLASSES, backbone="none", weights_sha256="", licence="none",
        preprocessing=Preprocessing(32).to_json(), output="out", n_features=80, views=1, heads="one",
        data_sha256="0" * 64, n_training=400, thresholds=RULE if told else None,
    )  # fmt: skip
    return Bundle(info, b"", {}, reference, "")


def block(**other: Any) -> ScoredFiles:
    """Six images: sure, torn, of the class that is never accepted, a stranger, unreadable, and beyond the window."""
    proba = np.array([[0.9, 0.06, 0.04], [0.5, 0.45, 0.05], [0.04, 0.06, 0.9], [0.9, 0.06, 0.04], [np.nan] * 3,
                      [np.nan] * 3])  # fmt: skip
    info = [Decoded()] * 4 + [Decoded(error="no image"), Decoded(error="dark", beyond="values beyond")]
    features = np.concatenate([FEATURES[:3], pictures(4, 1, np.random.default_rng(1)), np.full((2, 80), np.nan)])
    values: dict[str, Any] = {"info": info, "features": features, "members": proba[None], "proba": proba}
    return ScoredFiles(**values | {"reference": features.astype(np.float32)} | other)


def test_each_image_gets_its_decision_and_why() -> None:
    found = Judge(bundle(), DecisionOptions()).judge(block())
    assert found.decision == ["accept", "review", "review", "reject", "reject", "reject"]
    assert found.reason == [
        "sure of fibre", "between fibre and glass",
        "probably protein, but no answer of this kind can be accepted unseen",
        "unlike any training image", "unreadable", "values beyond",
    ]  # fmt: skip
    assert (found.novelty[:3] > 0.01).all()
    assert found.novelty[3] == pytest.approx(1 / (1 + NOVELTY.units))
    assert np.isnan(found.novelty[4:]).all()
    # the sets begin with the best class
    assert [own and own[0] for own in found.sets] == ["fibre", "fibre", "protein", "fibre", None, None]
    assert [own and own[0] for own in found.nearest[:3]] == ["0.png", "1.png", "2.png"]
    assert found.nearest[4:] == [None, None]
    assert found.columns()["novelty"].to_pylist()[4] is None


def test_with_a_false_discovery_rate_strangers_are_left_for_later() -> None:
    found = Judge(bundle(), DecisionOptions(novelty_fdr=True)).judge(block())
    assert found.decision[3] == "accept"
    later = reject_novel(found.decision, found.reason, np.array([False, False, False, True, True, False]))
    assert later[0] == ["accept", "review", "review", "reject", "reject", "reject"]
    assert later[1][3:] == ["unlike any training image", "unreadable", "values beyond"]


def test_without_evidence_only_strangers_are_decided_on() -> None:
    judge = Judge(bundle(told=False), DecisionOptions())
    found = judge.judge(block())
    assert found.decision == [None, None, None, "reject", "reject", "reject"]
    assert found.sets == [None] * 6
    assert judge.promise(0.95) is None
    assert judge.sets_of(np.ones((1, 2, 3)) / 3, np.ones((2, 3)) / 3, 0.9) is None
    assert judge.describe()["acceptance"] == {"status": "none", "words": NO_EVIDENCE}


def test_without_novelty_or_features_nothing_is_novel() -> None:
    for judge, files in (
        (Judge(bundle(novelty=False), DecisionOptions()), block()),
        (Judge(bundle(), DecisionOptions()), block(reference=None)),
    ):
        found = judge.judge(files)
        assert found.decision[3] == "accept"
        assert np.isnan(found.novelty).all()
        assert found.nearest == [None] * 6
    assert Judge(bundle(novelty=False), DecisionOptions()).describe()["novelty"] is None


def test_the_stored_rule_stands_unless_another_is_asked_for() -> None:
    said = Judge(bundle(), DecisionOptions()).describe()
    assert said["acceptance"] == RULE | {"threshold": {"fibre": 0.6, "glass": 0.6, "protein": None}}
    assert said["novelty"]["smallest_p"] == pytest.approx(1 / 401)
    other = Judge(bundle(), DecisionOptions(target_accuracy=0.9)).rule
    assert other is not None
    assert (other.target, other.seed) == (0.9, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class,share\nfibre,1\nfibre,1\n", "class named twice"),
        ("class,share\nfibre,1\nGlass,1\nprotein,1\n", "class that the model does not know"),
        ("class,share\nfibre,1\nglass,1\n", "lacks protein"),
        ("class,share\nfibre,1\nglass,much\nprotein,1\n", "class and share .a number. is needed"),
        ("name,share\nfibre,1\n", "is needed; found 'class'"),
    ],
)
def test_a_mix_that_is_none_is_refused(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mix.csv"
    file.write_text(text)
    with pytest.raises(OptionError, match=words):
        Judge(bundle(), DecisionOptions(prevalence=str(file)))
