"""The page of `label-errors`: how many labels are wrong, which class is taken for which, and the images in doubt."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from graticule.errors import ImageError
from graticule.label_errors.words import caveat, copy_words
from graticule.report.audit.content import breakable
from graticule.report.charts import interval_bar
from graticule.report.page import render_page
from graticule.report.thumbnails import FileOf, ReadRgb, data_uri

SHOWN = 200
PAIRS = 10
SIDE = 192
_SMALL = 60


def render_label_errors(document: Mapping[str, Any], read: ReadRgb, file_of: FileOf) -> str:
    """The page of label_errors.json as HTML; it needs no network."""
    pictures = TwoSizes(read, file_of)
    cards = [_card(row, pictures) for row in _shown(document["errors"])]
    others = [card for card in cards if not card["row"]["copies"]]
    longest = max((row["estimated"]["high"] for row in document["pairs"][:PAIRS]), default=1.0)
    content = {
        "about": document,
        "root": shlex.quote(document["root"]),
        "wrong": document["wrong_labels"],
        "verdict": label_error_verdict(document),
        "tiles": label_error_tiles(document),
        "pairs": [row | {"bar": _bar(row, longest)} for row in document["pairs"][:PAIRS]],
        "longest": longest,
        "conflicts": [card for card in cards if card["row"]["copies"]],
        "others": others,
        "n_more": document["n_listed"] - document["n_conflicts"] - len(others),
        "n_missing": sum(card["uri"] is None for card in cards),
    }
    filters: dict[str, Callable[..., Any]] = {"path": breakable, "range": range_words, "score": score_words}
    return render_page("label_errors.html.j2", content, styles=("label_errors.css",), filters=filters)


def points(share: float) -> str:
    """A share as text: "5.2 %", "0.04 %"."""
    value = 100 * share
    digits = 1 if value >= 0.1 or value == 0 else 2
    return f"{value:.{digits}f}\u202f%"


def score_words(score: float) -> str:
    """A score with two digits, never rounded to certainty."""
    return "> 0.99" if score >= 0.995 else f"{score:.2f}"


def range_words(figure: Mapping[str, Any]) -> str:
    """A number of labels with its interval: "12 (8 to 18)"; rounded, since a label is wrong or not."""
    text = f"{figure['value']:,.0f}"
    return text if figure["low"] is None else f"{text} ({figure['low']:,.0f} to {figure['high']:,.0f})"


def label_error_verdict(document: Mapping[str, Any]) -> tuple[str, bool]:
    """The answer at the top of the page, and whether there is something to do."""
    n, wrong, listed = document["n"], document["wrong_labels"], document["n_listed"]
    about = f"About {points(wrong['value'])} of the {n:,} labels are wrong"
    if wrong["low"] is not None:
        about += f" ({100 * wrong['level']:g}\u202f% interval {points(wrong['low'])} to {points(wrong['high'])})"
    about += caveat(document)
    if not listed:
        return f"{about}. No single label is more likely wrong than right.", False
    labels = "1 label is" if listed == 1 else f"{listed:,} labels are"
    text = f"{about}. {labels} listed below: look at them, then train again from cleaned_manifest.csv."
    if document["n_conflicts"]:
        sets = document["conflict_sets"]
        text += f" Begin with the {'picture that has' if sets == 1 else f'{sets:,} pictures that have'} two labels."
    return text, True


def label_error_tiles(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, number and note of the tiles."""
    n, wrong, listed = document["n"], document["wrong_labels"], document["n_listed"]
    expected = f"{wrong['value'] * n:,.0f}"
    interval = "too few groups for an interval"
    if wrong["low"] is not None:
        interval = f"{wrong['low'] * n:,.0f} to {wrong['high'] * n:,.0f}"
    return [
        ("Labels looked at", f"{n:,}", f"{len(document['classes'])} classes"),
        ("Wrong, estimated", expected, interval),
        ("Listed", f"{listed:,}", f"score {document['cut_off']:g} or more"),
        ("In conflict", f"{document['n_conflicts']:,}", "copies under two labels"),
    ]


class TwoSizes:
    """Reads each picture once for both sizes it is shown in."""

    def __init__(self, read: ReadRgb, file_of: FileOf) -> None:
        self._read = read
        self._file_of = file_of
        self._known: dict[str, tuple[str, str] | None] = {}

    def large(self, path: str) -> str | None:
        """Data URI, or None where the file is gone or cannot be read."""
        found = self._both(path)
        return None if found is None else found[0]

    def small(self, path: str) -> str | None:
        """The same, small."""
        found = self._both(path)
        return None if found is None else found[1]

    def _both(self, path: str) -> tuple[str, str] | None:
        if path not in self._known:
            self._known[path] = self._encoded(self._file_of(path))
        return self._known[path]

    def _encoded(self, file: Path | None) -> tuple[str, str] | None:
        if file is None:
            return None
        try:
            pixels = self._read(file)
        except (ImageError, OSError):
            return None
        return data_uri(pixels, SIDE), data_uri(pixels, _SMALL)


def _card(row: Mapping[str, Any], pictures: TwoSizes) -> dict[str, Any]:
    near = row["neighbours"]
    return {
        "row": row,
        "uri": pictures.large(row["path"]),
        "copies": [(copy, copy_words(copy), pictures.large(copy["path"])) for copy in row["copies"]],
        "nearest": [] if near is None else [(n, pictures.small(n["path"])) for n in near["nearest"]],
        "counts": "" if near is None else ", ".join(f"{name} {count}" for name, count in near["labels"].items()),
    }


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first images of the list; of a set of copies the most suspect one, which shows the others beside it."""
    seen: set[str] = set()
    shown = []
    for row in rows:
        if row["path"] not in seen:
            shown.append(row)
            seen.update(copy["path"] for copy in row["copies"])
    return shown[:SHOWN]


def _bar(row: Mapping[str, Any], longest: float) -> Markup:
    """The estimated number of a pair as a dot, its interval as a line; all pairs on one scale."""
    return interval_bar({name: row["estimated"][name] / longest for name in ("value", "low", "high")})
