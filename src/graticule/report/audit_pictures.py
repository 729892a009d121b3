"""Pictures on the page of an audit: examples of each class, and pairs side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule.errors import ImageError
from graticule.report.thumbnails import ReadRgb, encode

SIDE = 168
PAIRS = 24
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
class Pair:
    """Two pictures that are the same or nearly so.

    Attributes
    ----------
    a, b : Card
    identical : bool
        Same pixels.
    similarity : float or None
        0 to 1.
    change : str
        What leads from one to the other, in words; may be empty.
    """

    a: Card
    b: Card
    identical: bool
    similarity: float | None
    change: str


def examples_each(n_classes: int) -> int:
    """Pictures shown of each class."""
    return min(PER_CLASS if n_classes <= MANY_CLASSES else PER_CLASS // 2, max(1, _EXAMPLES // max(1, n_classes)))


class Pictures:
    """Reads and shrinks each picture once.

    Parameters
    ----------
    read : function of a path
        See `graticule.report.audit_page.render_audit`.
    file_of : function of a path of the document
    """

    def __init__(self, read: ReadRgb, file_of: Callable[[str], Path | None]) -> None:
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
            return encode(self._read(file), SIDE)
        except (ImageError, OSError):
            return None

    def pairs(self, rows: Sequence[Mapping[str, Any]]) -> list[Pair]:
        """The first pairs of a list of duplicates or conflicts."""
        return [self._pair(row) for row in rows[:PAIRS]]

    def _pair(self, row: Mapping[str, Any]) -> Pair:
        labels = [str(label or "") for label in row.get("labels") or ("", "")]
        similarity = row.get("similarity")
        return Pair(
            self.card(str(row["a"]), labels[0]),
            self.card(str(row["b"]), labels[1]),
            row.get("kind") == "exact",
            None if similarity is None else float(similarity),
            str(row.get("change") or ""),
        )

    def examples(self, examples: Mapping[str, Sequence[str]]) -> list[tuple[str, list[Card]]]:
        """Up to six pictures of each class; up to three above twelve classes, of 240 classes at most."""
        each = examples_each(len(examples))
        shown = list(examples.items())[:_EXAMPLES]
        return [(name, [self.card(path, name) for path in paths[:each]]) for name, paths in shown]
