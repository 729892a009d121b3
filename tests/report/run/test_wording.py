"""Sentences of the report follow the numbers."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from tests.report.run.conftest import PageOf

from graticule.report.run.wording import methods_used, model_run, run_subject, share_of_all, span


def test_the_verdict_says_it_in_one_paragraph(write_run: Any, page_of: PageOf) -> None:
    folder = write_run(test=True)
    metrics = json.loads((folder / "metrics.json").read_text())
    accuracy = metrics["accuracy"]
    text = page_of(folder).text.replace("\u202f", " ")
    assert f"Out-of-fold, {100 * accuracy['value']:.1f} % of 60 images" in text
    assert f"(95 % interval {100 * accuracy['low']:.1f} to {100 * accuracy['high']:.1f} %)" in text
    assert f"most frequent class would get {100 * accuracy['baseline']:.1f} %" in text
    assert "On the held-out part of 30 images" in text
    assert "images of one specimen may be on both sides of a split" in text


def test_too_few_groups_are_said_before_the_numbers(write_run: Any, page_of: PageOf) -> None:
    page = page_of(write_run(n_groups=3))
    assert page.text.index("No intervals") < page.text.index("Out-of-fold results")
    assert "(no interval)" in page.text


def test_groups_switched_off_stamp_the_report(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["options"]["group"] = "none"
        run["data"]["group_column"] = None

    page = page_of(write_run(n_groups=12, change=change))
    assert page.text.index("Groups switched off") < page.text.index("Out-of-fold results")


def test_notes_on_the_folds_are_sentences(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["folds"]["notes"] = [
            "2 images in a family stay together",
            "folds are uneven.",
            "group 'A' is large",
        ]

    text = page_of(write_run(change=change)).text
    assert "2 images in a family stay together. Folds are uneven. Group 'A' is large." in text
    assert "Cues" not in text


def test_one_missed_image_is_said_in_the_singular(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        metrics["confusion"] = [[30, 0, 0], [0, 29, 1], [0, 0, 30]]
        for name, value in (("fibre", 1.0), ("plate", 29 / 30), ("sphere", 1.0)):
            metrics["per_class"][name]["sensitivity"] = {"value": value}

    text = page_of(write_run(change=change)).text
    assert "“plate” (sensitivity 96.7 %): the one image missed was given “sphere”." in text


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"source": "/data/grains"}, "grains"),
        ({"source": "/data/grains.v2"}, "grains.v2"),
        ({"source": "/data/lots.CSV"}, "lots"),
        ({"root": "/data/x"}, "x"),
        ({}, "images"),
        ({"source": "/"}, "images"),
    ],
)
def test_the_data_are_named_by_the_end_of_their_path(data: dict[str, Any], name: str) -> None:
    assert run_subject(SimpleNamespace(run={"data": data})) == name  # type: ignore[arg-type]


def test_methods_of_intervals_stand_once_in_the_order_of_their_use() -> None:
    figure = {"value": 0.5, "method": "wilson"}
    metrics = {
        "n": 3,
        "accuracy": figure,
        "ece": {"value": None, "method": "bootstrap"},
        "per_class": {"a": {"n": 3, "f1": figure | {"method": "other"}, "sensitivity": figure}},
    }
    assert methods_used(metrics) == ["wilson", "other"]


def test_a_figure_without_limits_says_that_it_has_none() -> None:
    assert span({"value": 0.5, "low": None, "high": None}) == "no interval"
    assert span({"value": 0.5, "low": 0.4, "high": 0.6, "level": 0.9}).startswith("90\u202f% interval 40.0 to 60.0")


def test_a_share_is_of_all_images_of_the_run() -> None:
    assert share_of_all({"data": {"n": 80}}, 20) == 0.25
    assert share_of_all({}, 20) == 1.0
    assert model_run({"model_run": {"path": "runs/a"}}) == model_run({"model_run": "runs/a"}) == "runs/a"
    assert model_run({}) == "not recorded"
