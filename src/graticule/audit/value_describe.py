"""The parts of an audit's document that speak of the numbers of images: counted, compared and named."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from graticule.arrays import BoolArray, FloatArray, object_array
from graticule.audit.describe import copies
from graticule.audit.document import ClassInstruments, CopyCounts, CopyFamily, FamilyCounts, LargestFamily
from graticule.audit.instruments import Instruments, describe_instruments
from graticule.audit.value_cues import ValueAssociation, ValueCues
from graticule.audit.value_document import ScaleFindings, TargetNumbers, ValueCueRow
from graticule.manifest import Manifest, escape_path
from graticule.split.kinship import Kinship

_EXAMPLES = 6
_BINS = 20  # of the distribution of the numbers
_FEWEST = 10  # images with number and pixel size, for a slope
_DIFFERENT = 0.25  # of the numbers' standard deviation: copies that differ by more carry two numbers


def target_numbers(manifest: Manifest, column: str, between_groups: float | None) -> TargetNumbers:
    """What the numbers reach."""
    values = manifest.targets[manifest.with_target]
    low, middle, high = (float(q) for q in np.quantile(values, [0, 0.5, 1]))
    return TargetNumbers(
        column=column,
        n=len(values),
        n_different=len(np.unique(values)),
        low=low,
        middle=middle,
        high=high,
        mean=float(values.mean()),
        sd=float(values.std()),
        between_groups=None if between_groups is None else round(between_groups, 4),
        counts=tuple(np.histogram(values, _BINS, (low, high))[0].tolist()) if low < high else (),
    )


def value_copies(manifest: Manifest, kinship: Kinship) -> dict[str, Any]:
    """Families of copies as `describe.copies` tells them; two labels are two numbers that clearly differ."""
    values = manifest.targets
    texts = object_array(["" if math.isnan(value) else f"{value:g}" for value in values.tolist()])
    found = copies(replace(manifest, label=texts), kinship)
    at = {escape_path(path): value for path, value in zip(manifest.path.tolist(), values.tolist(), strict=True)}
    least = _DIFFERENT * float(np.nanstd(values))
    families = tuple(_alike(family, at, least) for family in found["families"])
    differing = [family for family in families if family.differs]
    counts: CopyCounts = found["components"]
    largest = counts.largest
    return found | {
        "families": families,
        "conflicts": tuple(pair for pair in found["conflicts"] if abs(at[pair.a] - at[pair.b]) > least),
        "components": counts.model_copy(
            update={
                "two_labels": FamilyCounts(
                    n=len(differing),
                    images=sum(family.n for family in differing),
                    exact=sum(family.kind == "exact" for family in differing),
                    near=sum(family.kind == "near" for family in differing),
                ),
                "largest": None
                if largest is None
                else LargestFamily(n=largest.n, share=largest.n / len(manifest), class_=""),
                "notes": (),
            }
        ),
    }


def _alike(family: CopyFamily, at: dict[str, float], least: float) -> CopyFamily:
    """A family whose numbers hardly differ carries their median, so that it does not count as one of two numbers."""
    numbers = np.array([at[path] for path in family.paths])
    known = numbers[np.isfinite(numbers)]
    if not len(known) or np.ptp(known) > least:
        return family
    text = f"{np.median(known):g}"
    return family.model_copy(update={"labels": tuple(text if math.isfinite(x) else "" for x in numbers)})


def value_examples(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """A few images with small, middling and large numbers, by the range that they span."""
    rows = np.flatnonzero(manifest.with_target)
    values = manifest.targets
    order = rows[np.argsort(values[rows], kind="stable")]
    each = min(_EXAMPLES, max(len(order) // 3, 1))
    middle = (len(order) - each) // 2
    parts = {"smallest": order[:each], "middling": order[middle : middle + each], "largest": order[-each:]}
    return {
        f"{name}: {values[own[0]]:.3g} to {values[own[-1]]:.3g}": tuple(
            escape_path(str(manifest.path[row])) for row in own
        )
        for name, own in parts.items()
    }


def cue_rows(cues: ValueCues) -> tuple[ValueCueRow, ...]:
    """The "cues" of audit.json."""
    return tuple(_cue_row(row) for row in cues.associations)


def _cue_row(row: ValueAssociation) -> ValueCueRow:
    known = not math.isnan(row.low)
    return ValueCueRow(
        cue=row.cue,
        words=row.words,
        r2=round(row.r2, 4),
        low=round(row.low, 4) if known else None,
        high=round(row.high, 4) if known else None,
        p_value=row.p_value,
        nature=row.nature,
        flagged=row.flagged,
        advice=row.advice,
    )


def instruments_of(instruments: Instruments, manifest: Manifest) -> ClassInstruments | None:
    """Pixel sizes and instruments of all images; None where no file states any."""
    unlabelled = replace(manifest, label=object_array([""] * len(manifest)))
    row = describe_instruments(instruments, unlabelled).per_class.get("")
    return row if row is not None and (row.n or row.instruments) else None


def scale_findings(manifest: Manifest, pixel_size_nm: FloatArray) -> ScaleFindings | None:
    """Pixel sizes against the number, on images that have both; None where fewer than ten do."""
    values = manifest.targets
    known: BoolArray = np.isfinite(values) & np.isfinite(pixel_size_nm) & (pixel_size_nm > 0)
    if known.sum() < _FEWEST:
        return None
    sizes, values = pixel_size_nm[known], values[known]
    slope = None
    if values.min() > 0 and np.ptp(sizes) > 0:
        x, y = np.log(sizes) - np.log(sizes).mean(), np.log(values)
        slope = round(float(x @ y / (x @ x)), 3)
    return ScaleFindings(low=float(sizes.min()), high=float(sizes.max()), slope=slope)
