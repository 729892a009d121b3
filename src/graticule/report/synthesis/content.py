"""What stands on the page of generated images: a sentence per class, figures beside those of real images, a sheet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule.gates import ACCEPTED, NO_GAIN, NOT_TESTED, REFUSED
from graticule.report.thumbnails import ReadRgb, thumbnail

MISSING = "–"
# of a verdict: what it means for training
MEANINGS = {
    ACCEPTED: "They may train: a gain was shown, and none of the tests on this page speaks against them.",
    NO_GAIN: "Nothing speaks against them, and nothing was gained: train without them.",
    NOT_TESTED: "Nothing found speaks against them. Whether they help was not asked.",
    REFUSED: "They must not train.",
}


@dataclass(frozen=True)
class Sheet:
    """Some generated images of a class beside real ones.

    Attributes
    ----------
    label : str
    rows : list of (generated, nearest parent, ratio, flagged)
        Files; the ratio is 0 for an exact copy and about 1 for a new image.
    real, held_out : list of Path
        Some images that the generator saw, and some that it did not.
    """

    label: str
    rows: list[tuple[Path, Path | None, float, bool]]
    real: list[Path]
    held_out: list[Path]


@dataclass(frozen=True)
class ShownPair:
    """A generated image and the real one that it is nearest to: data URIs, None where a file is gone."""

    made: str | None
    parent: str | None
    ratio: str
    flagged: bool


@dataclass(frozen=True)
class ShownSheet:
    """A sheet with its pictures."""

    label: str
    pairs: list[ShownPair]
    real: list[str]
    held_out: list[str]


def shown_sheet(sheet: Sheet, read: ReadRgb) -> ShownSheet:
    """Read the pictures of a sheet."""
    pairs = [
        ShownPair(thumbnail(made, read), None if parent is None else thumbnail(parent, read), f"{ratio:.2f}", flagged)
        for made, parent, ratio, flagged in sheet.rows
    ]
    rest = [[uri for file in files if (uri := thumbnail(file, read))] for files in (sheet.real, sheet.held_out)]
    return ShownSheet(sheet.label, pairs, rest[0], rest[1])


def answer_on_generated(classes: Sequence[Mapping[str, Any]]) -> str:
    """The verdicts in one sentence."""
    told: dict[str, list[str]] = {}
    for one in classes:
        told.setdefault(one["verdict"], []).append(one["label"])
    parts = [f"{', '.join(names)}: {verdict}" for verdict, names in told.items()]
    return f"{'; '.join(parts)}."


def class_figures(one: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Question, of the generated images, of real ones, and what it means, of a class of gate.json."""
    as_set, each, collapse = one["copied_as_a_set"], one["copied_one_by_one"], one["collapse"]
    right, seen = one["right_class"], one["recognisable"]
    made, real = one["quality"]["generated"], one["quality"]["real"]
    rows = [
        (
            "Nearest to an image that the generator saw",
            _percent(as_set and as_set["share"]),
            "" if not as_set or as_set["p"] is None else f"{as_set['low']:.0%} to {as_set['high']:.0%}",
            "Copied as a set, if above what chance gives"
            + (f"; p = {as_set['p']:.2g}" if as_set and as_set["p"] is not None else "; not asked: too few held out"),
        ),
        (
            "Copies, one by one",
            MISSING if not each else f"{each['n']:,} ({each['share']:.0%}, {each['low']:.0%} to {each['high']:.0%})",
            MISSING if not each else "about 1 %",
            "Nearer to one real image than real images are to each other, turned, blurred or made brighter",
        ),
        (
            "Real images that have one nearby",
            _percent(collapse["coverage"]),
            _percent(collapse["reference"]),
            "The same few pictures, if below half of what as many real images reach",
        ),
        (
            "Pairs as alike as the most alike 1 % of real pairs",
            _percent(collapse["close"]),
            "1%",
            f"{collapse['n_different']:,} of {collapse['n']:,} differ in their pixels; smooth images are more alike",
        ),
        (
            f"Taken for {one['label']} by a model of the real images",
            _percent(right["share"]),
            _percent(right["of_real"]),
            "Not of the class, if below half of what real ones reach that the model did not learn from",
        ),
        (
            "Told from real images by a model",
            _decimal(seen["auc"]),
            _decimal(seen["of_real"]),
            "Area under the ROC curve; 0.5: not at all, 1: always. Beside it: seen against held-out real images",
        ),
        ("KID", _decimal(made["kid"]), _decimal(real["kid"]), "Distance of two sets of features; 0: alike"),
        ("Precision", _decimal(made["precision"]), _decimal(real["precision"]), "Share that lies where real images do"),
        ("Recall", _decimal(made["recall"]), _decimal(real["recall"]), "Share of real images that lie where they do"),
        ("Density", _decimal(made["density"]), _decimal(real["density"]), "How many real neighbourhoods each lies in"),
        (
            "Coverage",
            _decimal(made["coverage"]),
            _decimal(real["coverage"]),
            "Real images with one in their neighbourhood",
        ),
    ]
    if made["fid"] is not None:
        rows.append(("FID", _decimal(made["fid"]), MISSING, "Distance of two Gaussians of features"))
    return rows


def _percent(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0%}"


def _decimal(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
