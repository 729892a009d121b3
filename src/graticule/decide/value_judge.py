"""A bundle's decisions on new images of a model of numbers: limits, novelty, accept, review or reject, and why."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.answers import nullable
from graticule.arrays import FloatArray
from graticule.bundle import ValueBundle
from graticule.decide.decisions import REJECT, REVIEW, UNREADABLE
from graticule.decide.likeness import Likeness
from graticule.decide.options import ValueDecisionOptions
from graticule.decide.value_decisions import ValueRule, decide_values, without_promise
from graticule.decide.value_intervals import ValueIntervals
from graticule.features.samples import reasons_beyond
from graticule.images.preprocess import Preprocessing
from graticule.regress.predictor import ValuedFiles, ValuePredictor
from graticule.regress.target import Target

NO_PIXEL_SIZE = "its pixel size is not known, and the number is a length learnt in pixels"


@dataclass(frozen=True)
class ValueJudgement:
    """What is said of n images.

    Attributes
    ----------
    value, low, high : float arrays, shape (n,)
        In the unit of the target; NaN where unreadable, limits also where none can be promised.
    novelty : float array, shape (n,)
        p-values, NaN where unknown.
    decision, reason : lists of n str
    nearest : list of n lists of str, or None
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    novelty: FloatArray
    decision: list[str]
    reason: list[str]
    nearest: list[list[str] | None]

    def columns(self) -> dict[str, Any]:
        """The columns of a shard that hold decisions."""
        return {
            "novelty": nullable(self.novelty),
            "decision": self.decision,
            "reason": self.reason,
            "nearest": self.nearest,
        }


class ValueJudge:
    """Decides on blocks of predicted numbers.

    Parameters
    ----------
    bundle : ValueBundle
    options : ValueDecisionOptions

    Raises
    ------
    OptionError
        When an option is out of range.
    BundleError
        When the bundle's evidence is damaged.
    """

    def __init__(self, bundle: ValueBundle, options: ValueDecisionOptions) -> None:
        options.check()
        self.options, self.level = options, options.level
        self.target: Target = ValuePredictor.target_of(bundle.info)
        self.likeness = Likeness(bundle.reference)
        document = bundle.info.intervals
        self.intervals = None if document is None else ValueIntervals.from_arrays(bundle.reference, document)
        least, most = bundle.info.trained_on
        self.rule = ValueRule(options.max_width, least, most, bundle.info.unit)
        self.compared_by = "orientation statistics" if not bundle.model else "the network's features"
        self.intensity = Preprocessing.from_json(bundle.info.preprocessing).intensity

    def limits(
        self, learnt: FloatArray, novelty: FloatArray | None, sizes: FloatArray | None, level: float
    ) -> tuple[FloatArray, FloatArray]:
        """Limits of predicted numbers (n,) that are on the scale that is learnt, in the unit of the target.

        Parameters
        ----------
        learnt : float array, shape (n,)
        novelty : float array, shape (n,), or None
            `Likeness.scores`.
        sizes : float array, shape (n,), or None
            Pixel sizes, nm.
        level : float
        """
        if self.intervals is None:
            return np.full(len(learnt), np.nan), np.full(len(learnt), np.nan)
        difficulty = None if novelty is None else novelty[:, None]
        low, high = self.intervals.apply(learnt, difficulty, level)
        return self.target.restored(low, sizes), self.target.restored(high, sizes)

    def judge(self, valued: ValuedFiles, sizes: FloatArray | None) -> ValueJudgement:
        """What to do with each file of a block; pixel sizes (n,) in nm, NaN where unknown, where they count."""
        readable = valued.readable
        rows, n = np.flatnonzero(readable), len(readable)
        own = None if sizes is None else sizes[rows]
        value, low, high, p = (np.full(n, np.nan) for _ in range(4))
        learnt = valued.learnt[rows]
        score = None if valued.reference is None else self.likeness.scores(valued.reference[rows])
        if score is not None:
            p[rows] = self.likeness.p_values(score)
        # with the rate of false discoveries bounded, novel images are told at the end
        novel = p[rows] <= (0.0 if self.options.novelty_fdr else self.options.novelty_alpha)
        value[rows] = self.target.restored(learnt, own)
        low[rows], high[rows] = without_promise(*self.limits(learnt, score, own, self.level), novel)
        decision, reason = [REJECT] * n, [UNREADABLE] * n
        # before it is cut to the bounds: that would hide how far the model goes
        said = self.target.beyond_bounds(learnt, own)
        taken, why = decide_values(said, low[rows], high[rows], novel, self.rule)
        for i, row in enumerate(rows.tolist()):
            decision[row], reason[row] = str(taken[i]), str(why[i])
            if np.isnan(value[row]):
                decision[row], reason[row] = REVIEW, NO_PIXEL_SIZE
        for i, beyond in enumerate(reasons_beyond(valued.info, self.intensity)):
            if beyond:
                decision[i], reason[i] = REJECT, beyond
        nearest = self.likeness.nearest(valued.reference, rows.tolist(), n)
        return ValueJudgement(value, low, high, p, decision, reason, nearest)

    def describe(self) -> dict[str, Any]:
        """What the decisions claim, for summary.json."""
        novelty = None
        if self.likeness.novelty is not None:
            units = self.likeness.novelty.units
            novelty = {
                "alpha": self.options.novelty_alpha,
                "false_discovery_rate": self.options.novelty_fdr,
                "features": self.compared_by,
                "units": units,
                "smallest_p": 1.0 / (1.0 + units),
            }
        return {
            "level": self.level,
            "limits": None if self.intervals is None else self.intervals.promise(self.level),
            "max_width": self.rule.max_width,
            "trained_on": [self.rule.least, self.rule.most],
            "novelty": novelty,
        }
