"""What stands on the page of directions: the answer in one sentence, cards, and rows of figures with their limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.arrays import FloatArray
from graticule.directions.options import LGO, LGO_FIJI, TENSOR
from graticule.directions.verdict import CROSSED, DIRECTION, EMPTY, NONE

MISSING = "–"


@dataclass(frozen=True)
class PictureTile:
    """One image of the page.

    Attributes
    ----------
    path, verdict : str
    words : tuple of str
        What is said of it, the verdict first.
    figures : mapping
        Numbers of its row by name, NaN where there is none.
    distribution, fitted : float arrays, shape (180,)
    survey : str
        Data URI of the picture coloured by direction.
    """

    path: str
    verdict: str
    words: tuple[str, ...]
    figures: Mapping[str, float]
    distribution: FloatArray
    fitted: FloatArray
    survey: str


def answer_on_directions(summary: Mapping[str, Any]) -> str:
    """How many images have a direction, in one sentence."""
    counts, n = summary["verdicts"], summary["n"] - summary["n_unreadable"]
    if n == 0:
        return "No image could be measured."
    named = counts[DIRECTION] + counts[CROSSED]
    if n == 1:
        return "The image has a preferred direction." if named else "The image has no preferred direction."
    if named == n:
        return f"All {n:,} images have a preferred direction."
    return f"{named:,} of {n:,} images have a preferred direction; of the others none is given."


def direction_cards(summary: Mapping[str, Any], tiles: Sequence[PictureTile]) -> list[tuple[str, str, str]]:
    """Name, value and explanation of what stands on top."""
    counts = summary["verdicts"]
    shares = [tile.figures["share"] for tile in tiles if np.isfinite(tile.figures["share"])]
    middle = f"{np.median(shares):.2f}" if shares else MISSING
    return [
        ("one direction", f"{counts[DIRECTION]:,}", "told from chance"),
        ("two, crossing", f"{counts[CROSSED]:,}", "S is low, S4 is not"),
        ("none preferred", f"{counts[NONE]:,}", "as noise or chance gives"),
        ("no structure", f"{counts[EMPTY]:,}", "nothing above the noise"),
        ("share in the peak", middle, "median of the images below"),
        ("depend on scale", f"{summary['n_scales_disagree']:,}", "by more than 0.1"),
    ]


def limited(figures: Mapping[str, float], name: str, unit: str = "") -> tuple[str, str]:
    """A figure and its limits as text."""
    value, low, high = (figures[f"{name}{end}"] for end in ("", "_low", "_high"))
    if not np.isfinite(value):
        return MISSING, ""
    digits = 1 if unit else 2
    span = f"{low:.{digits}f} to {high:.{digits}f}" if np.isfinite(low) else ""
    return f"{value:.{digits}f}{unit}", span


_TENSOR_COLUMNS = (
    ("direction", "Direction", "°"),
    ("share", "Share", ""),
    ("spread", "Spread", "°"),
    ("order", "S", ""),
    ("fourth", "S4", ""),
    ("deviation", "Deviation", "°"),
    ("goodness", "Goodness", ""),
    ("used", "Used", ""),
)
_LGO_COLUMNS = (
    ("lgo_direction", "LGO direction", "°"),
    ("lgo_dispersion", "LGO dispersion", "°"),
    ("lgo_amount", "LGO amount", ""),
    ("lgo_corrected", "less the ground", ""),
)
_FIJI_COLUMNS = (
    ("lgo_fiji_direction", "Fiji direction", "°"),
    ("lgo_fiji_dispersion", "Fiji dispersion", "°"),
    ("lgo_fiji_amount", "Fiji amount", ""),
    ("lgo_fiji_goodness", "Fiji goodness", ""),
)


@dataclass(frozen=True)
class FigureTable:
    """Columns by their titles, and a row of (value, limits) for each image."""

    titles: list[str]
    rows: list[tuple[str, list[tuple[str, str]]]]


def _plain(figures: Mapping[str, float], name: str, unit: str) -> tuple[str, str]:
    value = figures[name]
    return (f"{value:.{1 if unit else 2}f}{unit}", "") if np.isfinite(value) else (MISSING, "")


def table_of(tiles: Sequence[PictureTile], method: str, *, along: bool) -> FigureTable:
    """The figures of the images, those of the method that was asked for first."""
    own = [*_TENSOR_COLUMNS, *((("along_share", "Along", ""), ("along_order", "Order along", "")) if along else ())]
    beside = [*(_FIJI_COLUMNS if method == LGO_FIJI else ()), *_LGO_COLUMNS]
    rows = []
    for tile in tiles:
        limits = [limited(tile.figures, name, unit) for name, _, unit in own]
        plain = [_plain(tile.figures, name, unit) for name, _, unit in beside]
        rows.append((tile.path, limits + plain if method == TENSOR else plain + limits))
    first, second = ([title for _, title, _ in columns] for columns in (own, beside))
    return FigureTable(first + second if method == TENSOR else second + first, rows)


_HEADLINES = {
    TENSOR: _TENSOR_COLUMNS[:4],
    LGO: _LGO_COLUMNS,
    LGO_FIJI: (*_FIJI_COLUMNS[:3], *_LGO_COLUMNS[:3]),
}


def headline(rows: Sequence[Mapping[str, Any]], method: str) -> tuple[list[str], list[list[str]]]:
    """Titles and cells of the few figures that lead, for a terminal."""
    columns = _HEADLINES[method]
    table = []
    for row in rows:
        cells = [limited(row, name, unit) if method == TENSOR else _plain(row, name, unit) for name, _, unit in columns]
        table.append([row["path"], *(f"{value} ({span})" if span else value for value, span in cells), row["verdict"]])
    return [*(title.lower() if len(title) > 2 else title for _, title, _ in columns), "verdict"], table


def scale_table(tiles: Sequence[PictureTile]) -> FigureTable:
    """S and share of each image at each scale, and where contrast decides what counts."""
    if not tiles:
        return FigureTable([], [])
    scales = [name.removeprefix("order_sigma") for name in tiles[0].figures if name.startswith("order_sigma")]
    names = [
        (f"{kind}_sigma{scale}", f"{title}, sigma {scale}")
        for kind, title in (("order", "S"), ("share", "Share"))
        for scale in scales
    ]
    names += [
        ("order_by_energy", "S by contrast"),
        ("share_by_energy", "Share by contrast"),
        ("coherency", "Mean coherency"),
    ]
    rows = [(tile.path, [_plain(tile.figures, name, "") for name, _ in names]) for tile in tiles]
    return FigureTable([title for _, title in names], rows)
