"""A module whose function ends, kills or burns the worker that runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from tests.workers.processes import MODULE


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module with a function that does to its worker what its item says, importable in worker processes too."""
    (tmp_path / "odd_work.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import odd_work  # type: ignore[import-not-found]

    yield odd_work
    del sys.modules["odd_work"]
