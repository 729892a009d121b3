"""`graticule label-errors`: the list, the page, the cleaned manifest, and what cannot be judged."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from tests.forged_networks import network

from graticule.arrays import object_array
from graticule.bundle import Bundle, write_bundle
from graticule.bundle_info import BundleInfo
from graticule.heads.scoring import LinearHead, pack_heads
from graticule.images.preprocess import Preprocessing
from graticule.label_errors.words import caveat
from graticule.manifest import Manifest, escape_path, sample_id_of
from graticule.predictions import Predictions
from graticule.sources.sources import read_manifest

N, K = 150, 3
CLASSES = ("disc", "ring", "<b>rod")
WRONG = (4, 40, 77, 110, 131)  # rows whose label is changed
COPY = (20, 21)  # rows of one picture under two labels
Outcome = Any
Command = Callable[..., Outcome]


@dataclass
class Made:
    """What a run is made of; a test changes it before it is written."""

    names: list[str]
    label: np.ndarray[Any, Any]
    truth: np.ndarray[Any, Any]
    proba: np.ndarray[Any, Any]
    features: np.ndarray[Any, Any]
    fold: np.ndarray[Any, Any]
    part: list[str]
    columns: dict[str, list[str]]
    verb: str = "train"
    with_paths: bool = True


def make(seed: int = 0) -> Made:
    """150 images of three classes, five wrong labels, one picture twice under two labels."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N) % K
    truth[COPY[1]] = truth[COPY[0]]
    features = np.eye(K, 8)[truth] + 0.12 * rng.normal(size=(N, 8))
    scores = 6.0 * np.eye(K)[truth] + rng.normal(size=(N, K))
    fold = rng.permutation(N) % 5
    for array in (features, scores, fold):
        array[COPY[1]] = array[COPY[0]]
    label = truth.copy()
    label[list(WRONG)] = (truth[list(WRONG)] + 1) % K
    label[COPY[1]] = (truth[COPY[1]] + 1) % K
    proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    names = [f"{i:03d}.png" for i in range(N)]
    names[WRONG[0]] = "=cmd|' calc.png"
    return Made(names, label, truth, proba, features * np.abs(features), fold, ["cv"] * N, {})


def draw(folder: Path, made: Made) -> None:
    """A picture per image, the same for the two copies."""
    folder.mkdir()
    for i, name in enumerate(made.names):
        value = COPY[0] if i == COPY[1] else i
        PIL.Image.fromarray(np.full((24, 24), value, np.uint8)).save(folder / name)


def write(folder: Path, made: Made) -> Path:
    """The run folder, and its images beside it."""
    images = folder.parent / "images"
    if not images.exists():
        draw(images, made)
    folder.mkdir()
    label = object_array([CLASSES[k] for k in made.label])
    path = object_array(made.names)
    ids = object_array([sample_id_of(name) for name in made.names])
    columns = {name: object_array(values) for name, values in made.columns.items()}
    Manifest(images, path, label, columns).write(folder / "manifest.parquet")
    shown = object_array([escape_path(name) for name in made.names])
    part = object_array(made.part)
    Predictions(ids, shown, part, made.fold, label, CLASSES, made.proba).write(folder / "predictions.parquet")
    hashes = [hashlib.sha256(str(COPY[0] if i == COPY[1] else i).encode()).digest() for i in range(N)]
    training = np.array(made.part) == "cv"
    reference: dict[str, Any] = {
        "features": made.features[training].astype(np.float16),
        "pixel_sha256": np.array([list(h) for h in hashes], np.uint8)[training],
        "class": np.asarray(made.label, np.int32)[training],
    }
    if made.with_paths:
        reference["paths"] = np.frombuffer("\n".join(shown[training]).encode(), np.uint8).copy()
    info = BundleInfo(
        graticule_version="0",
        classes=list(CLASSES),
        backbone="none",
        weights_sha256="ab" * 32,
        licence="MIT",
        preprocessing=Preprocessing(32).to_json(),
        output="features",
        n_features=8,
        views=1,
        heads="mean",
        data_sha256="cd" * 32,
        n_training=max(2, int(training.sum())),
    )
    heads = pack_heads([LinearHead(np.zeros((K, 8), np.float32), np.zeros(K, np.float32), 1.0)])
    write_bundle(folder / "model", Bundle(info, network(8).SerializeToString(), heads, reference, "card"))
    write_splits(folder, ids, made)
    (folder / "run.json").write_text(json.dumps({"schema_version": 1, "verb": made.verb, "data": {"n_unlabelled": 2}}))
    (folder / "DONE").write_text("")
    return folder


def write_splits(folder: Path, ids: np.ndarray[Any, Any], made: Made) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {"sample_id": ids.tolist(), "part": made.part, "fold": made.fold.astype(np.int32)}
    pq.write_table(pa.table(table), folder / "splits.parquet")


def listed(out: Path) -> list[dict[str, str]]:
    with (out / "label_errors.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def made() -> Made:
    return make()


def test_planted_errors_are_listed_copies_first(made: Made, tmp_path: Path, graticule: Command) -> None:
    out = tmp_path / "out"
    done = graticule("label-errors", write(tmp_path / "run", made), "--out", out)
    assert done.code == 0, done
    rows = listed(out)
    assert list(rows[0]) == ["rank", "path", "label", "suggested", "score", "evidence"]
    assert [int(row["rank"]) for row in rows] == list(range(1, N + 1))
    assert {row["path"] for row in rows[:2]} == {made.names[i] for i in COPY}
    assert "same pixels as" in rows[0]["evidence"]
    first = {row["path"].removeprefix("'") for row in rows[2 : 2 + len(WRONG)]}
    assert first == {made.names[i] for i in WRONG}
    for row in rows[2 : 2 + len(WRONG)]:
        i = made.names.index(row["path"].removeprefix("'"))
        assert row["suggested"] == CLASSES[made.truth[i]]
        assert float(row["score"]) > 0.5
    assert "page: " in done.out
    assert (out / "DONE").is_file()


def test_cells_that_would_run_in_a_spreadsheet_are_defused(made: Made, tmp_path: Path, graticule: Command) -> None:
    out = tmp_path / "out"
    graticule("label-errors", write(tmp_path / "run", made), "--out", out)
    text = (out / "label_errors.csv").read_text(encoding="utf-8")
    assert "'=cmd|' calc.png" in text
    assert not any(line.split(",")[1].startswith("=") for line in text.splitlines()[1:])
    assert "\n'=cmd" in (out / "cleaned_manifest.csv").read_text(encoding="utf-8")


def test_the_cleaned_manifest_is_read_by_the_program(made: Made, tmp_path: Path, graticule: Command) -> None:
    made.columns = {"group": [f"g{i % 30}" for i in range(N)]}
    out = tmp_path / "out"
    run = write(tmp_path / "run", made)
    before = {f: f.read_bytes() for f in run.rglob("*") if f.is_file()}
    document = json.loads(graticule("label-errors", run, "--out", out, "--json").out)
    assert document == json.loads((out / "label_errors.json").read_text(encoding="utf-8"))
    cleaned = read_manifest(out / "cleaned_manifest.csv", root=tmp_path / "images")
    assert cleaned.path.tolist() == made.names
    assert cleaned.group is not None
    assert (~cleaned.labelled).sum() == document["n_listed"]
    assert set(cleaned.path[~cleaned.labelled]) == {made.names[i] for i in (*WRONG, *COPY)}
    kept = cleaned.labelled
    assert cleaned.label[kept].tolist() == [CLASSES[k] for k in made.label[kept]]
    assert before == {f: f.read_bytes() for f in run.rglob("*") if f.is_file()}


def test_the_document_says_how_many_and_which_for_which(made: Made, tmp_path: Path, graticule: Command) -> None:
    document = json.loads(
        graticule("label-errors", write(tmp_path / "run", made), "--out", tmp_path / "o", "--json").out
    )
    wrong = document["wrong_labels"]
    assert document["schema_version"] == 1
    assert wrong["low"] <= len(WRONG) / N <= wrong["high"]
    assert document["n_listed"] == len(WRONG) + len(COPY)
    assert 1 - document["agreement"] >= len(WRONG) / N
    assert (document["n_conflicts"], document["conflict_sets"]) == (2, 1)
    assert sum(pair["listed"] for pair in document["pairs"]) == len(WRONG) + 1  # of the copies one label is right
    for pair in document["pairs"]:
        assert pair["label"] != pair["suggested"]
        assert pair["estimated"]["low"] <= pair["estimated"]["value"] <= pair["estimated"]["high"]
    assert document["errors"][0]["copies"][0]["similarity"] is None
    assert document["errors"][2]["neighbours"]["n"] == 20


@pytest.mark.parametrize(
    ("agreement", "share", "said"), [(0.94, 0.05, ""), (0.78, 0.2, ""), (0.69, 0.17, "about 14 %")]
)
def test_a_model_that_errs_by_itself_is_said_to(agreement: float, share: float, said: str) -> None:
    found = caveat({"agreement": agreement, "wrong_labels": {"value": share}})
    assert (said in found) if said else (found == "")


def test_the_page_shows_pictures_and_escapes_names(made: Made, tmp_path: Path, graticule: Command) -> None:
    out = tmp_path / "out"
    graticule("label-errors", write(tmp_path / "run", made), "--out", out)
    page = (out / "label_errors.html").read_text(encoding="utf-8")
    assert page.count("data:image/") > len(WRONG) + 1
    assert "&lt;b&gt;rod" in page
    assert "<b>rod" not in page
    assert "no picture" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_images_that_are_gone_keep_their_row(made: Made, tmp_path: Path, graticule: Command) -> None:
    run, out = write(tmp_path / "run", made), tmp_path / "out"
    (tmp_path / "images" / made.names[WRONG[1]]).unlink()
    (tmp_path / "images" / made.names[WRONG[2]]).write_bytes(b"no image")
    assert graticule("label-errors", run, "--out", out).code == 0
    page = (out / "label_errors.html").read_text(encoding="utf-8")
    assert page.count("no picture: file moved or not readable") == 2
    assert "Of 2 the file was moved" in page
    assert {made.names[i] for i in WRONG[1:3]} <= {row["path"] for row in listed(out)[:7]}
    shutil.rmtree(tmp_path / "images")
    assert graticule("label-errors", run, "--out", tmp_path / "again").code == 0


def test_held_out_images_are_left_alone(made: Made, tmp_path: Path, graticule: Command) -> None:
    made.part = ["test" if i % 5 == 4 else "cv" for i in range(N)]
    made.fold = np.where(np.array(made.part) == "test", -1, made.fold)
    made.with_paths = False
    out = tmp_path / "out"
    document = json.loads(graticule("label-errors", write(tmp_path / "run", made), "--out", out, "--json").out)
    assert (document["n"], document["n_held_out"]) == (120, 30)
    held = {name for name, part in zip(made.names, made.part, strict=True) if part == "test"}
    assert not held & {row["path"].removeprefix("'") for row in listed(out)}
    cleaned = read_manifest(out / "cleaned_manifest.csv", root=tmp_path / "images")
    assert cleaned.labelled[[made.names.index(name) for name in held]].all()


def test_near_duplicates_under_two_labels_are_a_conflict(made: Made, tmp_path: Path, graticule: Command) -> None:
    rng = np.random.default_rng(5)
    images = tmp_path / "images"
    images.mkdir()
    for name in made.names:
        coarse = PIL.Image.fromarray(rng.integers(0, 255, (12, 12), dtype=np.uint8))
        coarse.resize((96, 96), PIL.Image.Resampling.BICUBIC).save(images / name)
    a, b = 60, 61
    made.names[b] = "061.jpg"
    PIL.Image.open(images / made.names[a]).save(images / made.names[b], quality=80)
    made.features[b] = made.features[a] * 1.001
    made.proba[b], made.fold[b], made.label[a] = made.proba[a], made.fold[a], made.truth[a]
    made.label[b] = (made.truth[a] + 1) % K
    document = json.loads(
        graticule("label-errors", write(tmp_path / "run", made), "--out", tmp_path / "o", "--json").out
    )
    near = [row for row in document["errors"] if row["copies"] and row["copies"][0]["similarity"] is not None]
    assert {row["path"] for row in near} == {made.names[a], made.names[b]}
    assert all("near-duplicate" in row["evidence"] for row in near)
    assert document["conflict_sets"] == 2


def test_nothing_wrong_is_said(made: Made, tmp_path: Path, graticule: Command) -> None:
    made.label = made.truth
    out = tmp_path / "out"
    done = graticule("label-errors", write(tmp_path / "run", made), "--out", out)
    assert "0 listed" in done.out
    assert "no label is more likely wrong than right" in (out / "label_errors.html").read_text(encoding="utf-8")


def faulty(made: Made, fault: str) -> None:
    if fault == "trained with one fold":
        made.part, made.fold = ["test"] * N, np.full(N, -1)
    elif fault == "an evaluation":
        made.verb, made.part = "evaluate", ["test"] * N
    elif fault == "all images have the same scores":
        made.proba[:] = 1 / K
    elif fault == "all images carry one label":
        made.label = np.zeros(N, dtype=int)
    elif fault == "1 of 150 images have features that are no numbers":
        made.features[3, 2] = np.nan
    else:
        made.proba[5] = np.nan


@pytest.mark.parametrize(
    "fault",
    [
        "trained with one fold",
        "an evaluation",
        "all images have the same scores",
        "all images carry one label",
        "1 of 150 images have features that are no numbers",
        "1 of 150 images have scores that are no numbers",
    ],
)
def test_what_cannot_be_judged_is_one_message(made: Made, tmp_path: Path, graticule: Command, fault: str) -> None:
    faulty(made, fault)
    out = tmp_path / "out"
    # such a model is refused as a whole
    words = "values that are no finite numbers" if "features" in fault else fault
    assert words in graticule("label-errors", write(tmp_path / "run", made), "--out", out).message()
    assert not out.exists()


def test_no_run_and_a_used_folder_are_refused(made: Made, tmp_path: Path, graticule: Command) -> None:
    run = write(tmp_path / "run", made)
    assert "there is no run" in graticule("label-errors", tmp_path / "nothing", "--out", tmp_path / "o").message()
    assert "holds a finished" in graticule("label-errors", run, "--out", run).message()
    assert "lies inside the images" in graticule("label-errors", run, "--out", tmp_path / "images" / "o").message()


def test_a_trained_run_is_read(run: Path, tmp_path: Path, graticule: Command) -> None:
    done = graticule("label-errors", run, "--out", tmp_path / "out", "--json")
    assert done.code == 0, done
    document = json.loads(done.out)
    assert (document["n"], document["n_held_out"]) == (27, 9)
    assert len(listed(tmp_path / "out")) == 27
