"""Limits that are kept before anything is decoded."""

from __future__ import annotations

import pytest

from graticule.formats import raster


def test_memory_is_estimated_from_type_and_channels() -> None:
    raster.check_size(13_000, 13_000, 4)
    with pytest.raises(raster.Refused, match="GiB"):
        raster.check_size(13_000, 13_000, 8)
    with pytest.raises(raster.Refused, match="no pixels"):
        raster.check_size(0, 5, 1)
