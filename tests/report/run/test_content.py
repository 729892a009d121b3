"""What stands on the page, section by section."""

from __future__ import annotations

import json
from typing import Any

from tests.report.run.conftest import PageOf

from graticule.report.run.content import confusion_content, fold_content, group_content, learning_content


def test_undefined_numbers_are_dashes_with_a_reason(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        metrics["log_loss"] = None
        metrics["roc_auc_macro"]["value"] = None
        metrics["per_class"]["fibre"]["precision"] = {"value": None, "low": None, "high": None, "method": "wilson"}
        metrics["per_class"]["fibre"]["f1"] = None
        metrics["learning_curve"] = None

    page = page_of(write_run(change=change))
    for key in ("log_loss", "roc_auc_macro", "per_class/fibre/precision", "per_class/fibre/f1"):
        assert key not in page.figures
    hints = [attributes for attributes in page.all("span") if attributes.get("title") == "not defined"]
    assert len(hints) == 5
    assert "nan" not in page.text.lower()
    assert "Would more images help?" not in page.text


def test_groups_fold_away_when_many(write_run: Any, page_of: PageOf) -> None:
    few = page_of(write_run(n_groups=12))
    assert "Each group lay in one fold only" in few.text
    assert "Funnel plot" in few.text
    assert [item for item in few.all("details") if "open" in item]


def test_cues_that_tell_a_class_stand_with_the_data(write_run: Any, page_of: PageOf) -> None:
    def row(cue: str, name: str, accuracy: float) -> dict[str, Any]:
        return {"cue": cue, "class": name, "accuracy": accuracy, "accuracy_measure": "accuracy", "chance": 1 / 3}

    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["shortcuts"] = [row("border", "fibre", 0.8), row("border", "plate", 0.8), row("brightness", "plate", 0.5)]

    text = page_of(write_run(change=change)).text
    assert "border (accuracy 80.0 %, chance 33.3 %), brightness (accuracy 50.0 %, chance 33.3 %)" in text


def test_the_reliability_diagram_is_the_one_that_the_run_recorded(write_run: Any, page_of: PageOf) -> None:
    folder = write_run()
    diagram = {"score": [0.5, 0.9], "accuracy": [0.4, 0.8], "low": [0.1, None], "high": [0.7, None], "n": [100, 300]}
    document = {"calibration": {"reliability": diagram}}
    (folder / "decisions.json").write_text(json.dumps(document), encoding="utf-8")
    text = page_of(folder).text
    assert "mean confidence 80.0\u202f%, right 70.0\u202f%" in text or "mean confidence 80.0 %, right 70.0 %" in text
    assert "2 bins of about equal numbers of images" in text
    (folder / "decisions.json").unlink()
    assert "taken at their word" not in page_of(folder).text


def test_rare_confusions_stay_visible() -> None:
    content = confusion_content({"classes": ["a", "b", "c"], "confusion": [[99, 1, 0], [0, 0, 0], [5, 5, 10]]})
    (name, n, cells) = content["rows"][0]
    assert (name, n) == ("a", 100)
    assert cells == [(99, 0.99, 99, True), (1, 0.01, 21, False), (0, 0.0, 0, False)]
    assert [cell[1] for cell in content["rows"][1][2]] == [None, None, None]
    assert content["given"] == [104, 6, 10]


def test_groups_stand_by_accuracy_and_those_without_one_are_left_out() -> None:
    figures = {"g1": 0.9, "g2": 0.5, "g3": None, "g4": 0.9}
    found = [{"group": name, "n": 10 + i, "accuracy": {"value": v}} for i, (name, v) in enumerate(figures.items())]
    content = group_content({"per_group": found, "accuracy": {"value": 0.9}})
    assert content is not None
    assert [row[0] for row in content["rows"]] == ["g2", "g4", "g1"]
    assert (content["median"], content["lowest"][0], content["n_below"]) == (0.9, "g2", 1)
    assert group_content({"per_group": found[2:3]}) is None
    assert group_content({}) is None


def test_sections_without_figures_are_left_out() -> None:
    assert fold_content({"per_fold": [{"fold": 0, "accuracy": None}]}) is None
    assert learning_content({"learning_curve": []}) is None
