"""The mix of classes that somebody expects: amounts on the command line, or shares in a table."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from graticule.arrays import FloatArray
from graticule.errors import ManifestError, OptionError
from graticule.names import written_otherwise
from graticule.sources.labels import check_labels, unknown_class
from graticule.sources.tables import Faults, read_table

_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?"
_IN_ORDER = re.compile(rf"{_NUMBER}(?::{_NUMBER})+")
_NAMED = re.compile(rf"=({_NUMBER})(?:,|$)")


def read_mix(asked: str, classes: Sequence[str]) -> FloatArray:
    """How many images of each class, or which share of all; shape (K,), not all 0.

    Parameters
    ----------
    asked : str
        "500000:500:500" in the order of the classes; "protein=500000,oil=500,air=500", where a name may hold any sign;
        or a CSV file with the columns class and share.
    classes : sequence of K str

    Raises
    ------
    OptionError
        When a class is missing, unknown or named twice, an amount is no number from 0 on, or all are 0.
    """
    text = str(asked).strip()
    if _IN_ORDER.fullmatch(text):
        given = [float(number) for number in text.split(":")]
        if len(given) != len(classes):
            raise OptionError(
                f"--prevalence {text}: {len(given)} amounts for {len(classes)} classes; in their order these are "
                f"{', '.join(classes)}"
            )
        return mix_of(dict(zip(classes, given, strict=True)), classes)
    if "=" in text and not Path(text).is_file():
        return mix_of(_by_name(text, classes), classes)
    return mix_of(_from_table(Path(asked), classes), classes)


def mix_of(rows: Mapping[str, float], classes: Sequence[str]) -> FloatArray:
    """Amounts of the classes from a mapping by name, shape (K,).

    Raises
    ------
    OptionError
        When a class is missing, unknown, negative, or all are 0.
    """
    missing, unknown = sorted(set(classes) - set(rows)), sorted(set(rows) - set(classes))
    if missing or unknown:
        faults = [f"lacks {', '.join(missing)}"] if missing else []
        faults += [f"names {', '.join(unknown)}, which the model does not know"] if unknown else []
        raise OptionError(f"--prevalence {' and '.join(faults)}; the model's classes are {', '.join(classes)}")
    shares = np.array([rows[name] for name in classes], np.float64)
    if not np.isfinite(shares).all() or (shares < 0).any() or not np.isfinite(shares.sum()) or shares.sum() <= 0:
        raise OptionError("--prevalence: shares must be numbers from 0 on, and not all of them 0")
    return shares


def _by_name(text: str, classes: Sequence[str]) -> dict[str, float]:
    """Amounts by class; a name that is a class is read whole, whatever signs it holds."""
    found: dict[str, float] = {}
    rest = text
    while rest:
        known = [name for name in classes if rest.startswith(f"{name}=")]
        name = max(known, key=len) if known else rest.partition("=")[0]
        amount = _NAMED.match(rest, len(name))
        if amount is None:
            raise OptionError(
                f"--prevalence {text}: {rest!r} is no name=number. Allowed are amounts such as "
                f"{','.join(f'{own}=1' for own in classes)}, numbers in the order of the classes with : between them, "
                "or a CSV file with the columns class and share"
            )
        if name in found:
            raise OptionError(f"--prevalence {text}: class {name!r} is named twice")
        found[name] = float(amount[1])
        rest = rest[amount.end() :]
    return found


def _from_table(file: Path, classes: Sequence[str]) -> dict[str, float]:
    """Shares of the classes from a CSV file with columns class and share."""
    try:
        table = read_table(file.expanduser())
        names, shares = table.columns["class"], table.columns["share"]
        faults = Faults("its column class")
        check_labels(names, table.rows, faults)
        otherwise = [name for name in names if written_otherwise(name, classes)]
        faults.extend("class that the model does not know", (unknown_class(name, classes) for name in otherwise))
        faults.extend("class named twice", (repr(name) for name, n in Counter(names).items() if n > 1))
        faults.raise_if_any()
        return dict(zip(names, map(float, shares), strict=True))
    except ManifestError as error:
        raise OptionError(f"--prevalence {file} cannot be read: {error}") from error
    except (KeyError, ValueError) as error:
        raise OptionError(
            f"--prevalence {file}: a CSV file with the columns class and share (a number) is needed; found {error}"
        ) from error
