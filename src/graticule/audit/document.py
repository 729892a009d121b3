"""The document of an audit: what the job gathers, the rules and the page read, and audit.json holds."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Harm = Literal["high", "medium", "low"]


class ToldPart(BaseModel):
    """Checked when it is made, and then left as it is; `class_` is "class" in audit.json."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, alias_generator=lambda name: name.rstrip("_")
    )


class GroupColumn(ToldPart):
    """Groups in use: the column, how many there are, and how many hold images of each class."""

    column: str
    n: int
    per_class: dict[str, int]


class SizeCount(ToldPart):
    """Images of one size in pixels and one kind of pixels."""

    width: int
    height: int
    mode: str
    n: int


class FormatCount(ToldPart):
    """Images of one file format, compression and depth in bits."""

    format: str
    compression: str
    bits: int
    n: int


class UnreadableFile(ToldPart):
    """A file that cannot be read, and why."""

    path: str
    error: str


class CopyPair(ToldPart):
    """Two images of one picture, see `graticule.split.duplicates.find.Pair`."""

    a: str
    b: str
    kind: Literal["exact", "near"]
    labels: tuple[str, str]
    similarity: float
    change: str


class CopyFamily(ToldPart):
    """Images that hang together as copies, see `graticule.split.duplicates.families.Family`."""

    n: int
    kind: Literal["exact", "near"]
    complete: bool
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    similarity: float
    changes: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether its images carry different labels; those without one differ from none."""
        return len(set(self.labels) - {""}) > 1


class FamilyCounts(ToldPart):
    """How many families, of how many images; and how many families of each kind."""

    n: int = 0
    images: int = 0
    exact: int = 0
    near: int = 0


class LargestFamily(ToldPart):
    """Images of the largest family, and their share of the class that most of them are of."""

    n: int
    share: float
    class_: str


class CopyCounts(FamilyCounts):
    """Counts of all families and of those under two labels; families that hold a good part of a class, in words."""

    two_labels: FamilyCounts = FamilyCounts()
    largest: LargestFamily | None = None
    notes: tuple[str, ...] = ()


class _CueRow(ToldPart):
    """What one cue tells of the class, see `graticule.audit.shortcuts.Association`."""

    cue: str
    class_: str
    strength: float
    low: float | None
    high: float | None
    measure: str
    accuracy: float
    accuracy_measure: str
    chance: float
    p_value: float
    nature: str


class ShortcutRow(_CueRow):
    """A cue that gives the class away, and what to do about it."""

    advice: str


class AssociationRow(_CueRow):
    """A cue that was measured."""

    words: str
    flagged: bool


class LeakRow(ToldPart):
    """What lies in two parts of a split, see `graticule.split.leaks.Leak`; or a test part used for choosing."""

    kind: str
    parts: tuple[str, ...]
    what: str
    n: int
    examples: tuple[str, ...] = ()


class ClassInstruments(ToldPart):
    """Pixel sizes in nanometres and instruments of the images of a class that state them."""

    n: int
    min: float | None
    median: float | None
    max: float | None
    instruments: dict[str, int]


class InstrumentFindings(ToldPart):
    """How many images state their pixel size, what each class states, and what is odd about it."""

    known: int = 0
    per_class: dict[str, ClassInstruments] = {}
    warnings: tuple[str, ...] = ()


class InfoBarCounts(ToldPart):
    """Images with an info bar, and the least and the largest height of a bar in rows."""

    n: int = 0
    per_class: dict[str, int] = {}
    rows: tuple[int, int] | None = None


class ClassMarks(ToldPart):
    """Ultrasound frames of a class, those with burnt-in marks, and the mean share of a frame that marks cover."""

    frames: int
    n: int
    area_outside: float
    area_inside: float


class MarkCounts(ToldPart):
    """Ultrasound frames, those with burnt-in marks, and whether marks are masked."""

    frames: int = 0
    n: int = 0
    masked: bool = False
    per_class: dict[str, ClassMarks] = {}


class IntensityWords(ToldPart):
    """How values become grey levels, and why so."""

    policy: str = ""
    why: str = ""


class NoteCount(ToldPart):
    """What reader and instrument files remarked, on how many images, such as which."""

    note: str
    n: int
    examples: tuple[str, ...] = ()


class EmbeddingCount(ToldPart):
    """Images that were decoded, those found in the cache, and the seconds it took."""

    decoded: int
    cached: int
    seconds: float


class Advice(ToldPart):
    """One recommendation.

    Attributes
    ----------
    rule : str
        A stable name of the rule.
    harm : "high", "medium" or "low"
        How wrong a result can be that is got without following it.
    title, why, do : str
        What was found, why it makes a result wrong, and what to do; commands and columns in backticks.
    """

    rule: str
    harm: Harm
    title: str
    why: str
    do: str


class AuditedImages(ToldPart):
    """What every audit tells, whatever the images are labelled with. A part that is left out counts as not found.

    `without_parents` and `unproven` say why `train` refuses the synthetic images, where it does: for what they were
    made from, or for what their gate says.
    """

    verb: Literal["audit"] = "audit"
    graticule_version: str = ""
    created_utc: str = ""
    wall_time_s: float | None = None
    command: str = ""
    packages: dict[str, str] = {}
    source: str = ""
    root: str = ""
    n: int = 0
    n_synthetic: int = 0
    without_parents: str = ""
    unproven: str = ""
    groups: GroupColumn | None = None
    sizes: tuple[SizeCount, ...] = ()
    formats: tuple[FormatCount, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
    duplicates: tuple[CopyPair, ...] = ()
    n_duplicates: dict[Literal["exact", "near"], int] = {}
    families: tuple[CopyFamily, ...] = ()
    components: CopyCounts = CopyCounts()
    conflicts: tuple[CopyPair, ...] = ()
    leaks: tuple[LeakRow, ...] = ()
    info_bars: InfoBarCounts = InfoBarCounts()
    marks: MarkCounts = MarkCounts()
    intensity: IntensityWords = IntensityWords()
    notes: tuple[NoteCount, ...] = ()
    warnings: tuple[str, ...] = ()
    examples: dict[str, tuple[str, ...]] = {}
    embedding: EmbeddingCount | None = None
    recommendations: tuple[Advice, ...] = ()

    # after which part of the base own parts stand in audit.json
    AFTER: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def to_json(self) -> dict[str, Any]:
        """The content of audit.json without its schema version, as plain values."""
        told = self.model_dump(mode="json", by_alias=True)
        own = {name for names in self.AFTER.values() for name in names}
        order = [one for name in told if name not in own for one in (name, *self.AFTER.get(name, ()))]
        return {name: told[name] for name in order}


class AuditDocument(AuditedImages):
    """audit.json of images with classes, without its schema version."""

    AFTER: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "n": ("n_unlabelled",),
        "n_synthetic": ("classes",),
        "conflicts": ("shortcuts", "associations"),
        "leaks": ("instrument",),
    }

    n_unlabelled: int = 0
    classes: dict[str, int] = {}
    shortcuts: tuple[ShortcutRow, ...] = ()
    associations: tuple[AssociationRow, ...] = ()
    instrument: InstrumentFindings = InstrumentFindings()
