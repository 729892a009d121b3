"""A study of particles from drawing to page: planted labels are found, all images judged once."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from graticule.errors import OptionError
from graticule.jobs.study import particles
from graticule.jobs.study.options import StudyOptions
from graticule.jobs.study.particles import study_particles

SMALL = StudyOptions(common=150, rare=36, label_noise=0.03, input_size=32, workers=1)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    study_particles(out, SMALL)
    return out


def test_all_images_are_judged_by_every_way(study: Path) -> None:
    document = json.loads((study / "study.json").read_text())
    assert document["n"] == 222
    assert document["n_groups"] == 12
    assert [arm["name"] for arm in document["arms"]] == ["none", "weights", "oversampling", "symmetries"]
    for arm in document["arms"]:
        assert arm["n"] == 222
        figure = arm["average_precision_macro"]
        assert 0.6 < figure["low"] <= figure["value"] <= figure["high"] <= 1
        # what is judged is the truth, whatever the label
        assert {name: row["n"] for name, row in arm["per_class"].items()} == {
            "air_bubble": 36, "protein_aggregate": 150, "silicone_oil": 36,
        }  # fmt: skip
        assert (arm["over_weights"] is None) == (arm["name"] == "weights")
    assert "No network was trained" in document["left_out"][0]


def test_labels_that_were_made_wrong_are_found(study: Path) -> None:
    labels = json.loads((study / "study.json").read_text())["labels"]
    assert labels["n_planted"] == 7
    assert labels["planted_first_three"] >= 5
    with (study / "label_errors.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 222
    assert sum(row["label"] != row["true_label"] for row in rows[:21]) == labels["planted_first_three"]


def test_what_it_tells_of_stays(study: Path) -> None:
    assert (study / "phantoms" / "manifest.csv").is_file()
    turned = sorted((study / "turned").iterdir())
    n_rare = sum(len(list((study / "phantoms" / name).iterdir())) for name in ("air_bubble", "silicone_oil"))
    assert len(turned) == 7 * n_rare
    assert "What helps the rare kinds" in (study / "study.html").read_text()
    assert (study / "DONE").is_file()


def test_options_of_another_study_and_a_network_without_torch_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match="--specimens: not for a study of particles; its own are --common"):
        study_particles(tmp_path / "a", StudyOptions(specimens=50))
    monkeypatch.setattr(particles, "find_spec", lambda _: None)
    with pytest.raises(OptionError, match="torch, which is not installed"):
        study_particles(tmp_path / "a", StudyOptions(network="resnet18"))
    assert not (tmp_path / "a").exists()
