"""What a count writes: the tidy table, the document and the table on stdout say the same planted figures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.counting.answered import CLASSES, answered

from graticule.counting.counts import Estimate
from graticule.counting.figures import Figures, add_plain, add_sizes, scope_counts
from graticule.counting.label_shift import ShiftTest
from graticule.counting.outputs import COLUMNS, EVERY_CLASS, document_of, judged_rightly, printed_rows, write_counts
from graticule.counting.tables import Details
from graticule.decide.specimens import judge_specimens

CALLED = [0, 0, 1, 2, -1]
SPECIMEN = np.array([0, 0, 1, 1, 1])


def rows_of(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def judged(called: list[int], n: int = 2):
    code = np.array(called)
    proba = np.where(code[:, None] == np.arange(3), 0.8, 0.1)
    return judge_specimens(SPECIMEN, code, proba, np.zeros(len(code)), n)


def test_what_is_not_given_has_no_row_and_names_do_no_sums(tmp_path: Path) -> None:
    value = np.array([[1.5, np.nan], [np.nan, 1234567.0]])
    figures = Figures({("", "count", "control"): Estimate(value, value / 3, value * 2)})
    write_counts(tmp_path / "c.csv", figures, ("fibre", "glass"), ("all images", "=1+1"), None, None)
    found = rows_of(tmp_path / "c.csv")
    assert found[0] == list(COLUMNS)
    assert found[1] == ["all images", "fibre", "", "count", "control", "1.5", "0.5", "3"]
    assert found[2][1:] == ["glass", "", "count", "control", "1.23457e+06", "411522", "2.46913e+06"]
    assert not found[2][0].startswith("=")
    assert len(found) == 3


def test_table_and_document_say_the_same_per_ml(tmp_path: Path) -> None:
    details = Details(SPECIMEN, ("a", "b"), np.array([3.0, 6.0, 12.0, 30.0, 1.0]))
    scored, figures, volume = answered(CALLED), Figures(), np.array([2.0, 2.0, np.nan])
    add_plain(figures, scope_counts(scored, details))
    totals = add_sizes(figures, scored, details, volume)
    body = document_of(figures, scored, details, judged(CALLED), volume, totals)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    write_counts(tmp_path / "c.csv", figures, CLASSES, ("all", "a", "b"), totals, volume)
    every = {(r[0], r[2]): float(r[5]) for r in rows_of(tmp_path / "c.csv") if r[1] == EVERY_CLASS}
    assert every == {
        ("all", ">= 2 um"): 2.0, ("all", ">= 5 um"): 1.5, ("all", ">= 10 um"): 1.0, ("all", ">= 25 um"): 0.5,
        ("a", ">= 2 um"): 1.0, ("a", ">= 5 um"): 0.5, ("a", ">= 10 um"): 0.0, ("a", ">= 25 um"): 0.0,
    }  # fmt: skip
    for (scope, size), number in every.items():
        block = body["all"] if scope == "all" else body["specimens"][scope]
        assert block["sizes"][size]["per_ml"]["plain"][EVERY_CLASS]["value"] == number
    assert body["specimens"]["b"]["volume_ml"] is None
    assert "per_ml" not in body["specimens"]["b"]["sizes"][">= 2 um"]


def test_the_document_counts_decisions_and_tells_the_tests() -> None:
    scored = answered(CALLED, decision=np.array([0, 1, 1, 2, 2]))
    tests = [ShiftTest(True, 0.5, ()), ShiftTest(False, None, ("few",)), ShiftTest(False, 0.01, ("moved",))]
    figures, details = Figures(tests=tests, notes=["n"]), Details(SPECIMEN, ("a", "b"))
    body = document_of(figures, scored, details, judged(CALLED), None, None)
    assert (body["n"], body["n_unreadable"], body["control"], body["notes"]) == (5, 1, None, ["n"])
    assert body["decisions"] == {"undecided": 0, "accept": 1, "review": 2, "reject": 2}
    assert body["all"]["review_share"] == pytest.approx(0.4)
    assert body["specimens"]["a"]["label_shift"] == {"passed": False, "p": None, "reasons": ["few"]}
    assert [body["specimens"][name]["n"] for name in "ab"] == [2, 3]
    # one image that was not decided leaves the share open
    open_one = answered(CALLED, decision=np.array([-1, 1, 1, 2, 2]))
    assert document_of(figures, open_one, details, judged(CALLED), None, None)["all"]["review_share"] is None


def test_specimens_with_one_label_are_held_against_it() -> None:
    label = np.array([0, 0, 2, 2, 2])
    found = judged_rightly(judged(CALLED), Details(SPECIMEN, ("a", "b"), label=label))
    assert found is not None
    assert (found["n_specimens"], found["majority"]["value"]) == (2, 0.5)  # b is a tie
    assert "truth" not in found
    assert judged_rightly(judged(CALLED), Details(SPECIMEN, ("a", "b"))) is None
    assert judged_rightly(judged(CALLED), Details(SPECIMEN, ("a", "b"), label=np.full(5, -1))) is None


def test_printed_cells_are_rounded_and_a_dash_where_nothing_is_known() -> None:
    none = {"value": None, "low": None, "high": None}
    some = {"value": 1234.4, "low": 1000.0, "high": 1500.6}
    block = {"count": {"plain": {"fibre": some}, "control": {"fibre": none}}}
    content = {"classes": ["fibre"], "all": block, "specimens": {"a": {"count": {"plain": {"fibre": none}}}}}
    assert list(printed_rows(content, None)) == [("fibre", "1,234 (1,000 to 1,501)", "-")]
    assert list(printed_rows(content, "a")) == [("fibre", "-")]
