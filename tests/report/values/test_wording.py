"""Sentences on predicted numbers: plain words first, and warnings where figures may mislead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graticule.report.values.source import ValueSource, read_value_source
from graticule.report.values.wording import (
    baseline_name,
    shrinkage_note,
    value_alerts,
    value_methods,
    value_span,
    value_verdict,
)


def changed(folder: Path, **changes: Any) -> ValueSource:
    file = folder / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return read_value_source(folder)


def test_the_verdict_in_plain_words(write_values: Callable[..., Path]) -> None:
    source = read_value_source(write_values())
    text = " ".join(value_verdict(source))
    assert text.startswith("On new specimens the prediction is off by 0.0")
    assert "less than always saying the mean of the training images" in text
    assert "too high on average, in the highest third" in text
    assert "The mean over all images of a specimen is off by" in text
    assert "interval" in value_span(source, source.metrics["mae"])
    assert "drawn to the middle" in shrinkage_note(source)


def test_units_stand_beside_numbers(write_values: Callable[..., Path]) -> None:
    text = " ".join(value_verdict(read_value_source(write_values(unit="µm", scale=40.0))))
    assert "\u202fµm on average" in text


def test_warnings(write_values: Callable[..., Path]) -> None:
    folder = write_values()
    assert value_alerts(read_value_source(folder)) == []
    metrics = json.loads((folder / "metrics.json").read_text())
    worse = dict(metrics["baselines"])
    worse["mean"] = worse["mean"] | {"ratio": {"value": 0.9, "low": 0.7, "high": 1.1}}
    source = changed(folder, baselines=worse, n_groups=4, intervals=metrics["intervals"] | {"kept": "missed"})
    headings = [heading for heading, _ in value_alerts(source)]
    assert headings == ["A simpler method does as well", "Limits too narrow", "Only 4 groups"]
    assert "not shown to be better than “mean of the training images”" in value_alerts(source)[0][1]


def test_a_model_that_learnt_nothing(write_values: Callable[..., Path]) -> None:
    folder = write_values(noise=0.6)
    metrics = json.loads((folder / "metrics.json").read_text())
    mean = metrics["baselines"]["mean"] | {"ratio": {"value": 1.2, "low": 1.0, "high": 1.4}}
    text = " ".join(value_verdict(changed(folder, baselines={"mean": mean})))
    assert "nothing was learnt" in text


def test_without_groups_that_is_said(write_values: Callable[..., Path]) -> None:
    source = read_value_source(write_values(0, 60))
    assert "images that it had not seen" in value_verdict(source)[0]
    assert "No groups" in [heading for heading, _ in value_alerts(source)]


def test_the_methods_paragraph_names_its_sources(write_values: Callable[..., Path]) -> None:
    text = value_methods(read_value_source(write_values()))
    assert "Lee, Barber and Willett 2023" in text
    assert "120 images of 24 specimens" in text
    assert "applied once" in value_methods(read_value_source(write_values(verb="evaluate", name="out")))
    assert baseline_name("own") == "own"
