"""The Python interface: train, load, predict, and results that show themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from tests.networks.far import Far, far

import graticule
from graticule import api
from graticule.errors import OptionError, RunError
from graticule.jobs.train.options import TrainOptions

__all__ = ["far"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 8 images: rows bright at the top, or at the bottom."""
    folder = tmp_path_factory.mktemp("api") / "data"
    rng = np.random.default_rng(0)
    for kind, ramp in (("falling", np.linspace(220, 20, 24)), ("rising", np.linspace(20, 220, 24))):
        (folder / kind).mkdir(parents=True)
        for i in range(8):
            pixels = np.clip(ramp[:, None] + rng.normal(0, 6, (24, 24)), 0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(folder / kind / f"{kind}_{i}.png")
    return folder


@pytest.fixture(scope="module")
def run(data: Path, shared_graphs: Path) -> graticule.api.Run:
    """A run trained through the interface."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRATICULE_CACHE", str(data.parent / "cache"))
        (data.parent / "cache").mkdir()
        (data.parent / "cache" / "graphs").symlink_to(shared_graphs, target_is_directory=True)
        return graticule.train(data, data.parent / "run", views=1, workers=1, folds=2, head="logistic")


def test_train_returns_the_finished_run(run: graticule.api.Run, data: Path) -> None:
    assert run.folder == data.parent / "run"
    assert run.report.is_file()
    assert run.metrics["n"] == 16
    assert run.record["options"]["folds"] == 2
    assert run.info.classes == ["falling", "rising"]
    assert len(run.predictions.of_part("cv")) == 16


def test_a_run_is_loaded_again_with_the_same_answers(run: graticule.api.Run, data: Path) -> None:
    files = sorted(data.rglob("*.png"))
    again = graticule.load(str(run.folder))
    assert again.metrics == run.metrics
    np.testing.assert_array_equal(again.predict(files, workers=1).proba, run.predict(files, workers=1).proba)


def test_predict_answers_in_the_order_asked(run: graticule.api.Run, data: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no")
    answers = run.predict(
        [data / "rising" / "rising_0.png", broken, str(data / "falling" / "falling_3.png")], workers=1
    )
    assert len(answers) == 3
    assert answers.label == ["rising", None, "falling"]
    assert answers.classes == ("falling", "rising")
    assert np.isnan(answers.score[1])
    assert answers.score[0] == answers.proba[0].max() > 0.5
    assert list(answers.errors) == [str(broken)]


def test_predict_on_another_device_says_why_it_was_left(run: graticule.api.Run, data: Path, far: Far) -> None:
    file = data / "rising" / "rising_0.png"
    here = run.predict([file], workers=1, device="cpu")
    far.off = 0.01
    left = run.predict([file], workers=1)
    np.testing.assert_array_equal(left.proba, here.proba)
    assert here.warnings == []
    assert "cuda:0 was not used" in left.warnings[0]
    with pytest.raises(OptionError, match="--device mps: allowed are"):
        run.predict([file], device="mps")


def test_training_on_another_device(run: graticule.api.Run, data: Path, tmp_path: Path, far: Far) -> None:
    options = {"views": 1, "workers": 1, "folds": 2, "head": "logistic", "batch_size": 4, "device": "cuda"}
    there = graticule.train(data, tmp_path / "run", **options)
    assert there.record["embedding"]["device"] == "cuda:0"
    assert run.record["embedding"]["device"] == "cpu"
    assert far.sizes == [4] * 6  # two with the pictures that are compared
    assert there.record["embedding"]["decoded"] == 16  # nothing from the cache of the processor
    np.testing.assert_array_equal(there.predictions.proba, run.predictions.proba)
    with pytest.raises(OptionError, match="has no DmlExecutionProvider here"):
        graticule.train(data, tmp_path / "none", device="directml")
    assert not (tmp_path / "none").exists()


def test_predict_nothing(run: graticule.api.Run) -> None:
    answers = run.predict([])
    assert answers.proba.shape == (0, 2)
    assert answers.label == []
    assert len(answers.score) == 0
    assert "<table>" in answers._repr_html_()


@pytest.mark.parametrize("path", ["image.png", Path("image.png")])
def test_one_path_is_not_a_list_of_letters(run: graticule.api.Run, path: str | Path) -> None:
    with pytest.raises(OptionError, match="give a list of paths"):
        run.predict(path)


def test_results_show_themselves_in_a_notebook(run: graticule.api.Run, data: Path) -> None:
    page = run._repr_html_()
    assert "16 images, 2 classes, stratified 2-fold cross-validation" in page
    for label in ("Accuracy", "Balanced accuracy", "ROC AUC", "95 % interval"):
        assert label in page
    answers = run.predict(sorted(data.rglob("*.png")) * 2, workers=1)
    page = answers._repr_html_()
    assert page.count("<tr>") == 21
    assert "12 more" in page


def test_decisions_come_with_the_answers(run: graticule.api.Run, data: Path) -> None:
    paths = sorted(data.rglob("*.png"))[:4]
    answers = run.predict(paths, workers=1, target_accuracy=0.6)
    assert set(answers.decision) <= {"accept", "review", "reject"}
    assert all(answers.reason)
    assert [s[0] for s in answers.sets if s] == answers.label
    # 16 images are too few to tell what is usual
    assert np.isnan(answers.novelty).all()
    assert answers.nearest == [None] * 4
    with pytest.raises(OptionError, match="no number of images proves"):
        run.predict(paths, workers=1, target_accuracy=1.0)


def test_names_are_escaped_in_html(run: graticule.api.Run) -> None:
    answers = api.Answers(
        paths=["<b>&.png"],
        classes=("<i>", "x"),
        proba=np.array([[0.9, 0.1]]),
        errors={},
        decision=["review"],
        reason=["between <i> and x"],
        sets=[["<i>"]],
        novelty=np.ones(1),
        nearest=[None],
    )
    assert "<b>" not in answers._repr_html_()
    assert "&lt;i&gt;" in answers._repr_html_()


def test_errors_of_the_command_line_are_exceptions_here(run: graticule.api.Run, data: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds a finished run already"):
        graticule.train(data, run.folder)
    with pytest.raises(RunError, match="there is no run"):
        graticule.load(tmp_path / "nothing")
    with pytest.raises(OptionError, match="--folds 0"):
        graticule.train(data, tmp_path / "run", folds=0)
    with pytest.raises(OptionError, match="is no folder"):
        graticule.train(data, tmp_path / "run", root="nowhere")
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = graticule.nonsense


def test_the_embedder_is_a_step_of_a_pipeline(data: Path) -> None:
    files = [str(file) for file in sorted(data.rglob("*.png"))]
    y = [Path(file).parent.name for file in files]
    pipeline = make_pipeline(graticule.Embedder(views=1, workers=1), SVC())
    assert cross_val_score(pipeline, np.array(files), y, cv=2).mean() == 1.0


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, graticule; print(graticule.__version__, [m for m in ('numpy', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{graticule.__version__} []\n"


def test_a_script_without_a_guard_is_told_so(data: Path, tmp_path: Path) -> None:
    """Worker processes import the script again; without the guard each would start the work anew."""
    script = tmp_path / "script.py"
    script.write_text(f"import graticule\ngraticule.train({str(data)!r}, {str(tmp_path / 'run')!r})\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert 'put its calls under `if __name__ == "__main__":`' in done.stderr
    assert not (tmp_path / "run").exists()


def test_an_unknown_option_names_the_nearest(run: graticule.api.Run, data: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"no option fold \(did you mean folds\?\), zzz; allowed are .*backbone"):
        graticule.train(data, tmp_path / "run", fold=3, zzz=1)
    with pytest.raises(OptionError, match=r"did you mean target_accuracy\?"):
        run.predict([], target_acuracy=0.9)
    assert not (tmp_path / "run").exists()


def test_a_tilde_is_the_home_folder(run: graticule.api.Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(data.parent))
    monkeypatch.setenv("USERPROFILE", str(data.parent))
    assert graticule.load("~/run").folder == run.folder
    picture = sorted(data.rglob("*.png"))[0]
    answers = run.predict([f"~/data/{picture.relative_to(data)}"], workers=1)
    assert not answers.errors
    assert TrainOptions.of({"root": "~/data"}).root == data
    with pytest.raises(RunError, match="holds a finished run"):
        graticule.train("~/data", "~/run", folds=2)
