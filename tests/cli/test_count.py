"""graticule count, from a predict output to tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.answers import prediction_schema
from graticule.arrays import object_array
from graticule.counting.counts import poisson_limits
from graticule.heads.scoring import softmax
from graticule.manifest import sample_id_of
from graticule.predictions import Predictions
from graticule.runs import write_json

CLASSES = ("fibre", "glass", "protein")
CENTRES = np.array([[2.0, 0.0], [-1.0, 1.8], [-1.0, -1.8]])
N, LOTS = 3000, 3

Graticule = Callable[..., Any]


def draw(rng: np.random.Generator, y: np.ndarray, move: float = 0.0) -> np.ndarray:
    """Scores of images drawn around the centre of their class."""
    x = CENTRES[y] + rng.normal(size=(len(y), 2)) + [0.0, move]
    return softmax(x @ CENTRES.T - 0.5 * (CENTRES**2).sum(axis=1))


def write_predictions(folder: Path, paths: list[str], proba: np.ndarray, run: Path, **columns: Any) -> Path:
    """A predict output in two shards; NaN rows are unreadable images."""
    folder.mkdir(parents=True)
    readable = ~np.isnan(proba[:, 0])
    best = np.nan_to_num(proba).argmax(axis=1)
    schema = prediction_schema(CLASSES)
    values: dict[str, Any] = dict.fromkeys(schema.names, [None] * len(paths))
    values |= {
        "path": paths,
        "label": [CLASSES[k] if fine else None for k, fine in zip(best, readable, strict=True)],
        "score": [float(p.max()) if fine else None for p, fine in zip(proba, readable, strict=True)],
        **{f"p_{name}": pa.array(proba[:, k], pa.float64(), from_pandas=True) for k, name in enumerate(CLASSES)},
        **columns,
    }
    table = pa.table(values, schema=schema)
    half = len(paths) // 2
    for shard, part in enumerate((table.slice(0, half), table.slice(half))):
        pq.write_table(part, folder / f"predictions-{shard:05d}.parquet")
    write_json(
        folder / "summary.json",
        {"verb": "predict", "images": "/data/particles", "run": str(run), "bundle_sha256": "m1"},
    )
    (folder / "DONE").touch()
    return folder


def write_run(folder: Path, proba: np.ndarray, y: np.ndarray, model: str = "m1") -> Path:
    """A finished folder with calibration scores."""
    folder.mkdir(parents=True)
    names = object_array([f"c/{i}.png" for i in range(len(y))])
    Predictions(
        object_array([sample_id_of(name) for name in names]),
        names,
        object_array(["cv"] * len(y)),
        np.zeros(len(y), dtype=np.int64),
        object_array([CLASSES[k] for k in y]),
        CLASSES,
        proba,
    ).write(folder / "predictions.parquet")
    write_json(folder / "run.json", {"verb": "evaluate", "bundle_sha256": model})
    (folder / "DONE").touch()
    return folder


def write_csv(file: Path, header: str, rows: list[tuple[Any, ...]]) -> Path:
    """A CSV file."""
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([header.split(","), *rows])
    return file


class World:
    """Three lots under label shift, with truth, table and control sample."""

    def __init__(self, root: Path, move: float = 0.0) -> None:
        rng = np.random.default_rng(0)
        self.root = root
        known = rng.integers(0, 3, 900)
        self.run = write_run(root / "run", draw(rng, known), known)
        self.lot = np.repeat(np.arange(LOTS), N // LOTS)
        mixes = np.array([[0.1, 0.2, 0.7], [0.6, 0.2, 0.2], [0.05, 0.9, 0.05]])
        self.y = np.concatenate([rng.choice(3, N // LOTS, p=mix) for mix in mixes])
        self.proba = draw(rng, self.y, move)
        self.paths = [f"lot{lot}/{i:04d}.png" for i, lot in enumerate(self.lot)]
        self.predictions = write_predictions(root / "predicted", self.paths, self.proba, self.run)
        self.diameter = rng.gamma(3.0, 3.0, N)
        rows = [
            (path, f"lot{lot}", f"{d:.4f}", "0.5")
            for path, lot, d in zip(self.paths, self.lot, self.diameter, strict=True)
        ]
        self.table = write_csv(root / "table.csv", "path,specimen,diameter_um,volume_ml", rows)
        self.drawn = rng.choice(N, 900, replace=False)
        self.control = write_csv(
            root / "control.csv", "path,label", [(self.paths[i], CLASSES[self.y[i]]) for i in self.drawn]
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One for all tests, which only read it."""
    return World(tmp_path_factory.mktemp("count"))


def document(outcome: Any) -> dict[str, Any]:
    """counts.json as printed."""
    assert outcome.code == 0, outcome.err
    return dict(json.loads(outcome.out))


def test_plain_counts_alone(world: World, graticule: Graticule, tmp_path: Path) -> None:
    content = document(graticule("count", world.predictions, "--out", tmp_path / "out", "--json"))
    plain = content["all"]["count"]["plain"]
    called = np.bincount(world.proba.argmax(axis=1), minlength=3)
    assert [plain[name]["value"] for name in CLASSES] == called.tolist()
    low, high = poisson_limits(called.astype(float))
    np.testing.assert_allclose([plain[name]["low"] for name in CLASSES], low)
    np.testing.assert_allclose([plain[name]["high"] for name in CLASSES], high)
    assert content["specimens"] == {}
    assert content["decisions"] == {"undecided": N, "accept": 0, "review": 0, "reject": 0}
    assert content["all"]["review_share"] is None
    assert content["control"] is None
    assert json.loads((tmp_path / "out" / "counts.json").read_text()) == content


def test_corrected_counts_hold_the_truth_in_all_and_per_specimen(
    world: World, graticule: Graticule, tmp_path: Path
) -> None:
    words = ("--table", world.table, "--control", world.control, "--diameter-is", "equivalent circle", "--json")
    content = document(graticule("count", world.predictions, *words, "--out", tmp_path / "out"))
    assert content["prior_shift"]["offered"]
    held, plain_held = [], []
    for scope, rows in ((None, np.arange(N)), *((f"lot{s}", np.flatnonzero(world.lot == s)) for s in range(LOTS))):
        block = content["all"] if scope is None else content["specimens"][scope]
        truth = np.bincount(world.y[rows], minlength=3)
        for method in block["count"]:
            figures = [block["count"][method][name] for name in CLASSES]
            found = [f["low"] <= t <= f["high"] for f, t in zip(figures, truth, strict=True)]
            (plain_held if method == "plain" else held).extend(found)
            assert all(f["low"] >= 0 for f in figures)
            total = sum(block["share"][method][name]["value"] for name in CLASSES)
            assert total == pytest.approx(1.0)
    assert np.mean(held) >= 0.9
    assert np.mean(held) > np.mean(plain_held)


def test_the_tidy_table_says_what_the_document_says(world: World, graticule: Graticule, tmp_path: Path) -> None:
    words = ("--table", world.table, "--control", world.control, "--diameter-is", "equivalent circle", "--json")
    content = document(graticule("count", world.predictions, *words, "--out", tmp_path / "out"))
    with (tmp_path / "out" / "counts.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["specimen", "class", "bin", "quantity", "method", "value", "low", "high"]
    for row in rows:
        block = content["all"] if row["specimen"] == "all images" else content["specimens"][row["specimen"]]
        place = block["sizes"][row["bin"]] if row["bin"] else block
        figure = place[row["quantity"]][row["method"]][row["class"]]
        for name in ("value", "low", "high"):
            assert float(row[name]) == pytest.approx(figure[name], rel=1e-5, abs=1e-9)
    table = pq.read_table(tmp_path / "out" / "specimens.parquet").to_pylist()
    assert [row["specimen"] for row in table] == ["lot0", "lot1", "lot2"]
    assert [row["majority"] for row in table] == ["protein", "fibre", "glass"]
    assert all(row["majority_low"] <= row[f"share_{row['majority']}"] <= row["majority_high"] for row in table)


def test_particles_per_ml_in_bins(world: World, graticule: Graticule, tmp_path: Path) -> None:
    words = ("--table", world.table, "--diameter-is", "equivalent circle", "--json")
    content = document(graticule("count", world.predictions, *words, "--out", tmp_path / "out"))
    assert content["options"]["diameter_is"] == "equivalent circle"
    called = world.proba.argmax(axis=1)
    for least in (2, 5, 10, 25):
        per_ml = content["all"]["sizes"][f">= {least} um"]["per_ml"]["plain"]
        inside = np.round(world.diameter, 4) >= least
        for k, name in enumerate(CLASSES):
            n = int((inside & (called == k)).sum())
            low, high = poisson_limits(np.array(float(n)))
            assert per_ml[name] == pytest.approx({"value": n / 1.5, "low": low / 1.5, "high": high / 1.5})
        assert per_ml["(all classes)"]["value"] == pytest.approx(inside.sum() / 1.5)
    one = content["specimens"]["lot1"]["sizes"][">= 5 um"]["per_ml"]["plain"]["(all classes)"]["value"]
    assert one == pytest.approx((np.round(world.diameter, 4) >= 5)[world.lot == 1].sum() / 0.5)


def test_one_volume_for_each_specimen_from_the_command_line(world: World, graticule: Graticule, tmp_path: Path) -> None:
    rows = [(p, f"lot{s}", "6") for p, s in zip(world.paths, world.lot, strict=True)]
    table = write_csv(tmp_path / "t.csv", "path,specimen,diameter_um", rows)
    words = ("--table", table, "--diameter-is", "Feret", "--volume-ml", 0.25, "--json")
    content = document(graticule("count", world.predictions, *words, "--out", tmp_path / "out"))
    assert content["all"]["volume_ml"] == 0.75
    assert content["specimens"]["lot0"]["volume_ml"] == 0.25
    every = content["all"]["sizes"][">= 5 um"]["per_ml"]["plain"]["(all classes)"]
    assert every["value"] == pytest.approx(N / 0.75)
    assert content["all"]["sizes"][">= 10 um"]["per_ml"]["plain"]["(all classes)"]["value"] == 0.0


def test_where_images_differ_the_correction_is_refused(graticule: Graticule, tmp_path: Path) -> None:
    world = World(tmp_path, move=1.2)
    words = ("--table", world.table, "--diameter-is", "any")
    outcome = graticule("count", world.predictions, *words, "--out", tmp_path / "out")
    assert "no correction for prior shift" in outcome.out
    assert "more than the mix of classes" in outcome.out
    content = json.loads((tmp_path / "out" / "counts.json").read_text())
    assert set(content["all"]["count"]) == {"plain"}
    assert all(set(block["count"]) == {"plain"} for block in content["specimens"].values())
    assert "refused for all images together" in content["specimens"]["lot0"]["label_shift"]["reasons"]


def test_a_specimen_of_one_image_and_unreadable_images(world: World, graticule: Graticule, tmp_path: Path) -> None:
    proba = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [np.nan] * 3, [0.2, 0.7, 0.1]])
    decision = pa.array(["accept", "review", "reject", "accept"])
    folder = write_predictions(tmp_path / "p", list("abcd"), proba, world.run, decision=decision)
    table = write_csv(tmp_path / "t.csv", "path,specimen", [("a", "x"), ("b", "y"), ("c", "y"), ("d", "y")])
    content = document(graticule("count", folder, "--table", table, "--out", tmp_path / "out", "--json"))
    assert (content["n"], content["n_unreadable"]) == (4, 1)
    assert content["specimens"]["x"]["count"]["plain"]["fibre"]["value"] == 1
    assert content["specimens"]["y"]["review_share"] == pytest.approx(1 / 3)
    assert "at least 100" in content["prior_shift"]["reasons"][0]
    rows = pq.read_table(tmp_path / "out" / "specimens.parquet").to_pylist()
    assert (rows[0]["score_low"], rows[0]["majority"], rows[0]["n"]) == (None, "fibre", 1)
    assert (rows[1]["n"], rows[1]["n_readable"], rows[1]["majority"]) == (3, 2, "glass")


def test_verdicts_are_compared_with_labels_over_specimens(world: World, graticule: Graticule, tmp_path: Path) -> None:
    truth = ("protein", "fibre", "protein")
    rows = [(p, f"lot{s}", truth[s]) for p, s in zip(world.paths, world.lot, strict=True)]
    table = write_csv(tmp_path / "t.csv", "path,lot,label", rows)
    words = ("--table", table, "--by", "lot", "--json")
    found = document(graticule("count", world.predictions, *words, "--out", tmp_path / "out"))["specimen_accuracy"]
    assert found["n_specimens"] == 3
    assert found["majority"]["value"] == pytest.approx(2 / 3)
    assert found["majority"]["low"] == pytest.approx(0.2077, abs=1e-3)  # Wilson, 2 of 3


def test_a_class_called_without_a_control_image_gets_no_corrected_count(
    world: World, graticule: Graticule, tmp_path: Path
) -> None:
    glass = np.flatnonzero(world.proba.argmax(axis=1) == 1)[:20]
    control = write_csv(tmp_path / "c.csv", "path,label", [(world.paths[i], CLASSES[world.y[i]]) for i in glass])
    outcome = graticule("count", world.predictions, "--control", control, "--out", tmp_path / "out", "--json")
    content = document(outcome)
    assert "control" not in content["all"]["count"]
    assert any("no control image is called fibre" in note for note in content["notes"])


def test_a_class_never_called_counts_zero_with_an_upper_limit(
    world: World, graticule: Graticule, tmp_path: Path
) -> None:
    proba = np.tile([0.9, 0.1, 0.0], (150, 1))
    folder = write_predictions(tmp_path / "p", [f"{i}" for i in range(150)], proba, world.run)
    content = document(graticule("count", folder, "--out", tmp_path / "out", "--json"))
    assert content["all"]["count"]["plain"]["protein"] == pytest.approx({"value": 0, "low": 0, "high": 3.688879})
    assert not content["prior_shift"]["offered"]


def test_without_the_run_there_are_plain_counts_and_the_reason(
    world: World, graticule: Graticule, tmp_path: Path
) -> None:
    folder = write_predictions(tmp_path / "p", world.paths, world.proba, tmp_path / "gone")
    content = document(graticule("count", folder, "--out", tmp_path / "out", "--json"))
    assert not content["prior_shift"]["offered"]
    assert "there is no run" in content["prior_shift"]["reasons"][0]
    message = graticule("count", folder, "--calibration", tmp_path / "gone", "--out", tmp_path / "o").message()
    assert "there is no run" in message
    other = write_run(tmp_path / "other", world.proba[:90], world.y[:90], model="m2")
    message = graticule("count", folder, "--calibration", other, "--out", tmp_path / "o").message()
    assert "another model" in message
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--volume-ml", "0"), "--volume-ml 0"),
        (("--volume-ml", "-2"), "--volume-ml -2"),
        (("--by", "lot"), "--by names a column of --table"),
        (("--diameter-is", "ECD"), "there is none"),
        (("--seed", "-1"), "--seed -1"),
    ],
)
def test_options_out_of_range(
    world: World, graticule: Graticule, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    assert message in graticule("count", world.predictions, *words, "--out", tmp_path / "out").message()


def test_what_is_no_prediction_is_refused(world: World, graticule: Graticule, tmp_path: Path) -> None:
    assert "no prediction at" in graticule("count", tmp_path / "gone", "--out", tmp_path / "out").message()
    assert "holds no predictions-*.parquet" in graticule("count", world.run, "--out", tmp_path / "out").message()
    proba = np.array([[0.5, 0.5, 0.0], [1.5, -0.5, 0.0]])
    bad = write_predictions(tmp_path / "p", ["a", "b"], proba, world.run)
    assert "not in [0, 1]" in graticule("count", bad, "--out", tmp_path / "out").message()


def test_the_same_command_gives_the_same_counts(world: World, graticule: Graticule, tmp_path: Path) -> None:
    words = ("--control", world.control)
    for name in ("one", "two"):
        assert graticule("count", world.predictions, *words, "--out", tmp_path / name).code == 0
    one, two = ((tmp_path / name / "counts.csv").read_bytes() for name in ("one", "two"))
    assert one == two


def test_what_predict_writes_is_counted(
    run: Path, images: Path, warm_cache: Path, graticule: Graticule, tmp_path: Path
) -> None:
    assert graticule("predict", run, images, "--out", tmp_path / "p", "--workers", 1).code == 0
    content = document(graticule("count", tmp_path / "p", "--out", tmp_path / "out", "--json"))
    assert sum(figure["value"] for figure in content["all"]["count"]["plain"].values()) == content["n"] == 36
    assert content["prior_shift"]["calibration"]["part"] == "cv"
    assert "fewer than 30 calibration images" in content["prior_shift"]["reasons"][0]
