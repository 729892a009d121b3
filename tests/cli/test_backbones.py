"""backbones: the networks that are here, as a table and in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def test_backbones_are_listed(graticule: Callable[..., Any]) -> None:
    listed = json.loads(graticule("backbones", "--json").out)
    assert listed["schema_version"] == 1
    first = listed["backbones"][0]
    assert (first["name"], first["default"], first["available"]) == ("efficientnet_lite0", True, True)
    table = graticule("backbones").out
    assert "efficientnet_lite0 (default)" in table
    assert "Apache-2.0" in table
