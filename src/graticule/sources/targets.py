"""Checks on the column of numbers that `--target` names: cell by cell, and as a whole."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graticule.arrays import FloatArray, StrArray
from graticule.errors import ManifestError, OptionError
from graticule.manifest import Manifest
from graticule.names import written_otherwise
from graticule.sources.tables import Faults

PIXEL_SIZE = "pixel_size_nm"
FEW_IMAGES = 30
_FEW_VALUES = 10
_AT_BOUND = 0.2
# how much further the upper half of the numbers reaches than the lower half
_HEAVY = 4.0
_WITH_UNIT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\W\d_][^\s\d]{0,11}|%)\s*")
_INFINITE = ("inf", "infinity")


@dataclass(frozen=True)
class TargetColumn:
    """The column of numbers to learn, and what they may be.

    Attributes
    ----------
    name : str
    least, most : float or None
        Bounds of possible numbers.
    positive : bool
        Whether the logarithm is to be learnt, which has none of 0 or less.
    per_pixel_size : bool
        Whether the number divided by the pixel size is to be learnt, so that each needs one.
    """

    name: str
    least: float | None = None
    most: float | None = None
    positive: bool = False
    per_pixel_size: bool = False


def target_cells(columns: Mapping[str, list[str]], target: TargetColumn) -> list[str]:
    """The cells of the column.

    Raises
    ------
    OptionError
        When there is no such column.
    """
    name = written_otherwise(target.name, columns) or target.name
    if name not in columns:
        known = ", ".join(map(repr, columns)) or "none (class folders have no columns: use a table)"
        raise OptionError(f"--target {target.name}: there is no such column; the columns are {known}")
    return columns[name]


def check_targets(
    cells: Sequence[str], sizes: Sequence[str] | None, rows: Sequence[int], target: TargetColumn, faults: Faults
) -> None:
    """Note cells that are no numbers to learn; an empty one is fine, its image is left out.

    Parameters
    ----------
    cells : sequence of n str
    sizes : sequence of n str or None
        Cells of the column pixel_size_nm; None: there is none.
    rows : sequence of n int
        Where each cell stands.
    target : TargetColumn
    faults : Faults
        Added to.
    """
    name = target.name
    units: Counter[str] = Counter()
    lacking = 0
    for i, (cell, row) in enumerate(zip(cells, rows, strict=True)):
        if not cell.strip():
            continue
        kind = _fault(cell, target)
        if kind is not None:
            found = split_unit(cell)
            units.update([found[1]] if found and found[1] else [])
            faults.add(f"{name} {kind}", f"row {row}: {cell!r}")
        lacking += target.per_pixel_size and (sizes is None or not sizes[i])
    if len(units) > 1:
        told = ", ".join(f"{unit!r} {n:,} times" for unit, n in units.most_common(5))
        faults.add(f"{name} in more than one unit", f"{told}: convert all to one, write the numbers alone")
    if lacking:
        faults.add("pixel size missing", f"--per-pixel-size needs the column {PIXEL_SIZE}, which {lacking:,} rows lack")


def split_unit(text: str) -> tuple[float, str] | None:
    """The number that a text is, and the unit behind it, "" where there is none; None where it is no number."""
    try:
        return float(text.strip()), ""
    except ValueError:
        found = _WITH_UNIT.fullmatch(text)
        return None if found is None else (float(found[1]), found[2])


def why_no_number(text: str) -> str:
    """What is wrong with a text for which `split_unit` gives None."""
    comma = re.fullmatch(r"[-+]?\d+,\d+", text.strip()) is not None
    return "is no number" + (" (write a decimal point, not a comma)" if comma else "")


def _fault(cell: str, target: TargetColumn) -> str | None:
    """What is wrong with a cell, or None."""
    found = split_unit(cell)
    if found is None:
        return why_no_number(cell)
    number, unit = found
    if unit:
        return "with a unit behind the number (write the number alone, and name the unit with --target-unit)"
    if math.isnan(number):
        return "is NaN (leave the cell empty where the number is not known)"
    if math.isinf(number):
        return "is infinite"
    if target.least is not None and number < target.least:
        return f"lies below --target-min {target.least:g}"
    if target.most is not None and number > target.most:
        return f"lies above --target-max {target.most:g}"
    if target.positive and number <= 0:
        return "is not above 0, and has no logarithm (--target-scale log, --per-pixel-size)"
    return None


def check_learnable(manifest: Manifest, target: TargetColumn) -> None:
    """Check that there are numbers, and that they differ.

    Raises
    ------
    ManifestError
    """
    found = manifest.targets[manifest.with_target]
    if not len(found):
        raise ManifestError(f"none of {len(manifest)} images has a number in the column {target.name!r}")
    if found.min() == found.max():
        raise ManifestError(
            f"all {len(found):,} numbers in the column {target.name!r} are {found[0]:g}: there is nothing to learn. Is "
            "it the right column?"
        )


def target_warnings(values: FloatArray, group: StrArray | None, target: TargetColumn) -> list[str]:
    """What looks odd about the numbers (n,), and what their number allows to say."""
    from graticule.statistics.intervals import MIN_GROUPS  # loads SciPy, which `predict` does without

    n, name = len(values), target.name
    found = []
    different = len(np.unique(values))
    if different <= _FEW_VALUES:
        found.append(
            f"{name} has {different} different values only: if they are names of kinds rather than amounts, put them "
            "into the column label and train without --target"
        )
    else:
        found += _at_bounds(values, target) + _heavy_tail(values, target)
    if group is not None and len(set(group)) < MIN_GROUPS:
        found.append(
            f"{len(set(group))} groups only: with fewer than {MIN_GROUPS} no figure has an interval, and no predicted "
            "number limits that are worth a promise"
        )
    if n < FEW_IMAGES:
        found.append(f"{n} images only: with fewer than {FEW_IMAGES} every figure is a guess")
    return found


def _at_bounds(values: FloatArray, target: TargetColumn) -> list[str]:
    ends = (
        values.min() if target.least is None else target.least,
        values.max() if target.most is None else target.most,
    )
    shares = [(float((values == end).mean()), end) for end in ends]
    return [
        f"{share:.0%} of the images have {target.name} exactly {end:g}, at the end of its range: such a heap is learnt "
        "badly; a class (column label) may say it better"
        for share, end in shares
        if share > _AT_BOUND
    ]


def _heavy_tail(values: FloatArray, target: TargetColumn) -> list[str]:
    low, middle, high = np.quantile(values, [0.02, 0.5, 0.98])
    if target.positive or not values.min() > 0 or not high - middle > _HEAVY * (middle - low) > 0:
        return []
    return [
        f"{target.name} has a long tail (half of the images lie below {middle:.3g}, the largest reach "
        f"{values.max():.3g}): with --target-scale log relative errors count, and large numbers do not decide alone"
    ]
