"""Numbers on the record: what they are of, how they stand in the column of classes, and how a typed one is read."""

import json
import math
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from graticule.errors import LabelStoreError, OptionError
from graticule.sources.targets import split_unit, why_no_number

# class names hold no "/", so a number can stand beside them
PREFIX = "/number "
# columns of an exported table that say something else
TAKEN = ("path", "label", "unit", "sampling_prob", "sha256", "bulk", "people", "agreed_by", "event", "label_from")
_DIGITS = 12  # of a mean of several persons' numbers


@dataclass(frozen=True)
class Quantity:
    """What numbers are of.

    Attributes
    ----------
    target : str
        The column of a data set.
    unit : str
        "" where there is none.
    """

    target: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.target} in {self.unit}" if self.unit else self.target

    def text(self, value: float) -> str:
        """A finite number as it stands on the record; equal numbers have equal texts."""
        # 0.0 is added so that a negative zero is none
        said = {"target": self.target, "unit": self.unit, "value": float(value) + 0.0}
        return PREFIX + json.dumps(said, ensure_ascii=False, sort_keys=True, allow_nan=False)

    def words(self, value: float) -> str:
        """A number with its unit, for people, exact."""
        return f"{plain_number(value)} {self.unit}".rstrip()

    def typed(self, text: str, least: float | None = None, most: float | None = None) -> float:
        """The number that a person typed, with or without this quantity's unit behind it.

        Parameters
        ----------
        text : str
        least, most : float, optional
            Smallest and largest possible number.

        Raises
        ------
        LabelStoreError
            When it is no finite number, has another unit, or lies outside the bounds.
        """
        cut = text.strip()
        if self.unit and _composed(cut).endswith(_composed(self.unit)):
            cut = _composed(cut).removesuffix(_composed(self.unit)).strip()
        found = split_unit(cut)
        wanted = f"{self.target} is a number{f' in {self.unit}' if self.unit else ''}{_bounds(least, most)}"
        if found is None:
            raise LabelStoreError(f"{text!r} {why_no_number(cut)}: {wanted}")
        value, unit = found
        if unit:
            asked = f"in {self.unit}, not in {unit}" if self.unit else "without a unit"
            raise LabelStoreError(f"{text!r} has the unit {unit}: {wanted}; give it {asked}")
        if not math.isfinite(value):
            raise LabelStoreError(f"{text!r} is {'NaN' if math.isnan(value) else 'infinite'}: {wanted}")
        if (least is not None and value < least) or (most is not None and value > most):
            raise LabelStoreError(f"{self.words(value)} is not possible: {wanted}")
        return value + 0.0


@dataclass(frozen=True)
class SaidNumber:
    """A number that the record holds."""

    quantity: Quantity
    value: float

    @property
    def words(self) -> str:
        """With its unit, for people."""
        return self.quantity.words(self.value)


def number_said(text: str | None) -> SaidNumber | None:
    """The number that a value of the record is; None for any other value.

    Raises
    ------
    LabelStoreError
        When it begins like a number and is none.
    """
    if text is None or not text.startswith(PREFIX):
        return None
    try:
        said = json.loads(text.removeprefix(PREFIX))
        number = SaidNumber(Quantity(said["target"], said["unit"]), said["value"])
        whole = number.quantity.target.strip() and math.isfinite(number.value)
        if whole and number.quantity.text(number.value) == text:
            return number
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        pass
    raise LabelStoreError(f"{text!r} is no number that the record can hold: name target, unit and a finite value")


def in_words(value: str | None) -> str:
    """A value of the record for people: a number with its unit, anything else as it stands, "" for nothing."""
    number = number_said(value)
    return (value or "") if number is None else number.words


def plain_number(value: float) -> str:
    """The shortest digits that give a number back, without an empty fraction."""
    return repr(float(value)).removesuffix(".0")


def mean_of(numbers: Collection[SaidNumber], tolerance: float) -> str | None:
    """The mean of several persons' numbers as a value of the record; None where they lie further apart than allowed.

    Parameters
    ----------
    numbers : collection of SaidNumber
        At least one.
    tolerance : float
        Largest difference that is none, in the unit of the numbers.
    """
    quantities = {number.quantity for number in numbers}
    values = [number.value for number in numbers]
    # a tolerance of 0.1 holds 12.5 and 12.6, whatever their binary fractions
    slack = 1e-9 * max(abs(value) for value in values)
    if len(quantities) > 1 or max(values) - min(values) > tolerance + slack * bool(tolerance):
        return None
    mean = values[0] if min(values) == max(values) else float(f"{math.fsum(values) / len(values):.{_DIGITS}g}")
    return quantities.pop().text(mean)


def quantity_of(values: Iterable[str | None]) -> Quantity | None:
    """What the values of a record are numbers of; None for a record of classes.

    Raises
    ------
    LabelStoreError
        When they are of two kinds.
    """
    quantities = {None if (number := number_said(value)) is None else number.quantity for value in values}
    if len(quantities) > 1:
        kinds = " and ".join(sorted("classes" if one is None else f"numbers of {one}" for one in quantities))
        raise LabelStoreError(f"the record holds {kinds}: keep each in a store of its own")
    return quantities.pop() if quantities else None


def check_quantity(quantity: Quantity) -> None:
    """Raise OptionError when a column's name is one that an exported table needs for something else."""
    if quantity.target in TAKEN:
        raise OptionError(
            f"the column {quantity.target!r} cannot be reviewed: `labels export` writes {', '.join(TAKEN)} beside the "
            "numbers. Give it another name"
        )


def _bounds(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {plain_number(least)} to {plain_number(most)}"
    if least is not None:
        return f" of at least {plain_number(least)}"
    return "" if most is None else f" of at most {plain_number(most)}"


def _composed(text: str) -> str:
    """Alike for the two characters that show as a micro sign, and for composed and decomposed letters."""
    return unicodedata.normalize("NFKC", text)
