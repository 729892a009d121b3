"""Pictures on the page of an audit: examples of each class, and families of copies, a strip each."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from graticule.audit.document import CopyFamily
from graticule.errors import ImageError
from graticule.report.thumbnails import FileOf, ReadRgb, data_uri

SIDE = 168
FAMILIES = 24
STRIP = 8
PER_CLASS = 6
MANY_CLASSES = 12
_EXAMPLES = 240


@dataclass(frozen=True)
class Card:
    """One picture.

    Attributes
    ----------
    path, label : str
        As in the document; the label may be empty.
    uri : str or None
        The picture itself, None where the file is gone or cannot be read.
    """

    path: str
    label: str
    uri: str | None


@dataclass(frozen=True)
class Strip:
    """A family of copies.

    Attributes
    ----------
    cards : list of Card
        At most `STRIP` of its images, those of one label beside each other, the rarest label first.
    n : int
        Images of the family.
    rest : list of (str, str)
        Paths and labels of the images that are not shown.
    labels : list of (str, int)
        Images of each label, most first; the label may be empty.
    how : str
        How the images are alike, in words.
    differs : bool
        Whether they carry two labels or more.
    """

    cards: list[Card]
    n: int
    rest: list[tuple[str, str]]
    labels: list[tuple[str, int]]
    how: str
    differs: bool


def examples_each(n_classes: int) -> int:
    """Pictures shown of each class."""
    return min(PER_CLASS if n_classes <= MANY_CLASSES else PER_CLASS // 2, max(1, _EXAMPLES // max(1, n_classes)))


def how_alike(family: CopyFamily) -> str:
    """How the images of a family of the document are alike, in words."""
    if family.kind == "exact":
        return "identical pixels"
    many = len(family.paths) > 2
    found = ["nearly identical"]
    if many and family.complete:
        found = ["all nearly identical to each other"]
    elif many:
        found = ["a chain: each is nearly identical to at least one other, not every two need be"]
    found.append(f"similarity {'from ' if many else ''}{family.similarity:.3f}{' up' if many else ''}")
    return "; ".join([", ".join(found), *family.changes])


def in_strip(labels: Sequence[str], preferred: Sequence[bool], most: int = STRIP) -> list[int]:
    """Which images of a family are shown: of each label in turn, the rarest first, until the strip is full.

    Parameters
    ----------
    labels : sequence of n str
    preferred : sequence of n bool
        Of one label these come first.
    most : int
        Images in a strip.

    Returns
    -------
    list of int
        Places, those of one label beside each other.
    """
    counts = Counter(labels)
    rank = {label: k for k, label in enumerate(sorted(counts, key=lambda label: (counts[label], label)))}
    turn: Counter[str] = Counter()
    order = []
    for i in sorted(range(len(labels)), key=lambda i: (not preferred[i], i)):
        order.append((turn[labels[i]], rank[labels[i]], i))
        turn[labels[i]] += 1
    chosen = sorted(order)[:most]
    return [i for _, _, i in sorted(chosen, key=lambda found: (found[1], found[0]))]


class AuditPictures:
    """Reads and shrinks each picture once."""

    def __init__(self, read: ReadRgb, file_of: FileOf) -> None:
        self._read = read
        self._file_of = file_of
        self._known: dict[str, str | None] = {}

    def card(self, path: str, label: str = "") -> Card:
        """The picture of a path of the document."""
        if path not in self._known:
            self._known[path] = self._encoded(path)
        return Card(path, label, self._known[path])

    def _encoded(self, path: str) -> str | None:
        file = self._file_of(path)
        if file is None:
            return None
        try:
            return data_uri(self._read(file), SIDE)
        except (ImageError, OSError):
            return None

    def strips(self, families: Sequence[CopyFamily], first: Collection[str] = ()) -> list[Strip]:
        """The first families of a list; of each label the paths among `first` come before the others."""
        return [self._strip(family, first) for family in families[:FAMILIES]]

    def _strip(self, family: CopyFamily, first: Collection[str]) -> Strip:
        paths, labels = family.paths, family.labels
        shown = in_strip(labels, [path in first for path in paths])
        rest = sorted(set(range(len(paths))) - set(shown))
        return Strip(
            [self.card(paths[i], labels[i]) for i in shown],
            len(paths),
            [(paths[i], labels[i]) for i in rest],
            Counter(labels).most_common(),
            how_alike(family),
            family.differs,
        )

    def examples(self, examples: Mapping[str, Sequence[str]]) -> list[tuple[str, list[Card]]]:
        """Up to six pictures of each class; up to three above twelve classes, of 240 classes at most."""
        each = examples_each(len(examples))
        shown = list(examples.items())[:_EXAMPLES]
        return [(name, [self.card(path, name) for path in paths[:each]]) for name, paths in shown]
