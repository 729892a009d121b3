"""The document of an audit of a number in place of classes, as `audit.json` holds it."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from graticule.audit.document import AuditedImages, ClassInstruments, ToldPart


class TargetNumbers(ToldPart):
    """The column of numbers: how many there are and what they reach.

    Attributes
    ----------
    column : str
    n, n_different : int
        Images with a number; different numbers.
    low, middle, high, mean, sd : float
    between_groups : float or None
        Share of the variance that lies between groups; None without groups.
    counts : tuple of int
        Images in equal bins from `low` to `high`; empty in documents of earlier versions.
    """

    column: str
    n: int
    n_different: int
    low: float
    middle: float
    high: float
    mean: float
    sd: float
    between_groups: float | None = None
    counts: tuple[int, ...] = ()


class ValueCueRow(ToldPart):
    """What one cue tells of the number, see `graticule.audit.value_cues.ValueAssociation`."""

    cue: str
    words: str
    r2: float
    low: float | None
    high: float | None
    p_value: float
    nature: str
    flagged: bool
    advice: str


class ScaleFindings(ToldPart):
    """Pixel sizes against the number.

    Attributes
    ----------
    low, high : float
        Smallest and largest pixel size, nanometres.
    slope : float or None
        By which power of the pixel size the number rises: near 1 a length, near 2 an area; None where numbers are not
        above 0.
    """

    low: float
    high: float
    slope: float | None


class ValueAuditDocument(AuditedImages):
    """audit.json of images with a number each."""

    AFTER: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "verb": ("task",),
        "n": ("n_without_target",),
        "n_synthetic": ("target",),
        "conflicts": ("cues",),
        "leaks": ("instrument", "scale"),
    }

    task: Literal["regression"] = "regression"
    n_without_target: int = 0
    target: TargetNumbers
    cues: tuple[ValueCueRow, ...] = ()
    instrument: ClassInstruments | None = None
    scale: ScaleFindings | None = None
