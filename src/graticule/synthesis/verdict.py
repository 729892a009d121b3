"""What is to be done with the generated images of a class, and why, in sentences.

refused         they are copies, or the same few pictures, or not of the class
accepted        none of these, and a gain was shown
no gain shown   none of these, and a gain was looked for
use not tested  none of these, and no gain was looked for
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from graticule.arrays import BoolArray
from graticule.gates import ACCEPTED, NO_GAIN, NOT_TESTED, REFUSED
from graticule.synthesis.copies import LEAST_HELD_OUT, LEAST_PARENTS, Copies, SetTest
from graticule.synthesis.quality import Quality
from graticule.synthesis.variety import Variety

# chance of blaming new images, as a set; and of calling as many single ones copies
SET_LEVEL, SINGLE_LEVEL = 0.02, 0.01
# share of single copies that a class may hold
COPIES_BORNE = 0.05
# of what real images reach
LEAST_COVERAGE = LEAST_AGREEMENT = 0.5
# area under the curve from which generated images can be told from real ones
RECOGNISED = 0.95


@dataclass(frozen=True)
class ClassJudgement:
    """What was found about the generated images of one class.

    Attributes
    ----------
    label : str
    n_generated, n_parents, n_held_out : int
    n_different_parents : int
        Parents that are no copies of each other, of the generator that saw the fewest.
    as_set : SetTest or None
    each : Copies or None
        None with fewer than `LEAST_PARENTS` different parents.
    variety : Variety
    agreement, agreement_of_real : float
        Share of images of which a model of the real ones names the class; NaN where none could be made.
    distinguished, distinguished_real : float
        Area under the curve of generated against real images, and of parents against held-out ones; NaN: too few.
    quality, quality_of_real : Quality
    use : dict or None
        What the use test found, with its key "accepted".
    of_all_classes : bool
        Whether every class of the real images has generated ones.
    """

    label: str
    n_generated: int
    n_parents: int
    n_held_out: int
    n_different_parents: int
    as_set: SetTest | None
    each: Copies | None
    variety: Variety
    agreement: float
    agreement_of_real: float
    distinguished: float
    distinguished_real: float
    quality: Quality
    quality_of_real: Quality
    use: dict[str, Any] | None = None
    of_all_classes: bool = False

    @property
    def flagged(self) -> BoolArray | None:
        """Generated images that are copies one by one."""
        return None if self.each is None else self.each.flagged

    @property
    def verdict(self) -> str:
        """One of `graticule.gates.GATES`."""
        if faults(self):
            return REFUSED
        if self.use is None:
            return NOT_TESTED
        return ACCEPTED if self.use["accepted"] else NO_GAIN

    def describe(self) -> dict[str, Any]:
        """For gate.json; what is not a number is null."""
        each = self.each
        return {
            "label": self.label,
            "n_generated": self.n_generated,
            "n_parents": self.n_parents,
            "n_held_out": self.n_held_out,
            "copied_as_a_set": None if self.as_set is None else _plain(asdict(self.as_set)),
            "copied_one_by_one": each
            and _plain(
                {
                    "n": int(each.flagged.sum()),
                    "share": each.share,
                    "low": each.low,
                    "high": each.high,
                    "p": each.p,
                    "n_reference": each.n_reference,
                }
            ),
            "collapse": _plain(asdict(self.variety)),
            "right_class": _plain({"share": self.agreement, "of_real": self.agreement_of_real}),
            "recognisable": _plain({"auc": self.distinguished, "of_real": self.distinguished_real}),
            "quality": {
                "generated": _plain(asdict(self.quality)),
                "real": _plain(asdict(self.quality_of_real)),
            },
            "use": self.use,
            "verdict": self.verdict,
            "reasons": reasons(self),
        }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in values.items()}


def faults(found: ClassJudgement) -> list[str]:
    """Why the images of a class are refused, a sentence each; none where they are not."""
    out = []
    if found.each is None:
        out.append(
            f"The generator saw {found.n_different_parents:,} different images of this class; with fewer than "
            f"{LEAST_PARENTS} new images cannot be told from copies."
        )
    if found.as_set is not None and found.as_set.made and found.as_set.p < SET_LEVEL:
        out.append(
            f"Copied as a set: {found.as_set.share:.0%} of the generated images are nearest to an image that the "
            f"generator saw, where {found.as_set.low:.0%} to {found.as_set.high:.0%} are by chance "
            f"(p = {found.as_set.p:.2g})."
        )
    if found.each is not None and found.each.low > COPIES_BORNE and found.each.p < SINGLE_LEVEL:
        out.append(
            f"Copied one by one: {int(found.each.flagged.sum()):,} of {found.n_generated:,} images "
            f"({found.each.share:.0%}, {found.each.low:.0%} to {found.each.high:.0%}) are nearer to an image that the "
            f"generator saw than real images are to each other; about 1 in 100 is by chance."
        )
    if found.variety.coverage < LEAST_COVERAGE * found.variety.reference:
        out.append(
            f"The same few pictures: the generated images come near {found.variety.coverage:.0%} of the real ones; as "
            f"many real images come near {found.variety.reference:.0%}."
        )
    if found.agreement < LEAST_AGREEMENT * found.agreement_of_real:
        out.append(
            f"Not of the class: a model of the real images takes {found.agreement:.0%} of the generated ones for "
            f"{found.label}, of real ones {found.agreement_of_real:.0%}."
        )
    return out


def reasons(found: ClassJudgement) -> list[str]:
    """Why the verdict is what it is, and what could not be asked, a sentence each."""
    refused = faults(found)
    out = list(refused)
    if not refused:
        out.append("No copies were found, nor the same few pictures; that is no proof that nobody can be recognised.")
    if found.as_set is not None and not found.as_set.made:
        out.append(
            f"Whether they are copied as a set was not asked: that takes {LEAST_HELD_OUT} images of the same groups "
            f"that the generator did not see, and there are {found.as_set.n_held_out:,}."
        )
    if found.agreement != found.agreement:
        out.append("Whether they are of the class was not asked: a model of the real images needs two classes or more.")
    if found.distinguished > RECOGNISED:
        told = (
            "A model tells the generated images from real ones: it may learn how they were made rather than what they "
            "show."
        )
        out.append(told if found.of_all_classes else f"{told} Generate images of the other classes too, as many.")
    if not refused and found.use is None:
        out.append("Whether a classifier gains by them was not tested.")
    elif not refused and found.use is not None:
        out.append(str(found.use["words"]))
    return out
