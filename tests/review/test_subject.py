"""What a review is about, from predictions whose model is gone: rows, copies and unreadable files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graticule.answers import Shards, block_of, prediction_schema
from graticule.errors import RunError
from graticule.files import sha256_file
from graticule.progress import Silent
from graticule.review.subject import Subject, read_subject
from graticule.runs import write_json

CLASSES = ("fibre", "plate")
SHA256 = ["1" * 64, "2" * 64, "", "1" * 64, "3" * 64]
PROBA = np.array([[0.9, 0.1], [0.3, 0.7], [np.nan, np.nan], [0.9, 0.1], [0.6, 0.4]])
DECIDED = {
    "set": [["fibre"], ["plate", "fibre"], None, ["fibre"], []],
    "novelty": [0.5, 0.4, None, 0.5, 0.001],
    "decision": ["accept", "review", "reject", "accept", "reject"],
    "reason": ["", "between plate and fibre", "unreadable", "", "novel"],
    "nearest": [["a.png"], None, None, ["a.png"], []],
}


def predicted(folder: Path, rows: slice = slice(None)) -> Path:
    """Predictions of images beside it, by a run that is not there."""
    images = folder / "images"
    images.mkdir()
    out = folder / "answers"
    out.mkdir()
    proba = PROBA[rows]
    with Shards(out, prediction_schema(CLASSES)) as shards:
        readable = ~np.isnan(proba[:, 0])
        decided = {name: values[rows] for name, values in DECIDED.items()}
        paths = [f"{i}.png" for i in range(5)][rows]
        shards.write(block_of(paths, SHA256[rows], proba, readable, CLASSES, decided))
    about = {"images": str(images), "run": str(folder / "gone"), "bundle_sha256": "ab" * 32}
    write_json(out / "summary.json", {"verb": "predict", "n": len(proba), **about})
    (out / "DONE").touch()
    return out


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return read_subject(predicted(tmp_path), Silent())


def test_each_different_image_that_can_be_read_is_an_item(subject: Subject) -> None:
    items = subject.items
    assert items.path.tolist() == ["0.png", "1.png", "4.png"]
    assert items.sha256.tolist() == [SHA256[0], SHA256[1], SHA256[4]]
    assert items.suggested.tolist() == ["fibre", "plate", "fibre"]
    assert items.sets == (("fibre",), ("plate", "fibre"), ())
    assert items.nearest == (("a.png",), (), ())
    assert items.decision.tolist() == ["accept", "review", "reject"]
    assert items.reason.tolist() == ["", "between plate and fibre", "novel"]
    np.testing.assert_array_equal(items.proba, PROBA[[0, 1, 4]])
    assert np.isnan(items.suspicion).all()


def test_it_says_what_was_left_out_and_that_the_model_is_gone(subject: Subject, tmp_path: Path) -> None:
    assert subject.notes[:2] == ["1 unreadable are left out", "1 copies are left out"]
    assert subject.notes[2].startswith("without explanations and training images: ")
    assert (subject.bundle, subject.training, subject.of_training) == (None, None, False)
    assert (subject.model_hash, subject.source) == ("ab" * 32, "predictions answers")
    assert subject.run_hash == sha256_file(tmp_path / "answers" / "summary.json")
    assert subject.root == tmp_path / "images"


def test_nothing_to_look_at_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no image that could be reviewed; 1 unreadable are left out"):
        read_subject(predicted(tmp_path, slice(2, 3)), Silent())


def test_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "DONE").touch()
    with pytest.raises(RunError, match="holds neither predictions"):
        read_subject(tmp_path, Silent())
