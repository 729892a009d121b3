"""Labelled images with their store, and one small run on drawn features, made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.jobs.drawn import Drawn
from tests.label_folder import folder
from tests.label_store import draft

from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions

__all__ = ["draft", "folder"]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """90 pictures of three kinds, in a table with 30 groups."""
    made = Drawn(tmp_path_factory.mktemp("drawn") / "images", 90)
    made.draw(0, distance=2.0)
    made.table("table.csv", groups=30)
    return made


@pytest.fixture(scope="session")
def table(drawn: Drawn) -> Path:
    """Their table."""
    return drawn.folder.parent / "table.csv"


@pytest.fixture(scope="session")
def trained(drawn: Drawn, table: Path) -> Path:
    """A run on them with a held-out part."""
    options = TrainOptions(head="logistic", folds=3, test_size=0.2, near_duplicates="exact")
    with pytest.MonkeyPatch.context() as patch, drawn.instead_of_pixels():
        patch.setenv("GRATICULE_CACHE", str(table.parent / "cache"))
        train(table, table.parent / "run", options)
    return table.parent / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def reading_drawn(drawn: Drawn) -> Iterator[None]:
    """The verbs take the drawn features."""
    with drawn.instead_of_pixels():
        yield
