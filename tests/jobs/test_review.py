"""A review of a run: opened with its control sample and settings, and closed again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.drawn_values import DrawnValues

from graticule.errors import LabelStoreError, OptionError
from graticule.files import sha256_file
from graticule.jobs.labels import export_labels
from graticule.jobs.options import ReviewOptions
from graticule.jobs.review import open_review
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.predictions import read_predictions
from graticule.review.desk import Decision
from graticule.review.sharing import Sharing, listen_for


def test_a_review_of_a_run_shows_its_cross_validated_images(run: Path, tmp_path: Path) -> None:
    with open_review(run, str(tmp_path / "labels.db"), ReviewOptions(double=True)) as review:
        items, settings = review.desk.items, review.desk.settings
        cv = read_predictions(run / "predictions.parquet").of_part("cv")
        assert sorted(items.path) == sorted(cv.path)
        assert [sha256_file(file) for file in review.pictures.files] == items.sha256.tolist()
        assert (settings.double, settings.blind, settings.source) == (True, False, "run run")
        assert settings.run_hash == sha256_file(run / "run.json")
        assert len(review.pictures.training) == 90
        assert not review.pictures.is_changed(0)


def test_nobody_takes_the_name_of_the_program(run: Path, tmp_path: Path) -> None:
    with open_review(run, str(tmp_path / "labels.db")) as review:
        listening = listen_for(Sharing(port=0))
        with listening.socket, pytest.raises(OptionError, match="the program itself"):
            review.app(listening, "Graticule")


def _cells(table: Path) -> dict[str, dict[str, str]]:
    """Rows of a table by path."""
    return {row["path"]: row for row in csv.DictReader(table.read_text().splitlines())}


def test_numbers_that_were_corrected_by_the_page_train_again(
    value_table: Path, planted: DrawnValues, tmp_path: Path
) -> None:
    """Train, review, correct over HTTP, export into the data set, train again: the loop closes."""
    truth = {path: row["fraction"] for path, row in _cells(value_table).items()}
    said = dict(truth)
    wrong = list(truth)[3:90:15]
    said |= {path: "0.99" if float(truth[path]) < 0.5 else "0.01" for path in wrong}
    table = value_table.with_name("spoilt.csv")
    table.write_text(
        "path,group,fraction\n" + "".join(f"{p},{r['group']},{said[p]}\n" for p, r in _cells(value_table).items())
    )
    options = {
        "target": "fraction",
        "target_min": 0.0,
        "target_max": 1.0,
        "folds": 4,
        "head": "ridge",
        "features": "network",
    }
    labels = str(tmp_path / "labels.db")
    with planted.instead_of_pixels():
        first = train(table, tmp_path / "first", TrainOptions.of(options))
        with open_review(tmp_path / "first", labels, ReviewOptions(control=0)) as review:
            listening = listen_for(Sharing(port=0))
            with listening.socket:
                client = TestClient(review.app(listening, "ann"), base_url=f"http://127.0.0.1:{listening.port}")
                client.get("/", params={"token": listening.gate.token}, follow_redirects=False)
                for item in client.get("/api/queue", params={"kind": "all", "n": 8}).json()["items"]:
                    sent = {"client_id": item["id"], "action": "label", "image": item["id"], "blind": False}
                    answer = client.post("/api/event", json=sent | {"value": truth[item["name"]]})
                    assert answer.status_code == 201
        told = export_labels(labels, tmp_path / "labels.csv", data=table)
        assert (told["target"], told["n_relabelled"], told["n_labels"]) == ("fraction", 8, len(truth))
        again = train(tmp_path / "labels.csv", tmp_path / "again", TrainOptions.of(options | {"root": table.parent}))
    found = {path: row["fraction"] for path, row in _cells(tmp_path / "labels.csv").items()}
    assert sum(float(found[path]) == float(truth[path]) for path in wrong) >= 5, "the queue begins with what is wrong"
    assert all(float(found[path]) == float(truth[path]) for path in found if path not in wrong)
    assert again["metrics"]["mae"]["value"] < 0.8 * first["metrics"]["mae"]["value"]


def test_a_store_of_one_kind_is_not_taken_for_the_other(run: Path, valued_run: Path, tmp_path: Path) -> None:
    labels = str(tmp_path / "labels.db")
    with open_review(run, labels) as review:
        item = review.desk.opinion(0, "ann")
        review.desk.decide("ann", Decision(item["id"], "label", "a"))
    with pytest.raises(LabelStoreError, match="holds classes, and this is about numbers of fraction: name another"):
        open_review(valued_run, labels)
    with pytest.raises(OptionError, match="--target-unit belongs to --target COLUMN"):
        open_review(valued_run, labels, ReviewOptions(target_unit="nm"))
