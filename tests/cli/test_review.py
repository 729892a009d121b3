"""`graticule review`: what it reviews, what it leaves out, and the page it opens, from the command line."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from graticule.bundle import read_bundle, write_bundle
from graticule.errors import GraticuleError, OptionError, RunError
from graticule.files import sha256_file
from graticule.jobs.options import ReviewOptions
from graticule.jobs.predict import predict
from graticule.jobs.review import open_review
from graticule.progress import Silent
from graticule.review.desk import Decision
from graticule.review.nearest import N_NEAREST, NearestOfClasses, groups_of
from graticule.review.queue import Filters


class _Notes(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def predicted(run: Path, images: Path, tmp_path_factory: pytest.TempPathFactory, in_session_cache: None) -> Path:
    """Predictions of some images, with a copy and a broken file among them."""
    folder = tmp_path_factory.mktemp("review")
    new = folder / "new"
    new.mkdir()
    for i, file in enumerate(sorted(images.rglob("*.png"))[::5]):
        shutil.copyfile(file, new / f"{i:02d}.png")
    shutil.copyfile(new / "00.png", new / "copy.png")
    (new / "broken.png").write_bytes(b"\x89PNG broken")
    predict(run, new, folder / "answers")
    return folder / "answers"


def test_predictions_are_reviewed_without_copies_and_unreadable_files(
    predicted: Path, run: Path, tmp_path: Path
) -> None:
    notes = _Notes()
    with open_review(predicted, str(tmp_path / "labels.db"), reporter=notes) as review:
        items = review.desk.items
        n = len(list((predicted.parent / "new").glob("*.png")))
        assert len(items) == n - 2
        assert notes.said == ["1 unreadable are left out", "1 copies are left out"]
        files = [predicted.parent / "new" / path for path in items.path]
        assert [sha256_file(file) for file in files] == items.sha256.tolist()
        assert items.proba.sum(axis=1) == pytest.approx(np.ones(len(items)))
        assert review.pictures.can_explain
        assert len(review.subject.training or ()) > 0
        place = review.desk.take("ann", Filters("all"))[0]
        map_ = review.pictures.explanation(place, items.classes[0])
        assert map_ is not None
        assert map_.startswith(b"\x89PNG")
        event = review.desk.decide("ann", Decision(items.sha256[place], "label", items.classes[0]))
        assert event.model_hash == json.loads((predicted / "summary.json").read_text())["bundle_sha256"]
        assert event.run_hash == sha256_file(predicted / "summary.json")


def test_predictions_of_a_model_that_is_gone_are_reviewed_without_explanations(predicted: Path, tmp_path: Path) -> None:
    moved = tmp_path / "answers"
    shutil.copytree(predicted, moved)
    summary = json.loads((moved / "summary.json").read_text())
    (moved / "summary.json").write_text(json.dumps(summary | {"run": str(tmp_path / "gone")}))
    notes = _Notes()
    with open_review(moved, str(tmp_path / "labels.db"), reporter=notes) as review:
        assert not review.pictures.can_explain
        assert review.pictures.shown(0).pixels.size > 0
    assert "without explanations and training images" in notes.said[-1]


def test_a_run_is_reviewed_by_its_own_images(run: Path, images: Path, tmp_path: Path) -> None:
    notes = _Notes()
    with open_review(run, str(tmp_path / "labels.db"), ReviewOptions(control=5), notes) as review:
        items = review.desk.items
        record = json.loads((run / "metrics.json").read_text())
        assert len(items) == record["n"]
        assert set(items.given.tolist()) == set(items.classes)
        assert [sha256_file(images / path) for path in items.path[:5]] == items.sha256[:5].tolist()
        assert set(items.decision.tolist()) <= {"accept", "review", "reject", ""}


def _distances(reference: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Between all training images, as `predict` measures them, computed anew. Shape (m, m)."""
    space = {name: reference[f"novelty.space.{name}"].astype(np.float64) for name in ("centre", "scale", "basis")}
    features = reference["features"].astype(np.float64)
    rooted = np.sign(features) * np.sqrt(np.abs(features))
    placed = (rooted - space["centre"]) / space["scale"] @ space["basis"] @ reference["novelty.space.within"]
    return np.asarray(np.linalg.norm(placed[:, None] - placed[None], axis=2))


def test_a_copy_of_a_training_image_is_the_nearest_one_of_its_class(
    predicted: Path, images: Path, tmp_path: Path
) -> None:
    with open_review(predicted, str(tmp_path / "labels.db")) as review:
        items, bundle = review.desk.items, review.subject.bundle
        assert bundle is not None
        assert not review.subject.of_training
        find = NearestOfClasses(bundle, review.pool)
        for place in range(3):
            found = find(review.pictures.files[place], items.path[place], list(items.classes))
            assert [{path.split("/")[0] for path in paths} for paths in found] == [{name} for name in items.classes]
            hashes = [sha256_file(images / paths[0]) for paths in found]
            assert items.sha256[place] in hashes
            assert len({path for paths in found for path in paths}) == 3 * N_NEAREST
        assert find(predicted / "gone.png", "gone.png", ["disc"]) == [[]]
        older = {name: values for name, values in bundle.reference.items() if name != "novelty.mixing"}
        assert NearestOfClasses.possible(bundle)
        assert not NearestOfClasses.possible(replace(bundle, reference=older))


def test_a_training_image_is_compared_with_the_others_of_other_groups(run: Path, tmp_path: Path) -> None:
    with open_review(run, str(tmp_path / "labels.db")) as review:
        subject, items = review.subject, review.desk.items
        assert subject.of_training
        assert subject.bundle is not None
    reference = subject.bundle.reference
    paths = reference["paths"].tobytes().decode().split("\n")
    distance, label = _distances(reference), reference["class"]
    groups = [str(k // 2) for k in range(len(paths))]
    for own in (groups_of(paths, None), groups_of(paths, groups)):
        find = NearestOfClasses(subject.bundle, review.pool, own)
        for place in range(0, len(items), 7):
            row = paths.index(items.path[place])
            found = find(tmp_path / "not read", items.path[place], list(items.classes))
            for k in range(len(items.classes)):
                order = [j for j in np.argsort(distance[row]) if label[j] == k and j != row]
                if any(own.values()):
                    order = [j for j in order if groups[j] != groups[row]]
                assert found[k] == [paths[j] for j in order[:N_NEAREST]]


def test_sets_of_a_run_s_own_images_come_from_the_other_folds(run: Path, tmp_path: Path) -> None:
    with open_review(run, str(tmp_path / "labels.db")) as review:
        items, bundle = review.desk.items, review.subject.bundle
        assert bundle is not None
    tensors = bundle.reference
    proba, y, fold = (tensors[f"evidence.{name}"] for name in ("proba", "y", "fold"))
    scored = pq.read_table(run / "predictions.parquet").to_pydict()
    cv = [path for path, part in zip(scored["path"], scored["part"], strict=True) if part == "cv"]
    n_in = []
    for i, path in enumerate(cv):
        place = items.path.tolist().index(path)
        best = int(items.proba[place].argmax())
        expected = set()
        for k, name in enumerate(items.classes):
            # fewer than 19 images of a class: those of all classes together
            others = [j for j in range(len(cv)) if fold[j] != fold[i]]
            worse = sum(1.0 - float(proba[j, y[j]]) >= 1.0 - float(proba[i, k]) for j in others)
            if (1 + worse) / (1 + len(others)) > 0.05 or k == best:
                expected.add(name)
        assert set(items.sets[place]) == expected
        assert items.sets[place][0] == items.classes[best]
        n_in.append(items.given[place] in expected)
    assert np.mean(n_in) > 0.9
    assert np.isnan(items.novelty).all()


def test_scores_of_a_calibration_part_give_no_sets(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "run"
    shutil.copytree(run, other)
    shutil.rmtree(other / "model")
    bundle = read_bundle(run / "model")
    fold = np.full_like(bundle.reference["evidence.fold"], -1)
    write_bundle(other / "model", replace(bundle, reference=bundle.reference | {"evidence.fold": fold}))
    with open_review(other, str(tmp_path / "labels.db")) as review:
        assert set(review.desk.items.sets) == {()}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ReviewOptions(control=-1), "--control -1"),
        (ReviewOptions(order="odd"), "gain, margin, random"),
    ],
)
def test_faulty_options(predicted: Path, tmp_path: Path, options: ReviewOptions, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        open_review(predicted, str(tmp_path / "labels.db"), options)


def test_other_folders_are_refused(predicted: Path, images: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no finished run or folder of predictions"):
        open_review(images, str(tmp_path / "labels.db"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "DONE").write_text("")
    with pytest.raises(RunError, match="neither predictions"):
        open_review(tmp_path / "empty", str(tmp_path / "labels.db"))
    with pytest.raises(GraticuleError, match="no folder"):
        open_review(predicted, str(tmp_path / "nowhere" / "labels.db"))


def test_the_page_opens_from_the_command_line_and_ends_with_ctrl_c(
    predicted: Path, tmp_path: Path, graticule: Callable[..., Any]
) -> None:
    command = [sys.executable, "-m", "graticule", "review", str(predicted), "--labels", str(tmp_path / "labels.db")]
    process = subprocess.Popen(
        [*command, "--port", "0", "--user", "Ann"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"GRATICULE_PASSWORD": ""},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        host, _, rest = url.removeprefix("http://").partition(":")
        port, _, query = rest.partition("/")
        assert host == "127.0.0.1"
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.request("GET", "/healthz")
        assert json.loads(connection.getresponse().read()) == {"status": "ok"}
        connection.request("GET", f"/{query}")
        answer = connection.getresponse()
        answer.read()
        cookie = (answer.getheader("set-cookie") or "").split(";")[0]
        connection.request("GET", "/api/settings", headers={"Cookie": cookie})
        assert json.loads(connection.getresponse().read())["who"] == "Ann"
        connection.close()
        busy = graticule("review", predicted, "--labels", tmp_path / "other.db", "--port", port)
        assert (busy.code, "cannot listen" in busy.err) == (2, True)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) in (0, 130)
    finally:
        process.kill()
        process.communicate()


def test_sharing_that_cannot_be_used_is_refused_before_anything_is_read(
    predicted: Path, tmp_path: Path, graticule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = tmp_path / "labels.db"
    monkeypatch.setenv("GRATICULE_PASSWORD", "too short")
    outcome = graticule("review", predicted, "--labels", labels, "--host", "0.0.0.0")
    assert (outcome.code, "at least 12" in outcome.err) == (2, True)
    monkeypatch.delenv("GRATICULE_PASSWORD")
    outcome = graticule("review", predicted, "--labels", labels, "--name", "https://review.example.org/")
    assert (outcome.code, "without scheme and path" in outcome.err) == (2, True)
    outcome = graticule("review", predicted, "--labels", labels, "--user", "Graticule", "--port", 0)
    assert (outcome.code, "the program itself" in outcome.err) == (2, True)


def test_a_shared_review_makes_its_password(predicted: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "graticule", "review", str(predicted), "--labels", str(tmp_path / "labels.db")]
    process = subprocess.Popen(
        [*command, "--port", "0", "--user", "Ann", "--name", "review.example.org", "--proxy", "127.0.0.1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"GRATICULE_PASSWORD": ""},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.endswith("/login")
        port = int(url.split(":")[2].split("/")[0])
        assert process.stderr is not None
        told = ""
        while "/login" not in told:  # said last; a signal before would end the review with it unsaid
            line = process.stderr.readline()
            assert line, told
            told += line
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/healthz")  # answered once the server listens to signals
        connection.getresponse().read()
        connection.close()
        process.send_signal(signal.SIGINT)
        told += process.communicate(timeout=60)[1]
        password = next(line for line in told.splitlines() if line.startswith("password")).rsplit(" ", 1)[1]
        assert len(password) == 20
        assert "https://review.example.org/login" in told
        assert "not encrypted" not in told
        assert port > 0
    finally:
        process.kill()
        process.communicate()


def test_labels_of_a_review_go_back_into_training_and_the_picked_ones_judge_nothing(
    predicted: Path,
    images: Path,
    tmp_path: Path,
    graticule: Callable[..., Any],
    fast: tuple[str, ...],
    warm_cache: Path,
) -> None:
    labels = tmp_path / "labels.db"
    with open_review(predicted, str(labels), ReviewOptions(control=3)) as review:
        desk, picked = review.desk, 0
        for place in desk.take("ann", Filters("all"), 100):
            event = desk.decide("ann", Decision(desk.items.sha256[place], "label", desk.items.suggested[place]))
            picked += event.sampling_prob is None
    new = predicted.parent / "new"
    joined = tmp_path / "both"
    shutil.copytree(images, joined)
    shutil.copytree(new, joined, dirs_exist_ok=True)
    (joined / "broken.png").unlink()
    (joined / "copy.png").unlink()
    table = joined / "manifest.csv"
    rows = [f"{file.relative_to(joined).as_posix()},{file.parent.name}" for file in sorted(joined.glob("*/*.png"))]
    table.write_text("path,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    exported = graticule("labels", "export", "--labels", labels, "--out", joined / "labels.csv", "--data", table)
    assert exported.code == 0, exported.err
    outcome = graticule("train", joined / "labels.csv", "--out", tmp_path / "run", *fast, "--folds", 3)
    assert outcome.code == 0, outcome.err
    parts = pq.read_table(tmp_path / "run" / "splits.parquet")["part"].to_pylist()
    # copies of training images stay where those are, picked ones are scored nowhere
    assert 0 < parts.count("picked") <= picked
    scored = pq.read_table(tmp_path / "run" / "predictions.parquet")["path"].to_pylist()
    assert len(scored) == len(parts) - parts.count("picked") - parts.count("left out")
