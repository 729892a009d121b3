"""Names, counts and lengths as an advice writes them."""

from __future__ import annotations

from graticule.audit.advice import length, named


def test_names_are_quoted_and_the_rest_is_counted() -> None:
    assert named([f"c{i}" for i in range(7)]) == "“c0”, “c1”, “c2”, “c3”, “c4” and 2 more"
    assert named({"a": 1, "b": 1200}, 1) == "“a” (1) and 1 more"


def test_lengths_are_written_for_people() -> None:
    assert [length(x) for x in (0.5, 999.4, 999.6, 210_000.0, 2.5e6)] == [
        "0.5 nm",
        "999 nm",
        "1 µm",
        "210 µm",
        "2.5 mm",
    ]
