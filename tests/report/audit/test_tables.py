"""Tables on the page of an audit, from small documents."""

from __future__ import annotations

from graticule.audit.document import (
    AuditDocument,
    ClassInstruments,
    ClassMarks,
    GroupColumn,
    InfoBarCounts,
    InstrumentFindings,
    MarkCounts,
    ShortcutRow,
)
from graticule.report.audit.tables import class_rows, info_bar_rows, instrument_rows, mark_rows, shortcut_rows
from graticule.report.quantities import DASH

CLASSES = {"a": 50, "b": 100}


def shortcut(cue: str, nature: str, strength: float, p: float = 0.02) -> ShortcutRow:
    return ShortcutRow(
        cue=cue,
        class_="a",
        strength=strength,
        low=None,
        high=None,
        measure="cramers_v",
        accuracy=0.9,
        accuracy_measure="balanced accuracy",
        chance=0.5,
        p_value=p,
        nature=nature,
        advice="",
    )


def test_classes_are_held_against_the_largest() -> None:
    groups = GroupColumn(column="lot", n=3, per_class={"a": 3})
    assert class_rows(AuditDocument(classes=CLASSES, groups=groups)) == [("a", 50, 50.0, 3), ("b", 100, 100.0, None)]
    assert class_rows(AuditDocument()) == []


def test_how_a_picture_was_taken_comes_before_how_it_looks() -> None:
    rows = (
        shortcut("border", "picture", 0.9),
        shortcut("day", "acquisition", 0.2, 1e-9),
        shortcut("size", "picture", 0.95),
    )
    found = shortcut_rows(AuditDocument(shortcuts=rows))
    assert [row["cue"] for row in found] == ["day", "size", "border"]
    assert [row["p"] for row in found] == ["p < 0.001", "p = 0.020", "p = 0.020"]
    assert found[0]["nature"] == "how it was taken"
    assert found[0]["interval"] == ""


def test_sizes_that_no_file_states_are_dashes() -> None:
    known = ClassInstruments(n=25, min=90.0, median=210.0, max=1200.0, instruments={"Quanta": 25})
    silent = ClassInstruments(n=0, min=None, median=None, max=None, instruments={})
    findings = InstrumentFindings(known=25, per_class={"a": known, "b": silent})
    rows = instrument_rows(AuditDocument(classes=CLASSES, instrument=findings))["rows"]
    assert [row["median"] for row in rows] == ["210 nm", DASH]
    assert [row["known"] for row in rows] == [25, 0]
    assert instrument_rows(AuditDocument(instrument=InstrumentFindings(per_class={"b": silent})))["rows"] == []


def test_bars_and_marks_are_shares_of_their_class() -> None:
    bars = InfoBarCounts(n=25, per_class={"a": 25}, rows=(40, 64))
    assert info_bar_rows(AuditDocument(classes=CLASSES, info_bars=bars))["rows"] == [("a", 25, 50.0)]
    own = ClassMarks(frames=20, n=5, area_outside=0.02, area_inside=0.0)
    marks = MarkCounts(frames=20, n=5, per_class={"a": own})
    assert mark_rows(AuditDocument(marks=marks))["rows"] == [("a", 5, 20, 25.0, 2.0, 0.0)]
