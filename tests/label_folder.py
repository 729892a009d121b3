"""A folder of images with a label store, and what persons said of them."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
from sqlalchemy import text

from graticule.jobs.labels import export_labels
from graticule.record.engine import write_transaction
from graticule.record.events import EventDraft
from graticule.record.store import LabelStore


class Folder:
    """Images, a store, and the three verbs on them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.images = place / "images"
        self.images.mkdir()
        self.labels = str(place / "labels.db")
        self.exports = 0

    def image(self, name: str, content: str | None = None) -> str:
        file = self.images / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(content or f"pixels of {name}")
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def says(self, who: str, action: str, name: str, value: str | None = None, **more: object) -> None:
        sha256 = hashlib.sha256((self.images / name).read_bytes()).hexdigest()
        with LabelStore.open(self.labels) as store:
            store.append(EventDraft(who, action, sha256, name, new_value=value, **more))  # type: ignore[arg-type]

    def export(self, suffix: str = ".csv", **more: object) -> tuple[Path, dict[str, object]]:
        self.exports += 1
        out = self.place / f"out{self.exports}" / f"l{suffix}"
        return out, export_labels(self.labels, out, **more)  # type: ignore[arg-type]

    def table(self, *lines: str) -> Path:
        file = self.images / "table.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def attack(self, *statements: str) -> None:
        with LabelStore.open(self.labels) as store, write_transaction(store._engine) as connection:
            connection.execute(text("DROP TRIGGER label_events_no_update"))
            connection.execute(text("DROP TRIGGER label_events_no_delete"))
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Six images; ann labels four, bob two."""
    made = Folder(tmp_path)
    for name in ("a.png", "b.png", "c.png", "d.png", "e.png", "f.png"):
        made.image(name)
    made.says("ann", "label", "a.png", "x", sampling_prob=0.25, blind=True)
    made.says("ann", "label", "b.png", "y", bulk=True)
    made.says("ann", "doubtful", "c.png")
    made.says("ann", "novel", "d.png")
    made.says("ann", "label", "e.png", "x")
    made.says("bob", "label", "e.png", "y")
    made.says("bob", "label", "a.png", "x")
    return made


Rows = list[dict[str, str]]


def rows_of(file: Path) -> Rows:
    """Rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
