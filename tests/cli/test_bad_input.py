"""What a user can get wrong: each ends with exit code 2, one clear message, and nothing that looks finished."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Graticule = Callable[..., Any]
DRAWN = ("disc", "square")


def _table(folder: Path, *rows: str, header: str = "path,label") -> Path:
    file = folder / "samples.csv"
    file.write_text("\n".join([header, *rows, ""]))
    return file


@pytest.fixture
def data(tmp_path: Path, draw_classes: Callable[..., Path]) -> Path:
    """Two classes of two images, beside which tests put their tables."""
    return draw_classes(tmp_path / "data", n=2, classes=DRAWN)


def _refused(graticule: Graticule, data: Path, *options: object) -> str:
    """Train, expect a user error; returns the message. The run folder must not be left behind."""
    out = data.parent / "refused-run"
    message: str = graticule("train", data, "--out", out, "--views", 1, "--workers", 1, *options).message()
    assert not out.exists()
    return message


def test_an_empty_folder(graticule: Graticule, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no images" in _refused(graticule, tmp_path / "empty")


def test_a_folder_that_is_not_there(graticule: Graticule, tmp_path: Path) -> None:
    assert "does not exist" in _refused(graticule, tmp_path / "nowhere")


def test_one_class(graticule: Graticule, data: Path) -> None:
    shutil.rmtree(data / "disc")
    assert "there is one class only" in _refused(graticule, data)


def test_one_image(graticule: Graticule, data: Path) -> None:
    shutil.rmtree(data / "disc")
    (data / "square" / "square_00.png").unlink()
    message = _refused(graticule, data)
    assert "there is one class only" in message
    assert "one sample only in class 'square'" in message


def test_a_class_of_one(graticule: Graticule, data: Path) -> None:
    (data / "disc" / "disc_00.png").unlink()
    assert "one sample only in class 'disc': add images or leave it out" in _refused(graticule, data)


def test_images_beside_the_class_folders(graticule: Graticule, data: Path) -> None:
    shutil.copy(data / "disc" / "disc_00.png", data / "loose.png")
    assert "image outside a class folder (1):\n    'loose.png'" in _refused(graticule, data)


@pytest.mark.parametrize(
    ("rows", "header", "expected"),
    [
        (["disc/nope.png,disc", "disc/neither.png,disc"], "path,label", "missing file"),
        (["disc/disc_00.png,disc"], "file,class", "missing column"),
        (["disc/disc_00.png,disc", "disc/disc_00.png,disc"], "path,label", "same path twice"),
        (["disc/disc_00.png,disc", "disc/disc_00.png,square"], "path,label", "same path with two labels"),
        (["disc/disc_00.png,disc,nan"], "path,label,target", "target is no finite number"),
        (["disc/disc_00.png,disc,holdout"], "path,label,split", "split is none of train, val, test"),
        (["../data/../../elsewhere.png,disc"], "path,label", "path outside"),
        (["disc/disc_00.png"], "path,label", "wrong number of cells"),
        ([], "path,label", "a header and no rows"),
    ],
)
def test_a_faulty_manifest(graticule: Graticule, data: Path, rows: list[str], header: str, expected: str) -> None:
    assert expected in _refused(graticule, _table(data, *rows, header=header))


def test_all_faults_of_a_manifest_are_told_at_once(graticule: Graticule, data: Path) -> None:
    rows = ["nope.png,disc,1", "disc/disc_00.png,disc,nan", "../x.png,disc,1", "disc/disc_00.png,disc,1"]
    message = _refused(graticule, _table(data, *rows, header="path,label,target"))
    for kind in ("missing file", "target is no finite number", "path outside", "same path twice"):
        assert kind in message


def test_a_group_column_that_is_not_there(graticule: Graticule, data: Path) -> None:
    file = _table(data, *(f"{kind}/{kind}_{i:02d}.png,{kind},7" for kind in DRAWN for i in (0, 1)))
    file.write_text(file.read_text().replace("path,label", "path,label,slide", 1))
    message = _refused(graticule, file, "--group", "patient")
    assert "--group patient: there is no such column" in message
    assert "'slide'" in message


def test_too_many_folds_are_told_before_any_image_is_read(
    graticule: Graticule, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graticule.jobs.train.steps.embed_samples", lambda *_, **__: pytest.fail("images were read"))
    message = _refused(graticule, data, "--folds", 3)
    assert "class 'disc': different images needed 3, found 2" in message
    assert "What would work: --folds 2" in message


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--folds", 0], "--folds 0"),
        (["--folds", 1], "--folds 1 leaves nothing to evaluate on"),
        (["--test-size", 1], "--test-size 1.0"),
        (["--test-size", "nan"], "--test-size nan"),
        (["--head", "forest"], "--head forest: allowed are auto, logistic, svm"),
        (["--views", 3], "--views 3: allowed are auto, 1, 4, 8"),
        (["--batch-size", 0], "--batch-size 0"),
        (["--workers", 0], "--workers 0"),
        (["--seed", -1], "--seed -1"),
        (["--method", "finetuning"], "--method finetuning: allowed are features, finetune"),
        (["--epochs", "3"], "--epochs belongs to --method finetune"),
        (["--backbone", "resnet99", "--folds", 2], "resnet99"),
        (["--root", "nowhere"], "--root"),
    ],
)
def test_option_values(graticule: Graticule, data: Path, options: list[object], expected: str) -> None:
    assert expected in graticule("train", data, "--out", data.parent / "run", *options).message()
    assert not (data.parent / "run").exists()


def test_all_bad_options_are_told_at_once(graticule: Graticule, data: Path) -> None:
    message = _refused(graticule, data, "--head", "forest", "--folds", 0, "--seed", -1)
    assert all(text in message for text in ("--head forest", "--folds 0", "--seed -1"))


@pytest.mark.parametrize("verb", ["train", "predict", "evaluate", "embed"])
def test_batch_size_and_workers_are_checked_by_every_verb(
    graticule: Graticule, run: Path, images: Path, tmp_path: Path, verb: str
) -> None:
    words: list[object] = [verb, images] if verb in ("train", "embed") else [verb, run, images]
    out = tmp_path / "out.npz"
    message = graticule(*words, "--out", out, "--batch-size", 0, "--workers", -2).message()
    assert "--batch-size 0" in message
    assert "--workers -2" in message
    assert not out.exists()


def test_an_outcome_inside_the_images_would_be_read_as_a_class(graticule: Graticule, data: Path, run: Path) -> None:
    for words in (["train", data], ["predict", run, data], ["evaluate", run, data]):
        assert "lies inside the images" in graticule(*words, "--out", data / "run").message()
    assert sorted(file.name for file in data.iterdir()) == list(DRAWN)


def test_no_readable_image(graticule: Graticule, data: Path) -> None:
    for file in data.rglob("*.png"):
        file.write_bytes(b"not an image")
    message = _refused(graticule, data, "--folds", 2)
    assert "none of the 4 images can be read; the first: disc/disc_00.png" in message


def test_a_class_left_with_one_readable_image(graticule: Graticule, data: Path) -> None:
    (data / "disc" / "disc_00.png").write_bytes(b"")
    assert "one sample only in class 'disc'" in _refused(graticule, data, "--folds", 2)


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("verb", ["train", "predict", "evaluate", "compare"])
def test_a_finished_outcome_is_refused_by_name_and_kept(
    graticule: Graticule, run: Path, second_run: Path, images: Path, verb: str
) -> None:
    words: dict[str, list[object]] = {
        "train": [images],
        "predict": [run, images],
        "evaluate": [run, images],
        "compare": [run, second_run],
    }
    before = _tree(run)
    message = graticule(verb, *words[verb], "--out", run).message()
    assert f"--out {run} holds a finished" in message
    assert _tree(run) == before


def test_an_interrupted_run_is_neither_used_nor_overwritten(
    graticule: Graticule, images: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_cache: Path
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("graticule.jobs.train.job.write_report", interrupt)
    out = tmp_path / "half"
    first = graticule("train", images, "--out", out, "--views", 1, "--workers", 1, "--head", "logistic", "--folds", 2)
    assert first.code == 130
    assert (out / "metrics.json").exists()
    assert not (out / "DONE").exists()
    assert "holds an interrupted run (no DONE marker)" in graticule("train", images, "--out", out).message()
    for words in (
        ["predict", out, images, "--out", tmp_path / "p"],
        ["evaluate", out, images, "--out", tmp_path / "e"],
        ["compare", out, run],
        ["report", out],
    ):
        assert "is no finished run" in graticule(*words).message()
    assert not (tmp_path / "p").exists()


def test_a_folder_in_use_is_refused(graticule: Graticule, images: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "exists and is not empty" in graticule("train", images, "--out", tmp_path).message()
    assert "is a file" in graticule("train", images, "--out", tmp_path / "notes.txt").message()
    assert "cannot be created" in graticule("train", images, "--out", tmp_path / "notes.txt" / "run").message()
    assert "too long" in graticule("train", images, "--out", tmp_path / ("n" * 300)).message()
    (tmp_path / "link").symlink_to("nowhere")
    assert "cannot be created" in graticule("train", images, "--out", tmp_path / "link").message()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that nobody can write to is needed: /proc")
def test_a_place_that_cannot_be_written_to(graticule: Graticule, run: Path, second_run: Path, images: Path) -> None:
    for words in (["train", images], ["predict", run, images], ["evaluate", run, images], ["compare", run, second_run]):
        assert "cannot be created" in graticule(*words, "--out", "/proc/graticule/run").message()
    assert "there is no folder" in graticule("embed", images, "--out", "/proc/graticule/f.npz").message()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_write_permission(graticule: Graticule, run: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    for words in (["train", images], ["predict", run, images], ["evaluate", run, images]):
        assert "Permission denied" in graticule(*words, "--out", tmp_path / "closed" / "run").message()
    assert "cannot be written to" in graticule("embed", images, "--out", tmp_path / "closed" / "f.npz").message()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_storage_that_ends_while_writing_leaves_nothing_that_looks_finished(
    run: Path, images: Path, tmp_path: Path, session_cache: Path
) -> None:
    """A real limit on the size of files, in a process of its own: writes fail in the middle as on a full disk."""
    out = tmp_path / "run"
    words = ["train", str(images), "--out", str(out), "--views", "1", "--workers", "1", "--head", "logistic"]
    done = subprocess.run(
        [sys.executable, "-m", "graticule", *words, "--folds", "2"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"GRATICULE_CACHE": str(session_cache)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert done.returncode == 2, done.stderr
    assert "the run cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (out / "DONE").exists()


FULL = OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        ("train", "pyarrow.parquet.write_table"),
        ("train", "graticule.bundle.write_text"),
        ("train", "graticule.jobs.train.job.write_json"),
        ("train", "graticule.runs.os.fsync"),
        ("predict", "pyarrow.parquet.ParquetWriter.write_table"),
        ("predict", "graticule.jobs.predict.write_json"),
        ("evaluate", "graticule.jobs.evaluate.write_json"),
        ("compare", "graticule.jobs.compare.write_json"),
    ],
)
def test_a_full_disk(
    graticule: Graticule,
    run: Path,
    second_run: Path,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    warm_cache: Path,
    verb: str,
    target: str,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise FULL

    monkeypatch.setattr(target, full)
    options = ["--views", 1, "--workers", 1, "--head", "logistic", "--folds", 2]
    words: dict[str, list[object]] = {
        "train": [images, *options],
        "predict": [run, images, "--workers", 1],
        "evaluate": [run, images, "--workers", 1],
        "compare": [run, second_run],
    }
    out = tmp_path / "out"
    message = graticule(verb, *words[verb], "--out", out).message()
    assert "cannot be written to" in message
    assert "No space left on device" in message
    assert not (out / "DONE").exists()


def _damaged(run: Path, folder: Path) -> Path:
    """A copy of the bundle alone, for tests to change."""
    shutil.copytree(run / "model", folder)
    return folder


BUNDLE = ("model.onnx", "head.safetensors", "bundle.json", "reference.safetensors", "MODEL_CARD.md", "SHA256SUMS")


@pytest.mark.parametrize("name", BUNDLE)
def test_any_changed_byte_of_a_bundle_is_noticed(
    graticule: Graticule, run: Path, images: Path, tmp_path: Path, name: str
) -> None:
    folder = _damaged(run, tmp_path / "model")
    whole = (folder / name).read_bytes()
    for position in (0, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        for change in (1, 0x20, 0x80):
            altered = bytearray(whole)
            altered[position] ^= change
            (folder / name).write_bytes(altered)
            message = graticule("predict", folder, images, "--out", tmp_path / "out").message()
            assert "was altered or damaged" in message
            assert name in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", BUNDLE)
def test_a_shortened_grown_or_missing_file_of_a_bundle_is_noticed(
    graticule: Graticule, run: Path, images: Path, tmp_path: Path, name: str
) -> None:
    folder = _damaged(run, tmp_path / "model")
    whole = (folder / name).read_bytes()
    for content in (whole[:-1], whole + b"\n", b""):
        (folder / name).write_bytes(content)
        assert "was altered or damaged" in graticule("evaluate", folder, images, "--out", tmp_path / "out").message()
    (folder / name).unlink()
    message = graticule("predict", folder, images, "--out", tmp_path / "out").message()
    # without bundle.json it is no longer seen as a bundle at all
    assert f"lacks {name}" in message or "is no finished run" in message


def test_every_byte_of_the_sums_counts(run: Path, tmp_path: Path) -> None:
    from graticule.bundle import read_bundle
    from graticule.errors import BundleError

    folder = _damaged(run, tmp_path / "model")
    (folder / "model.onnx").write_bytes(b"small")  # keeps hashing quick; noticed in any case
    sums = (folder / "SHA256SUMS").read_bytes()
    for position in range(len(sums)):
        altered = bytearray(sums)
        altered[position] ^= 0x06  # turns a line feed into a form feed, which also ends a line for some readers
        (folder / "SHA256SUMS").write_bytes(altered)
        with pytest.raises(BundleError, match="altered or damaged"):
            read_bundle(folder)


def test_a_run_without_its_model(graticule: Graticule, run: Path, images: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("model"))
    message = graticule("predict", tmp_path / "run", images, "--out", tmp_path / "out").message()
    assert "holds no model" in message


@pytest.mark.parametrize("name", ["metrics.json", "run.json", "predictions.parquet", "manifest.parquet"])
def test_a_damaged_table_of_a_run(graticule: Graticule, run: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"PAR1 {")
    assert name in graticule("report", tmp_path / "run").message()
    if name.endswith("parquet") or name == "run.json":
        assert name in graticule("compare", tmp_path / "run", run).message()
