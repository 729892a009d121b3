"""The search for shortcuts over samples: a planted cue is found and told, and marks are counted class by class."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.audit.test_instruments import written_by

from graticule.audit.instruments import read_instruments
from graticule.audit.search import count_marks, cues_measured, search_shortcuts, shortcut_warnings, shortcuts_found
from graticule.audit.shortcuts import Shortcut, Shortcuts
from graticule.features.samples import Samples
from graticule.formats.instrument.metadata import Metadata
from graticule.images.cues import MARKS
from graticule.images.facts import Facts


def with_marks(samples: Samples, values: list[tuple[float, float, float]]) -> Samples:
    """The samples with these shares of burnt-in marks in their facts."""
    info = []
    for item, own in zip(samples.info, values, strict=True):
        facts = Facts.from_bytes(item.facts)
        cues = facts.cues.copy()
        cues[MARKS] = own
        info.append(replace(item, facts=replace(facts, cues=cues).to_bytes()))
    return replace(samples, info=info)


def test_an_instrument_of_one_class_is_found_and_told() -> None:
    samples = written_by([Metadata(vendor=("Zeiss", "FEI")[i % 2]) for i in range(80)])
    found = search_shortcuts(samples, read_instruments(samples), 0, masked=False)
    assert {row.cue for row in found.flagged} == {"instrument"}
    assert {row.cue: row.flagged for row in cues_measured(found)}["instrument"]
    rows = shortcuts_found(found)
    assert {row.class_ for row in rows} <= {"a", "b"}
    assert rows[0].accuracy == pytest.approx(1.0)
    (words,) = shortcut_warnings(found)
    assert words.endswith("balanced accuracy 100%, chance 50%")


def test_mixed_instruments_are_no_shortcut() -> None:
    samples = written_by([Metadata(vendor=("Zeiss", "FEI")[i // 2 % 2]) for i in range(80)])
    found = search_shortcuts(samples, read_instruments(samples), 0, masked=False)
    assert shortcuts_found(found) == ()
    assert shortcut_warnings(found) == []


def test_one_class_has_no_shortcuts() -> None:
    samples = written_by([Metadata()])
    found = search_shortcuts(samples, read_instruments(samples), 0, masked=False)
    assert found.notes == ["shortcuts need two classes or more"]


def association(cue: str, nature: str, class_: str = "a") -> Shortcut:
    told = {"strength": 0.81234, "low": math.nan, "high": math.nan, "accuracy": 0.9, "chance": 0.5, "p_value": 1e-5}
    words = {"strength_measure": "Cramér's V", "measure": "balanced accuracy", "advice": f"Mix {cue}."}
    return Shortcut(cue=cue, class_=class_, nature=nature, **told, **words)  # type: ignore[arg-type]


def test_a_cue_warns_once_and_the_look_of_a_picture_does_not() -> None:
    flagged = [association("format", "acquisition"), association("format", "acquisition", "b")]
    found = Shortcuts([*flagged, association("brightness", "picture")], [], [])
    assert len(shortcut_warnings(found)) == 1
    row = shortcuts_found(found)[0]
    assert (row.strength, row.low, row.high) == (0.8123, None, None)


def test_marks_are_counted_over_frames() -> None:
    values = [(1.0, 0.2, 0.0), (1.0, 0.0, 0.0), (1.0, 0.1, 0.4), (0.0, 0.0, 0.0)]
    found = count_marks(with_marks(written_by([Metadata()] * 4), values), masked=True)
    assert (found.frames, found.n, found.masked) == (3, 2, True)
    a, b = found.per_class["a"], found.per_class["b"]
    assert (a.frames, a.n, a.area_outside, a.area_inside) == (2, 2, 0.15, 0.2)
    assert (b.frames, b.n, b.area_outside) == (1, 0, 0.0)
