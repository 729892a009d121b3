"""What a review of numbers is about: a run, predictions of its bundle, a data set with a column."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.drawn_values import DrawnValues

from graticule.errors import ManifestError, OptionError, RunError
from graticule.jobs.options import PredictOptions
from graticule.jobs.predict import predict
from graticule.progress import Silent
from graticule.record.numbers import Quantity
from graticule.regress.target import Target
from graticule.review.items import SUSPECT
from graticule.review.number_items import NumberItems
from graticule.review.subject import read_subject
from graticule.values import read_values

FRACTION = Target("fraction", "", least=0.0, most=1.0)


def test_a_run_shows_its_cross_validated_images(valued_run: Path) -> None:
    subject = read_subject(valued_run, Silent())
    items = subject.items
    assert isinstance(items, NumberItems)
    cv = read_values(valued_run / "predictions.parquet").of_part("cv")
    assert (items.quantity, items.bounds, items.level) == (Quantity("fraction"), (0.0, 1.0), cv.level)
    assert items.path.tolist() == cv.path.tolist()
    np.testing.assert_array_equal(items.value, cv.value)
    np.testing.assert_array_equal(items.given, cv.target)
    assert items.seen is not None
    assert items.seen[0] <= cv.target.min() <= cv.target.max() <= items.seen[1]
    assert any("images set aside are left alone" in note for note in subject.notes)
    assert (subject.of_training, subject.bundle) == (True, None)


def test_a_planted_wrong_number_is_a_suspect_and_stands_first(valued_run: Path, tmp_path: Path) -> None:
    import shutil

    import pyarrow.parquet as pq

    run = Path(shutil.copytree(valued_run, tmp_path / "run"))
    table = pq.read_table(run / "predictions.parquet")
    rows = table.to_pydict()
    wrong = rows["part"].index("cv")
    rows["target"][wrong] = rows["value"][wrong] + (3.0 if rows["value"][wrong] < 0.5 else -3.0)
    pq.write_table(type(table).from_pydict(rows, schema=table.schema), run / "predictions.parquet")
    items = read_subject(run, Silent()).items
    place = items.path.tolist().index(rows["path"][wrong])
    assert items.kind[place] == SUSPECT
    assert items.gain("gain").argmax() == place


def test_predictions_of_new_images(valued_run: Path, planted: DrawnValues, tmp_path: Path) -> None:
    out = tmp_path / "answers"
    with planted.instead_of_pixels():
        predict(valued_run, planted.folder, out, PredictOptions(max_width=0.3))
    subject = read_subject(out, Silent())
    items = subject.items
    assert isinstance(items, NumberItems)
    assert (len(items), items.quantity, items.bounds) == (planted.n, Quantity("fraction"), (0.0, 1.0))
    assert (items.value >= items.low).all() or np.isnan(items.low).any()
    assert {len(names) for names in items.nearest} != {0}
    assert subject.training is not None
    assert subject.training.answers[0] == f"{subject.training.targets[0]:g}"
    summary = json.loads((out / "summary.json").read_text())
    del summary["trained_on"]
    (out / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(RunError, match="does not say which number was predicted"):
        read_subject(out, Silent())


def test_a_data_set_without_a_model(value_table: Path, planted: DrawnValues) -> None:
    subject = read_subject(value_table, Silent(), FRACTION)
    items = subject.items
    assert isinstance(items, NumberItems)
    np.testing.assert_allclose(items.given, planted.values, atol=1e-9)
    assert np.isnan(items.value).all()
    assert (items.bounds, subject.model_hash, subject.training) == ((0.0, 1.0), None, None)


def test_what_is_no_review_of_a_number(value_table: Path, valued_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="which column of numbers is to be reviewed: --target COLUMN"):
        read_subject(value_table, Silent())
    with pytest.raises(OptionError, match="says itself what it predicts"):
        read_subject(valued_run, Silent(), FRACTION)
    with pytest.raises(OptionError, match="there is no such column"):
        read_subject(value_table, Silent(), Target("diameter"))
    with pytest.raises(ManifestError, match=r"lies above --target-max 0\.1"):
        read_subject(value_table, Silent(), Target("fraction", most=0.1))
    (tmp_path / "empty.csv").write_text("path,fraction\n")
    with pytest.raises(ManifestError, match="no rows"):
        read_subject(tmp_path / "empty.csv", Silent(), FRACTION)
