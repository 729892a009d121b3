"""The options on directions."""

import pytest

from graticule.directions.options import LEAST_SIGMA, METHODS, DirectionOptions
from graticule.errors import OptionError


def test_what_is_allowed() -> None:
    DirectionOptions().check()
    DirectionOptions(method="lgo-fiji", sigma=LEAST_SIGMA, direction=-30.0).check()
    assert METHODS == ("tensor", "lgo", "lgo-fiji")


@pytest.mark.parametrize("fault", [{"sigma": 0.5}, {"sigma": float("nan")}, {"direction": 400.0}, {"method": "fft"}])
def test_what_is_not(fault: dict[str, object]) -> None:
    with pytest.raises(OptionError, match="allowed are"):
        DirectionOptions(**fault).check()  # type: ignore[arg-type]
