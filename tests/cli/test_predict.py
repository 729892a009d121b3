"""`graticule predict`: one row per input, whatever the input is."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CLASSES = ["disc", "square", "stripes"]
COLUMNS = [
    *("path", "sha256", "label", "score"),
    *(f"p_{name}" for name in CLASSES),
    *("set", "novelty", "decision", "reason", "nearest"),
]


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory, draw_classes: Callable[..., Path]) -> Path:
    """A folder of 6 new images in sub-folders, and one that is none."""
    folder = draw_classes(tmp_path_factory.mktemp("new"), n=2, first=100)
    (folder / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def predicted(run: Path, new: Path, graticule: Callable[..., Any]) -> tuple[Path, Any]:
    """The folder that `predict` left, and what it printed."""
    out = new.parent / "predicted"
    return out, graticule("predict", run, new, "--out", out, "--csv", "--workers", 1)


def _rows(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("predictions-*.parquet"))
    table = pa.concat_tables(pq.read_table(file) for file in files)
    assert table.column_names == COLUMNS
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_one_row_per_file_and_the_right_class(predicted: tuple[Path, Any], new: Path) -> None:
    rows = _rows(predicted[0])
    assert [row["path"] for row in rows] == sorted(str(file.relative_to(new)) for file in new.rglob("*.png"))
    for row in rows:
        if row["path"] == "broken.png":
            continue
        assert row["label"] == row["path"].split("/")[0]
        assert row["score"] == max(row[f"p_{name}"] for name in CLASSES) == row[f"p_{row['label']}"]
        assert sum(row[f"p_{name}"] for name in CLASSES) == pytest.approx(1.0)
        assert row["sha256"] == hashlib.sha256((new / row["path"]).read_bytes()).hexdigest()
        assert row["label"] == row["set"][0]
        assert set(row["set"]) <= set(CLASSES)
        assert 0 < row["novelty"] <= 1
        assert row["decision"] in ("accept", "review", "reject")
        assert row["reason"]
        assert len(row["nearest"]) == 3
        assert row["nearest"][0].split("/")[0] == row["label"]


def test_an_unreadable_file_is_a_rejected_row_a_failure_and_exit_code_3(predicted: tuple[Path, Any]) -> None:
    out, outcome = predicted
    assert outcome.code == 3
    assert "cannot read broken.png" in outcome.err
    (row,) = [row for row in _rows(out) if row["path"] == "broken.png"]
    assert (row["decision"], row["reason"]) == ("reject", "unreadable")
    assert all(row[name] is None for name in ("label", "score", "p_disc", "p_square", "p_stripes", "set", "novelty"))
    with (out / "failures.csv").open(newline="") as stream:
        (failure,) = csv.DictReader(stream)
    assert failure["path"] == "broken.png"
    assert failure["error"]


def test_the_summary_counts_every_input(predicted: tuple[Path, Any]) -> None:
    summary = json.loads((predicted[0] / "summary.json").read_text())
    assert summary["schema_version"] == 1
    assert (summary["n"], summary["n_unreadable"]) == (7, 1)
    assert summary["classes"] == dict.fromkeys(CLASSES, 2)
    rows = _rows(predicted[0])
    assert summary["decisions"] == {
        name: sum(row["decision"] == name for row in rows) for name in ("accept", "review", "reject")
    }
    assert summary["acceptance"]["status"] in ("estimated", "not certifiable")
    assert summary["sets"]["level"] == 0.95
    assert summary["novelty"]["alpha"] == 0.01
    assert (predicted[0] / "DONE").is_file()


def test_the_csv_file_holds_the_same_rows(predicted: tuple[Path, Any]) -> None:
    out, _ = predicted
    # with a byte order mark, so that spreadsheets take it for UTF-8
    with (out / "predictions.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == COLUMNS
    for text, row in zip(rows, _rows(out), strict=True):
        assert text["path"] == row["path"]
        assert text["label"] == (row["label"] or "")
        assert text["score"] == ("" if row["score"] is None else str(row["score"]))


def _answers(folder: Path) -> dict[str, tuple[str, float]]:
    return {Path(row["path"]).name: (row["label"], row["score"]) for row in _rows(folder)}


@pytest.mark.parametrize("kind", ["image", "txt", "csv", "parquet"])
def test_an_image_and_lists_of_paths(
    run: Path,
    new: Path,
    predicted: tuple[Path, Any],
    graticule: Callable[..., Any],
    tmp_path: Path,
    kind: str,
) -> None:
    names = ["stripes/stripes_100.png", "disc/disc_101.png"]
    given = new / names[0]
    if kind == "image":
        names = names[:1]
    elif kind == "txt":
        given = new / "list.txt"
        given.write_text("\r\n".join(names))
    elif kind == "csv":
        given = new / "list.csv"
        given.write_text("id;path\n" + "\n".join(f"7;{name}" for name in names))
    else:
        given = new / "list.parquet"
        pq.write_table(pa.table({"path": names}), given)
    outcome = graticule("predict", run, given, "--out", tmp_path / "out", "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["n"] == len(names)
    before, after = _answers(predicted[0]), _answers(tmp_path / "out")
    for name in (Path(name).name for name in names):
        assert after[name] == (before[name][0], pytest.approx(before[name][1], abs=1e-6))
    assert [Path(row["path"]).name for row in _rows(tmp_path / "out")] == [Path(name).name for name in names]


def test_a_listed_file_that_is_missing_is_a_row_too(
    run: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    names = tmp_path / "list.txt"
    names.write_text(f"{new / 'disc' / 'disc_100.png'}\n{new / 'disc' / 'gone.png'}\n")
    outcome = graticule("predict", run, names, "--out", tmp_path / "out", "--workers", 1)
    assert outcome.code == 3
    first, second = _rows(tmp_path / "out")
    assert first["label"] == "disc"
    assert (second["reason"], second["sha256"]) == ("unreadable", None)


def test_nothing_readable_at_all(run: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    outcome = graticule("predict", run, tmp_path / "a.png", "--out", tmp_path / "out", "--workers", 1, "--json")
    assert outcome.code == 3
    summary = json.loads(outcome.out)
    assert (summary["n"], summary["n_unreadable"], summary["mean_score"]) == (1, 1, None)


def test_shards_hold_every_row_once(
    run: Path,
    new: Path,
    predicted: tuple[Path, Any],
    graticule: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("graticule.answers.SHARD_ROWS", 3)
    monkeypatch.setattr("graticule.features.bundled.BLOCK", 2)
    assert graticule("predict", run, new, "--out", tmp_path / "out", "--workers", 1).code == 3
    shards = sorted(file.name for file in (tmp_path / "out").glob("predictions-*"))
    assert shards == [f"predictions-{i:05d}.parquet" for i in range(3)]
    for row, before in zip(_rows(tmp_path / "out"), _rows(predicted[0]), strict=True):
        assert (row["path"], row["label"], row["reason"]) == (before["path"], before["label"], before["reason"])
        assert row["score"] == pytest.approx(before["score"], abs=1e-6)


@pytest.mark.parametrize("options", [("--workers", 2), ("--workers", 1, "--batch-size", 3)])
def test_workers_and_batches_change_nothing(
    run: Path,
    new: Path,
    predicted: tuple[Path, Any],
    graticule: Callable[..., Any],
    tmp_path: Path,
    options: tuple[object, ...],
) -> None:
    graticule("predict", run, new, "--out", tmp_path / "out", *options)
    assert _rows(tmp_path / "out") == _rows(predicted[0])


def test_a_bundle_alone_predicts(run: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    outcome = graticule(
        "predict", run / "model", new / "disc" / "disc_100.png", "--out", tmp_path / "out", "--workers", 1
    )
    assert outcome.code == 0
    assert _rows(tmp_path / "out")[0]["label"] == "disc"


def test_prediction_needs_neither_torch_nor_scikit_learn(run: Path, new: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom graticule.cli import app\n"
        f"sys.argv = ['graticule', 'predict', {str(run)!r}, {str(new / 'disc')!r}, '--workers', '1',"
        f" '--out', {str(tmp_path / 'out')!r}]\n"
        "try:\n    app.main()\n"
        "finally:\n    print([name for name in ('torch', 'sklearn', 'pickle5', 'matplotlib') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_odd_file_names_survive(run: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    names = ["with space.png", 'comma, quote".png', "µ-größe.png", "back\\slash.png", "new\nline.png"]
    for name in [*map(str.encode, names), b"latin\xe9.png"]:
        (Path(bytes(folder).decode()) / "x").parent.joinpath(name.decode("utf-8", "surrogateescape")).write_bytes(
            (new / "disc" / "disc_100.png").read_bytes()
        )
    outcome = graticule("predict", run, folder, "--out", tmp_path / "out", "--workers", 1, "--csv")
    assert outcome.code == 0, outcome.err
    rows = _rows(tmp_path / "out")
    assert {row["path"] for row in rows} == {
        *("with space.png", 'comma, quote".png', "µ-größe.png"),
        *("back\\\\slash.png", "new\\x0aline.png", "latin\\xe9.png"),
    }
    assert np.ptp([row["score"] for row in rows]) == 0.0


@pytest.fixture(scope="module")
def calibrated(images: Path, in_session_cache: None, graticule: Callable[..., Any], fast: tuple[str, ...]) -> Path:
    """A run with a calibration part and a held-out part."""
    folder = images.parent / "calibrated"
    outcome = graticule(
        *("train", images, "--out", folder, *fast, "--folds", 2, "--calibration", 0.3, "--test-size", 0.2)
    )
    assert outcome.code == 0, outcome.err
    return folder


def test_a_calibration_part_is_scored_once_and_trains_nothing(calibrated: Path) -> None:
    splits = pq.read_table(calibrated / "splits.parquet").to_pydict()
    parts = dict(zip(splits["sample_id"], splits["part"], strict=True))
    assert {name: splits["part"].count(name) for name in ("cv", "calibration", "test")}.keys() == set(splits["part"])
    scored = pq.read_table(calibrated / "predictions.parquet").to_pydict()
    assert dict(zip(scored["sample_id"], scored["part"], strict=True)) == parts
    assert json.loads((calibrated / "model" / "bundle.json").read_text())["n_training"] == splits["part"].count("cv")
    decisions = json.loads((calibrated / "decisions.json").read_text())
    assert decisions["evidence"]["source"] == "calibration part"
    assert decisions["evidence"]["n"] == splits["part"].count("calibration")
    assert decisions["sets"][0]["proven"] == 0.95
    assert "Can I act on it?" in (calibrated / "report.html").read_text()


def test_a_low_target_is_certified_and_a_high_one_is_not(
    calibrated: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    found = {}
    for target in (0.6, 0.99):
        out = tmp_path / str(target)
        outcome = graticule(
            *("predict", calibrated, new, "--out", out, "--workers", 1, "--target-accuracy", target),
            *("--novelty-alpha", 0, "--json"),
        )
        found[target] = json.loads(outcome.out)
    assert found[0.6]["acceptance"]["status"] == "guaranteed"
    assert found[0.6]["decisions"]["accept"] == 6
    assert found[0.6]["expected_errors"]["value"] == 0.0
    assert found[0.6]["expected_errors"]["high"] > 0.0
    assert found[0.99]["acceptance"]["status"] == "not certifiable"
    assert found[0.99]["decisions"]["accept"] == 0
    assert "not certifiable with" in found[0.99]["acceptance"]["words"]


def test_the_same_words_with_a_run_of_one_fold_decide_nothing(
    images: Path, new: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path
) -> None:
    graticule("train", images, "--out", tmp_path / "run", *fast, "--folds", 1, "--test-size", 0.3)
    outcome = graticule("predict", tmp_path / "run", new, "--out", tmp_path / "out", "--workers", 1, "--json")
    summary = json.loads(outcome.out)
    assert summary["acceptance"]["status"] == "none"
    assert "--calibration 0.2" in summary["acceptance"]["words"]
    assert summary["decisions"]["accept"] is None
    assert {row["decision"] for row in _rows(tmp_path / "out")} <= {None, "reject"}


def test_novel_images_are_rejected_one_by_one_or_over_the_run(
    run: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    (folder / "known").mkdir(parents=True)
    (folder / "known" / "a.png").write_bytes((new / "disc" / "disc_100.png").read_bytes())
    rng = np.random.default_rng(0)
    for i in range(3):
        PIL.Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"noise_{i}.png")
    for words in (("--novelty-alpha", 0.1), ("--novelty-alpha", 0.1, "--novelty-fdr")):
        out = tmp_path / str(len(words))
        assert graticule("predict", run, folder, "--out", out, "--workers", 1, "--csv", *words).code == 0
        rows = {row["path"]: row for row in _rows(out)}
        for i in range(3):
            row = rows[f"noise_{i}.png"]
            assert (row["decision"], row["reason"]) == ("reject", "unlike any training image")
        assert rows["known/a.png"]["decision"] != "reject"
        with (out / "predictions.csv").open(encoding="utf-8-sig", newline="") as stream:
            assert [row["decision"] for row in csv.DictReader(stream)] == [row["decision"] for row in _rows(out)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--target-accuracy", 1), "no number of images proves"),
        (("--confidence", 0.2), "--confidence 0.2"),
        (("--coverage", 1), "--coverage 1"),
        (("--novelty-alpha", 0.9), "--novelty-alpha 0.9"),
        (("--prevalence", "nowhere.csv"), "nowhere.csv cannot be read"),
    ],
)
def test_options_out_of_range_leave_nothing_behind(
    run: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path, words: tuple[object, ...], told: str
) -> None:
    outcome = graticule("predict", run, new, "--out", tmp_path / "out", *words)
    assert told in outcome.message()
    assert not (tmp_path / "out").exists()


def test_a_mix_of_classes_is_read_from_a_file(
    run: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    mix = tmp_path / "mix.csv"
    mix.write_text("class,share\ndisc,90\nsquare,5\nstripes,5\n")
    assert graticule("predict", run, new, "--out", tmp_path / "out", "--workers", 1, "--prevalence", mix).code == 3
    outcome = graticule("predict", run, new, "--out", tmp_path / "typed", "--workers", 1, "--prevalence", "90:5:5")
    assert outcome.code == 3
    first, second = (
        json.loads((tmp_path / name / "summary.json").read_text())["acceptance"] for name in ("out", "typed")
    )
    assert first == second
    mix.write_text("class,share\ndisc,90\nsquares,5\n")
    outcome = graticule("predict", run, new, "--out", tmp_path / "other", "--prevalence", mix)
    assert "lacks square, stripes and names squares" in outcome.message()
    for text, told in (
        ("class,share\ndisc,90\nSquare,5\nstripes,5\n", "'Square' (the model has 'square', typed otherwise"),
        ("class,share\ndisc,90\nsquare,5\nstripes,5\nsquare,1\n", "class named twice"),
        ("class,share\ndisc,90\ndisc\u00a0,5\n", "differ only by"),
        ("class,share\ndisc,9\0\n", "near line 2: it holds a zero byte"),
        ("class,share\ndisc," + "9" * 140_000, "near line 2: field larger than field limit"),
        ("class;share\ndisc;many\n", "'many'"),
    ):
        mix.write_text(text)
        assert told in graticule("predict", run, new, "--out", tmp_path / "other", "--prevalence", mix).message()


def test_what_servers_put_beside_images_is_told_and_a_store_of_chunks_is_one_image(
    run: Path, new: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    """In every verb that walks a folder, with the same words."""
    images = tmp_path / "images"
    shutil.copytree(new, images)
    (images / "broken.png").unlink()
    for folder in ("disc", "square"):
        preview = images / folder / "@eaDir" / "x.png"
        preview.mkdir(parents=True)
        shutil.copy(images / "disc" / "disc_100.png", preview / "SYNOPHOTO_THUMB_XL.png")
    chunks = images / "disc" / "well.ome.zarr" / "0" / "0"
    chunks.mkdir(parents=True)
    for i in range(5):
        (chunks / str(i)).write_bytes(b"chunk")
    counted = "were left out (2): 2 '@eaDir'"
    for words in (
        ("predict", run, images, "--out", tmp_path / "p", "--workers", 1),
        ("explain", run, images, "--out", tmp_path / "x", "--limit", 1),
        ("evaluate", run, images, "--out", tmp_path / "v", "--workers", 1),
        ("audit", images, "--out", tmp_path / "a", "--views", 1, "--workers", 1),
        ("embed", images, "--out", tmp_path / "f.npz", "--views", 1, "--workers", 1),
        ("train", images, "--out", tmp_path / "r", "--views", 1, "--folds", 2, "--workers", 1),
    ):
        outcome = graticule(*words)
        assert outcome.code == 3, outcome.err
        assert counted in outcome.out + outcome.err, words[0]
        assert "well.ome.zarr: OME-Zarr is not supported" in outcome.err, words[0]
        assert "1 image could not be read" in outcome.err, words[0]
    assert counted in json.dumps(json.loads((tmp_path / "p" / "summary.json").read_text())["warnings"])
    assert counted in (tmp_path / "a" / "audit.json").read_text()
    rows = _rows(tmp_path / "p")
    assert len(rows) == 7
    assert [row["decision"] for row in rows if row["path"].endswith("zarr")] == ["reject"]
    listed = tmp_path / "list.txt"
    listed.write_text(f"{images / 'disc' / 'DISC_100.png'}\n{images / 'square' / 'square_100.png'}\n")
    outcome = graticule("predict", run, listed, "--out", tmp_path / "l", "--workers", 1)
    if not (images / "disc" / "DISC_100.png").exists():
        assert "differs only in how it is typed: 'disc_100.png'" in outcome.err
