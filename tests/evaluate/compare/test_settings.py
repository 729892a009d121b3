"""What a comparison says of a run's settings, from its record."""

from __future__ import annotations

from pathlib import Path

from graticule.evaluate.compare.settings import settings_of
from graticule.runs import write_json

TRAINED = {
    "verb": "train",
    "wall_time_s": 20.0,
    "options": {"method": "finetune", "head": "auto", "backbone": "lite0"},
    "embedding": {"backbone": "lite0", "views": 1, "cached": 3},
    "training": {"device": "cpu", "recipe": {"input_size": 128}, "folds": [{"seconds": 30.0}, {"seconds": 31.5}]},
}


def test_a_fine_tuned_network_is_its_own_head_and_its_folds_took_their_time() -> None:
    found = settings_of(TRAINED)
    assert (found["head"], found["method"], found["input_size"], found["device"]) == ("network", "finetune", 128, "cpu")
    assert found["wall_time_s"] == 61.5


def test_a_silent_record_says_nothing() -> None:
    found = settings_of({})
    assert found.pop("method") == "features"
    assert set(found.values()) == {None}


def test_an_evaluation_has_the_settings_of_its_models_run_where_it_still_lies_there(tmp_path: Path) -> None:
    record = {"verb": "evaluate", "model_run": str(tmp_path), "options": {"head": "svm"}, "wall_time_s": 5.0}
    assert settings_of(record)["head"] == "svm"
    assert settings_of(record)["wall_time_s"] is None
    write_json(tmp_path / "run.json", TRAINED)
    assert settings_of(record)["head"] == "network"
