"""The page of a run, taken apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graticule.report.run.page import write_report

PageOf = Callable[[Path], Any]


@pytest.fixture
def page_of(parse: Callable[[str], Any]) -> PageOf:
    """Write the report of a run folder and take its page apart."""
    return lambda folder: parse(write_report(folder).read_text(encoding="utf-8"))
