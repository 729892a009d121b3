"""What a report carries on its face."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.report.run.conftest import PageOf

from graticule.report.run.stamps import kind_of_report, stamps


def test_openings_of_the_held_out_part_are_counted(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        opening = {"utc": "2026-01-02T03:04:05Z", "verb": "train", "model_sha256": "aa"}
        run["test_openings"] = [opening, opening | {"verb": "evaluate"}]

    page = page_of(write_run(test=True, change=change))
    assert "opened 2 times" in page.text
    assert "Held-out part opened again" in page.text


def source(run: dict[str, Any], metrics: dict[str, Any]) -> Any:
    return SimpleNamespace(run=run, metrics=metrics, external=run.get("verb") == "evaluate")


LEAK = {"kind": "group", "parts": ["train", "test"]}


def test_a_leak_into_the_held_out_part_is_stamped_with_the_figure_without_it() -> None:
    figure = {"value": 0.9, "low": 0.8, "high": 0.95, "level": 0.95}
    test = {"n": 50, "accuracy": figure, "without_leaks": {"n": 40, "accuracy": figure | {"value": 0.7}}}
    leaking = source({"leaks": [LEAK, LEAK | {"parts": ["train", "val"]}]}, {"test": test})
    ((heading, text),) = stamps(leaking)
    assert heading == "Leaking split"
    assert text.startswith("1 leak (group) between training and held-out part: the model knew part of its exam.")
    assert "on the 40 that no leak touches" in text
    assert kind_of_report(leaking) == "classification report on a leaking split"
    ((_, text),) = stamps(source({"leaks": [LEAK]}, {"test": test | {"without_leaks": None}}))
    assert "no image of it is free of leaks" in text


@pytest.mark.parametrize(("n", "words"), [(0, "of a finished model"), (9, "on partly synthetic"), (10, "on synthetic")])
def test_an_evaluation_on_synthetic_images_says_so_in_its_title(n: int, words: str) -> None:
    made = source({"verb": "evaluate", "n_synthetic_evaluated": n}, {"n": 10})
    assert kind_of_report(made).startswith(f"evaluation {words}")
    assert [heading for heading, _ in stamps(made)] == ["Synthetic images evaluated"] * bool(n)


def test_a_test_part_known_from_other_runs_is_stamped_and_a_first_opening_is_not() -> None:
    assert stamps(source({"test_openings": [{}]}, {})) == []
    ((heading, text),) = stamps(source({"test_openings_elsewhere": 3}, {}))
    assert heading == "Held-out part known from other runs"
    assert text.startswith("3 other models had been scored")
