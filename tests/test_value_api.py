"""Numbers in Python: train, load and predict, with the answers of the command line, in physical units too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest
from tests.drawn_values import DrawnValues

from graticule import api
from graticule.errors import OptionError
from graticule.jobs.options import PredictOptions
from graticule.jobs.predict import predict
from graticule.value_api import NumberAnswers, ValueRun

N, SIDE = 48, 48


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs of 5 to 18 pixels under two magnifications; the number is their diameter in nanometres."""
    folder = tmp_path_factory.mktemp("discs")
    rng = np.random.default_rng(0)
    rows = ["path,width,pixel_size_nm,group"]
    y, x = np.mgrid[:SIDE, :SIDE]
    for i in range(N):
        radius, size = np.linspace(2.5, 9, N // 2)[i // 2], (2.0, 20.0)[i % 2]
        disc = (x - 24) ** 2 + (y - 24) ** 2 < radius**2
        picture = np.where(disc, 210, 60) + rng.normal(0, 6, (SIDE, SIDE))
        PIL.Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(folder / f"{i:02d}.png")
        rows.append(f"{i:02d}.png,{2 * radius * size:.3f},{size},g{i // 2}")
    (folder / "discs.csv").write_text("\n".join(rows) + "\n")
    return folder / "discs.csv"


@pytest.fixture(scope="module")
def run(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> ValueRun:
    return api.train_values(
        discs,
        tmp_path_factory.mktemp("run") / "run",
        target="width",
        target_unit="nm",
        per_pixel_size=True,
        folds=3,
        features="network",
        input_size=48,
        views=1,
        workers=1,
    )


def sizes(discs: Path) -> list[float]:
    return [float(row.split(",")[2]) for row in discs.read_text().splitlines()[1:]]


def test_a_length_is_learnt_in_pixels_and_told_in_physical_units(run: ValueRun, discs: Path, tmp_path: Path) -> None:
    assert run.metrics["r2"]["value"] > 0.9
    files = [discs.parent / f"{i:02d}.png" for i in range(N)]
    answers = run.predict(files, pixel_sizes_nm=sizes(discs), workers=1, max_width=500.0)
    assert (answers.target, answers.unit, answers.level) == ("width", "nm", 0.9)
    assert len(answers) == N
    # ten times the pixel size, ten times the length
    ratio = answers.value[1::2] / answers.value[::2]
    assert np.median(ratio) == pytest.approx(10, rel=0.2)
    predict(run.folder, discs, tmp_path / "answers", PredictOptions(max_width=500.0, workers=1))
    rows = pq.read_table(tmp_path / "answers" / "predictions-00000.parquet").to_pylist()
    assert [Path(row["path"]).name for row in rows] == [file.name for file in files]
    for name in ("value", "low", "high", "novelty"):
        np.testing.assert_allclose(getattr(answers, name), [row[name] for row in rows], rtol=1e-9)
    assert answers.decision == [row["decision"] for row in rows]
    assert answers.reason == [row["reason"] for row in rows]
    assert "<table" in answers._repr_html_()
    assert "width [nm]" in run._repr_html_()


def test_without_a_pixel_size_there_is_no_number_and_the_reason_says_so(run: ValueRun, discs: Path) -> None:
    answers = run.predict([discs.parent / "00.png"], workers=1)
    assert np.isnan(answers.value[0])
    assert answers.decision == ["review"]
    assert "its pixel size is not known" in answers.reason[0]
    some = run.predict([discs.parent / "00.png"] * 2, pixel_sizes_nm=[2.0, np.nan], workers=1)
    assert np.isfinite(some.value).tolist() == [True, False]


def test_what_cannot_be_read_is_told_and_nothing_is_no_answer(run: ValueRun, discs: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    answers = run.predict([tmp_path / "broken.png", discs.parent / "01.png"], pixel_sizes_nm=[2.0, 20.0], workers=1)
    assert list(answers.errors) == [str(tmp_path / "broken.png")]
    assert np.isfinite(answers.value).tolist() == [False, True]
    assert answers.decision[0] == "reject"
    nothing = run.predict([])
    assert isinstance(nothing, NumberAnswers)
    assert len(nothing) == 0


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        ("one.png", {}, "one path was given"),
        (["one.png"], {"pixel_sizes_nm": [1.0, 2.0]}, "2 pixel sizes were given for 1 images"),
        (["one.png"], {"maxwidth": 3}, "did you mean max_width"),
        (["one.png"], {"level": 1.5}, "level 1.5"),
    ],
)
def test_faults_of_the_call_are_one_message(run: ValueRun, given: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        run.predict(given, **options)


def test_a_number_is_learnt_and_loaded(value_table: Path, planted: DrawnValues, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"a number is learnt by graticule\.api\.train_values"):
        api.train(value_table, tmp_path / "run", target="fraction")
    with pytest.raises(OptionError, match="needs the option target"):
        api.train_values(value_table, tmp_path / "run")
    with planted.instead_of_pixels():
        run = api.train_values(value_table, tmp_path / "run", target="fraction", features="network", head="ridge")
    assert (run.info.target, run.metrics["task"], run.record["task"]) == ("fraction", "regression", "regression")
    assert len(run.values) == planted.n
    assert run.report.is_file()
    assert api.load_values(str(run.folder)).metrics == run.metrics
