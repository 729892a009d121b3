"""Which plane, channels and page are asked for."""

from __future__ import annotations

import pytest

from graticule.errors import OptionError
from graticule.formats.selection import Selection


def test_selections_out_of_range_are_errors_of_the_option() -> None:
    for values in ({"z": -1}, {"z": "min"}, {"page": -1}, {"channel": (0, 1)}, {"channel": ()}, {"channel": (-1,)}):
        with pytest.raises(OptionError, match="--"):
            Selection(**values)  # type: ignore[arg-type]
