"""Numbers in the target's unit: as many digits as the errors leave sense in, with a true minus and the unit."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.report.quantities import THIN
from graticule.report.values.amounts import Amount


@pytest.mark.parametrize(
    ("error", "values", "written"),
    [
        (0.0763, [0.0, 1.0], "0.412"),
        (9.65, [2.0, 120.0], "0.4"),
        (975.0, [100.0, 9000.0], "0"),
        (0.0, [0.0, 1.0], "0.41"),
        (1e-9, [0.0, 1e-8], "0.412"),
        (2e8, [0.0, 1e9], "0.412"),
        (0.0, [2.0, 2.0], "0.412"),
    ],
)
def test_digits_follow_the_error(error: float, values: list[float], written: str) -> None:
    assert Amount.of("", error, np.array(values)).plain(0.4117) == written


def test_signs_units_and_what_is_unknown() -> None:
    amount = Amount("mm", 2)
    assert amount(1234.567) == f"1,234.57{THIN}mm"
    assert amount.plain(-0.5) == "−0.50"
    assert amount.plain(-0.001) == "0.00"
    assert amount(None) == "–"
    assert [amount.signed(x) for x in (0.2, -0.2, 0.0)] == [f"+0.20{THIN}mm", f"−0.20{THIN}mm", f"0.00{THIN}mm"]
    assert (amount.axis, Amount("", 2).axis) == (", mm", "")


def test_figures_with_and_without_limits() -> None:
    amount = Amount("mm", 1)
    shown = amount.show({"value": 2.0, "low": 1.5, "high": 2.5, "method": "group-bootstrap", "level": 0.95})
    assert (shown.value, shown.interval, shown.span) == (f"2.0{THIN}mm", "1.5 to 2.5", f"1.5 to 2.5{THIN}mm")
    assert "bootstrap" in shown.hint
    few = amount.show({"value": 2.0, "low": None, "high": None, "method": "too_few_groups", "level": 0.95})
    assert (few.interval, "fewer than 10 groups" in few.hint) == ("", True)
    assert amount.show({"value": None}).raw is None
    assert amount.show({"value": -0.12345, "low": None, "high": None}, bare=True).value == "−0.123"
