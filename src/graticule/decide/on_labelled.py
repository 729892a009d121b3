"""How a bundle's decisions turn out on labelled images: decisions.json and specimens.parquet of an evaluation."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import numbered
from graticule.decide.assessment import LabelledAnswers, assess, assess_calibration, assess_novelty
from graticule.decide.conformal import LEVELS
from graticule.decide.judge import NO_EVIDENCE, Judge
from graticule.decide.labelled import decided, member_scores, undecided
from graticule.decide.novelty import benjamini_hochberg
from graticule.decide.specimens import Verdicts, judge_specimens, specimen_accuracy
from graticule.decide.specimens_table import write_specimens
from graticule.features.samples import Samples
from graticule.heads.predictor import Predictor
from graticule.manifest import escape_path
from graticule.predictions import Predictions

SPECIMEN = "specimen"
MOST_NAMED = 50


def decisions_on(
    samples: Samples,
    predictions: Predictions,
    predictor: Predictor,
    judge_: Judge,
    reference: NDArray[np.float32],
    seed: int,
) -> tuple[dict[str, Any], NDArray[np.bool_] | None]:
    """decisions.json of an evaluation, and which images a person should look at.

    Parameters
    ----------
    samples : Samples
        n labelled images.
    predictions : Predictions
        Their calibrated scores.
    predictor : Predictor
    judge_ : Judge
    reference : float32 array, shape (n, d')
        Their features in the space of the bundle's reference; NaN rows where unknown.
    seed : int

    Returns
    -------
    dict
        "kind": "evaluation", "evidence", "calibration" and the entries of `graticule.decide.assessment.assess`, None
        where the bundle holds no evidence, which "words" says.
    bool array, shape (n,), or None
    """
    answers = _answers(samples, predictions, predictor, judge_, reference)
    alpha = _level_of_rejection(answers, judge_)
    document: dict[str, Any] = {
        "kind": "evaluation",
        "evidence": None,
        "words": NO_EVIDENCE,
        "n": len(answers),
        "calibration": assess_calibration(answers, predictor.calibration.method, seed),
        "decisions": None,
        "acceptance": None,
        "sets": [],
        "novelty": assess_novelty(answers, alpha),
    }
    evidence, rule = judge_.evidence, judge_.rule
    if evidence is None or rule is None:
        return document, None
    document["evidence"] = evidence.describe()
    document |= assess(answers, rule, alpha, predictor.classes) | {"words": None}
    document["sets"] = [found | (judge_.promise(found["level"]) or {}) for found in document["sets"]]
    looked_at = ~rule.accepts(answers.proba) & ~answers.rejected(alpha)
    return document, looked_at


def _level_of_rejection(answers: LabelledAnswers, judge_: Judge) -> float:
    """The p-value at or below which images are rejected as novel; with `novelty_fdr` it depends on all of them."""
    options = judge_.options
    if not options.novelty_fdr:
        return options.novelty_alpha
    rejected = benjamini_hochberg(answers.novelty, options.novelty_alpha)
    return float(answers.novelty[rejected].max(initial=0.0))


def _answers(
    samples: Samples, predictions: Predictions, predictor: Predictor, judge_: Judge, reference: NDArray[np.float32]
) -> LabelledAnswers:
    """Scores, sets and novelty."""
    members = member_scores(predictor.heads, samples.features)
    answers = undecided(
        (predictions.y, members.mean(axis=0), predictions.proba), samples.manifest.group, samples.info, judge_.intensity
    )
    levels = sorted({*LEVELS, judge_.options.coverage})
    return decided(answers, members, reference, judge_.sets, judge_.novelty, levels)


def evaluate_specimens(
    out: Path, samples: Samples, predictions: Predictions, looked_at: NDArray[np.bool_] | None
) -> dict[str, Any] | None:
    """Verdicts on specimens, where the data have a column `specimen`: how often they are right, over specimens.

    Writes specimens.parquet. None without specimens. An image without one belongs to none.
    """
    column = samples.manifest.columns.get(SPECIMEN)
    if column is None or not (column != "").any():
        return None
    names, code = np.unique(column.astype(str), return_inverse=True)
    offset = int(names[0] == "")
    code = np.where(column == "", -1, code - offset).astype(np.int64)
    named = [escape_path(str(name)) for name in names[offset:]]
    review = np.full(len(code), np.nan) if looked_at is None else looked_at.astype(np.float64)
    verdicts = judge_specimens(code, predictions.proba.argmax(axis=1), predictions.proba, review, len(named))
    write_specimens(out / "specimens.parquet", predictions.classes, named, verdicts)
    group = samples.manifest.group
    unit = None if group is None else numbered(group.astype(str))
    found = specimen_accuracy(verdicts, code, predictions.y, unit)
    return found | {"n_without": int((code < 0).sum()), "wrong": _misjudged(verdicts, found, named, predictions)}


def _misjudged(
    verdicts: Verdicts, found: dict[str, Any], names: list[str], predictions: Predictions
) -> list[dict[str, Any]]:
    """The first specimens that one of the two verdicts gets wrong, by name."""
    truth = found.pop("truth")
    wrong = (truth >= 0) & ((verdicts.majority != truth) | (verdicts.by_score != truth))
    classes = predictions.classes

    def called(k: int) -> str | None:
        return None if k < 0 else classes[k]

    return [
        {
            "specimen": names[s],
            "n": int(verdicts.n[s]),
            "label": classes[truth[s]],
            "majority": called(int(verdicts.majority[s])),
            "share": float(verdicts.share[s].max()),
            "mean_score": called(int(verdicts.by_score[s])),
        }
        for s in np.flatnonzero(wrong)[:MOST_NAMED]
    ]
