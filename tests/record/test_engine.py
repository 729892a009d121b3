"""Where a label store is: addresses, and passwords that are not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.errors import LabelStoreError, OptionError
from graticule.record.engine import parse_place
from graticule.record.store import LabelStore


def test_urls() -> None:
    assert parse_place("sqlite:///a/b.db").file == Path("a/b.db")
    assert parse_place("sqlite:////a/b.db").file == Path("/a/b.db")
    for bad in ("", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "http://[", "sqlite:///x.db?mode=ro"):
        with pytest.raises(OptionError, match="--labels"):
            parse_place(bad)


def test_passwords_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pg8000")
    assert "secret" not in parse_place("postgresql+pg8000://ann:secret@127.0.0.1:1/x").shown
    with pytest.raises(LabelStoreError) as refused:
        LabelStore.open("postgresql+pg8000://ann:secret@127.0.0.1:1/x")
    assert "secret" not in str(refused.value)
    monkeypatch.setenv("PGPASSWORD", "secret")
    place = parse_place("postgresql://ann@127.0.0.1:1/x")
    assert "secret" in str(place.url)
    assert "secret" not in place.shown
