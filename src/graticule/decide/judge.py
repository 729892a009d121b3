"""A bundle's decisions on new images: prediction sets, novelty, accept, review or reject, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.answers import nullable
from graticule.bundle import Bundle
from graticule.decide.acceptance import rule_asked_for
from graticule.decide.conformal import PredictionSets, p_values, prediction_sets, prepare_sets, promise
from graticule.decide.decisions import NOVEL, REJECT, UNREADABLE, decide
from graticule.decide.evidence import Evidence
from graticule.decide.likeness import Likeness
from graticule.decide.options import DecisionOptions
from graticule.decide.rule import Rule
from graticule.features.samples import reasons_beyond
from graticule.heads.predictor import ScoredFiles
from graticule.images.preprocess import Preprocessing
from graticule.sources.mix import read_mix

NO_EVIDENCE = (
    "the bundle holds no scores of images that its model never saw (trained with --folds 1): nothing is accepted or "
    "sent to review. Train with --folds 5, or with --calibration 0.2"
)


@dataclass(frozen=True)
class Judgement:
    """What is decided on n images.

    Attributes
    ----------
    sets : list of n lists of str, or None for unreadable images and without evidence
    novelty : float array, shape (n,)
        p-values, NaN where unknown.
    decision, reason : lists of n str or None
    nearest : list of n lists of str, or None
        Paths of training images.
    """

    sets: list[list[str] | None]
    novelty: NDArray[np.float64]
    decision: list[str | None]
    reason: list[str | None]
    nearest: list[list[str] | None]

    def columns(self) -> dict[str, Any]:
        """The columns of a shard that hold decisions."""
        return {
            "set": self.sets,
            "novelty": nullable(self.novelty),
            "decision": self.decision,
            "reason": self.reason,
            "nearest": self.nearest,
        }


class Judge:
    """Decides on blocks of scored images, by the rule that the bundle stores unless the options ask for another one.

    Parameters
    ----------
    bundle : Bundle
    options : DecisionOptions

    Raises
    ------
    OptionError
        When an option is out of range.
    BundleError
        When the bundle's evidence is damaged.
    """

    def __init__(self, bundle: Bundle, options: DecisionOptions) -> None:
        options.check()
        self.options = options
        self.classes = tuple(bundle.info.classes)
        self.evidence = Evidence.unpack(bundle.reference)
        self.likeness = Likeness(bundle.reference)
        self.novelty = self.likeness.novelty
        self.rule: Rule | None = None
        self.sets: PredictionSets | None = None
        mix = None if options.prevalence is None else read_mix(options.prevalence, self.classes)
        if self.evidence is not None:
            self.rule = rule_asked_for(
                self.evidence,
                bundle.info.thresholds,
                options.target_accuracy,
                options.confidence,
                per_class=options.per_class,
                prevalence=None if mix is None else mix / mix.sum(),
            )
            self.sets = prepare_sets(self.evidence)
        self.intensity = Preprocessing.from_json(bundle.info.preprocessing).intensity

    def novelty_of(self, reference: NDArray[np.floating] | None, members: NDArray[np.float64]) -> NDArray[np.float64]:
        """Novelty p-values of n readable images, NaN where the bundle cannot tell.

        Parameters
        ----------
        reference : float array, shape (n, d'), or None
            Features in the space of the bundle's reference.
        members : float array, shape (H, n, K)
            Scores by each member of the model, not calibrated.
        """
        if self.novelty is None or reference is None:
            return np.full(members.shape[1], np.nan)
        return self.novelty.p_value(self.novelty.score(reference, members))

    def sets_of(
        self, members: NDArray[np.float64], proba: NDArray[np.float64], level: float
    ) -> NDArray[np.bool_] | None:
        """Prediction sets, shape (n, K), from scores by the members (H, n, K) and calibrated ones (n, K)."""
        if self.sets is None:
            return None
        values = p_values(self.sets, members, members.mean(axis=0), level)
        return prediction_sets(values, proba.argmax(axis=1), level)

    def judge(self, scored: ScoredFiles) -> Judgement:
        """Decisions on one block; with the option `novelty_fdr` novel images are left to `reject_novel`."""
        readable = scored.readable
        rows, n = np.flatnonzero(readable), len(readable)
        proba = scored.proba[rows]
        p, members = np.full(n, np.nan), scored.members[:, rows]
        p[rows] = self.novelty_of(None if scored.reference is None else scored.reference[rows], members)
        alpha = 0.0 if self.options.novelty_fdr else self.options.novelty_alpha
        novel = p[rows] <= alpha
        decision: list[str | None] = [REJECT] * n
        reason: list[str | None] = [UNREADABLE] * n
        sets: list[list[str] | None] = [None] * n
        inside = self.sets_of(members, proba, self.options.coverage)
        if self.rule is not None and inside is not None:
            taken, why = decide(proba, inside, novel, self.rule, self.classes)
            order = np.argsort(-proba, axis=1, kind="stable")
            members_of_set = np.take_along_axis(inside, order, axis=1).tolist()
            for i, (row, best) in enumerate(zip(rows.tolist(), order.tolist(), strict=True)):
                decision[row], reason[row] = str(taken[i]), str(why[i])
                sets[row] = [self.classes[k] for k, belongs in zip(best, members_of_set[i], strict=True) if belongs]
        else:
            for i, row in enumerate(rows.tolist()):
                decision[row], reason[row] = (REJECT, NOVEL) if novel[i] else (None, None)
        for i, beyond in enumerate(reasons_beyond(scored.info, self.intensity)):
            if beyond:
                decision[i], reason[i] = REJECT, beyond
        return Judgement(sets, p, decision, reason, self.likeness.nearest(scored.reference, rows.tolist(), n))

    def promise(self, level: float) -> dict[str, Any] | None:
        """What prediction sets at a level may claim; None without evidence."""
        if self.evidence is None or self.sets is None:
            return None
        return promise(self.evidence, self.sets, level, self.classes)

    def describe(self) -> dict[str, Any]:
        """What the decisions claim, for summary.json."""
        options = self.options
        if self.evidence is None or self.rule is None or self.sets is None:
            acceptance: dict[str, Any] = {"status": "none", "words": NO_EVIDENCE}
            sets = None
        else:
            rule = self.rule.to_json()
            acceptance = rule | {"threshold": dict(zip(self.classes, rule["threshold"], strict=True))}
            sets = self.promise(options.coverage)
        novelty = None
        if self.novelty is not None:
            novelty = {
                "alpha": options.novelty_alpha,
                "false_discovery_rate": options.novelty_fdr,
                "units": self.novelty.units,
                "smallest_p": 1.0 / (1.0 + self.novelty.units),
            }
        return {"acceptance": acceptance, "sets": sets, "novelty": novelty}


def reject_novel(
    decision: Sequence[str | None], reason: Sequence[str | None], novel: NDArray[np.bool_]
) -> tuple[list[str | None], list[str | None]]:
    """Decisions and reasons with novel images rejected; what is rejected already keeps its reason."""
    pairs = [
        (REJECT, NOVEL) if new and old != REJECT else (old, why)
        for old, why, new in zip(decision, reason, novel.tolist(), strict=True)
    ]
    return [d for d, _ in pairs], [r for _, r in pairs]
