"""The page of a comparison: complete, self-contained, faithful to its document, inert for any name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from graticule.arrays import object_array
from graticule.errors import ImageError
from graticule.evaluate.compare.runs import compare_many
from graticule.predictions import Predictions
from graticule.report.compare.charts import signed
from graticule.report.compare.page import (
    comparison_verdict,
    letter,
    p_words,
    render_comparison,
    run_rows,
    short_names,
    time_words,
)

ODD = '<b>"x" & {{ 7*7 }}</b>'


def read(file: Path) -> NDArray[np.uint8]:
    if file.suffix == ".broken":
        raise ImageError(str(file), "the file ends early")
    return np.asarray(PIL.Image.open(file).convert("RGB"))


def document(n_runs: int = 2, n_groups: int = 0, classes: tuple[str, ...] = ("fibre", ODD, "sphere")) -> dict[str, Any]:
    """comparison.json of runs on 120 samples."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    names = object_array([f"{i:03d}" for i in range(120)])
    runs = []
    for k in range(n_runs):
        scores = rng.normal(size=(120, 3))
        scores[np.arange(120), y] += 1.0 + k
        proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        label = object_array([classes[c] for c in y])
        runs.append(Predictions(names, names, object_array(["cv"] * 120), y * 0, label, classes, proba))
    group = object_array([f"g{i % n_groups}" for i in range(120)]) if n_groups else None
    many = compare_many(runs, group, n_boot=100)
    about = {"backbone": "vgg16", "method": "features", "head": "svm", "input_size": 224, "cached": 3, "platform": None}
    about |= {"weights": "none", "device": None}
    rows = [
        about | {"run": f"runs/run {k}", "wall_time_s": 60.0 * k, "n": 120, "too_good": None, "figures": figures}
        for k, figures in enumerate(many["figures"])
    ]
    return {
        **many,
        "graticule_version": "0.1.0",
        "created_utc": "2026-01-02T03:04:05Z",
        "part": "cv",
        "runs": rows,
        "cautions": [],
    }


def page(content: dict[str, Any], folder: Path) -> str:
    """The page, with a picture for every second sample."""
    for i in range(0, 120, 2):
        PIL.Image.fromarray(np.full((50, 60, 3), i, np.uint8)).save(folder / f"{i:03d}.png")
    (folder / "001.broken").write_bytes(b"")
    files = {f"{i:03d}": folder / f"{i:03d}.png" for i in range(0, 120, 2)} | {"001": folder / "001.broken"}
    return render_comparison(content, read, files.get)


@pytest.mark.parametrize(("n_runs", "n_groups"), [(2, 0), (2, 4), (3, 30)])
def test_the_page_needs_nothing_and_links_to_what_is_there(tmp_path: Path, n_runs: int, n_groups: int) -> None:
    text = page(document(n_runs, n_groups), tmp_path)
    assert not re.search(r"https?:|url\(|@import", re.sub(r"data:image/[^\"]*", "", text))
    assert ODD not in text
    assert "49" not in re.findall(r"x&#34; &amp; (\S+)", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)
    for tag in ("section", "table", "figure", "svg", "details", "ul", "dl", "b"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag
    assert page(document(n_runs, n_groups), tmp_path) == text


def test_every_figure_of_the_runs_is_on_the_page(tmp_path: Path) -> None:
    content = document(3)
    text = page(content, tmp_path)
    for k, run in enumerate(content["runs"]):
        value = run["figures"]["macro_f1"]["value"]
        assert f'value="{value}" data-figure="{letter(k)}/macro_f1"' in text
    assert "corrected for 2 comparisons by Holm" in text
    assert text.count("random first weights") == text.count(">features stored<") == 3
    assert text.count("against A (runs/run 0)") == 0
    assert "C (run 2) against A (run 0)" in text


def test_pictures_are_those_of_the_discordant_samples(tmp_path: Path) -> None:
    content = document(2)
    text = page(content, tmp_path)
    found = content["comparisons"][0]
    for kind, words in (("only_a_right", "A right, B wrong"), ("only_b_right", "B right, A wrong")):
        assert f"{words}: {found['discordant'][kind]} image" in text
        for row in found["examples"][kind]:
            assert f'title="{row["path"]}"' in text
    shown = [row["sample_id"] for kind in found["examples"].values() for row in kind]
    assert text.count('src="data:image/') == sum(int(sample) % 2 == 0 for sample in shown)
    assert text.count("no picture: file not found") == sum(int(sample) % 2 for sample in shown)


def test_the_best_of_a_column_is_bold_unless_all_are_equal() -> None:
    content = document(3)
    content["runs"][0]["figures"]["accuracy"]["value"] = content["runs"][2]["figures"]["accuracy"]["value"] = 0.999
    for run in content["runs"]:
        run["figures"]["macro_f1"]["value"] = 0.5
    content["runs"][1]["figures"]["macro_precision"]["value"] = None
    rows = run_rows(content["runs"], ["a", "b", "c"])
    bold = {key: [{k: b for k, _, b in row["figures"]}[key] for row in rows] for key in ("accuracy", "macro_f1")}
    assert bold == {"accuracy": [True, False, True], "macro_f1": [False] * 3}


def test_the_verdict_follows_the_test() -> None:
    found = document(2)["comparisons"][0]
    figure = {"value": 0.021, "low": 0.004, "high": 0.038, "level": 0.95}
    clear = {"difference": {"accuracy": figure}, "test": found["test"] | {"p": 0.012, "p_holm": 0.06}}
    one = comparison_verdict(clear, 1, ["a", "b"], 1)
    assert one["act"]
    assert "B (b) is 2.1 points more accurate than A (a)" in one["words"]
    assert "+0.4 to +3.8 points; p = 0.012. That is more than chance" in one["words"]
    many = comparison_verdict(clear, 1, ["a", "b"], 4)
    assert not many["act"]
    assert "p = 0.06 after correction" in many["words"]
    few = comparison_verdict(clear | {"test": {"p": None, "p_holm": None}}, 1, ["a", "b"], 1)
    assert "no p-value. Too few groups" in few["words"]
    same = {"difference": {"accuracy": figure | {"value": 0.0}}, "test": {"p": 1.0, "p_holm": 1.0}}
    words = comparison_verdict(same, 1, ["a", "b"], 1)["words"]
    assert "as accurate as A" in words
    assert "Their accuracies are the same: accuracy does not show which is better." in words


def test_a_small_difference_is_not_rounded_away() -> None:
    figure = {"value": 0.0004, "low": 0.00016, "high": 0.00064, "level": 0.95}
    found = {"difference": {"accuracy": figure}, "test": {"p": 0.00094, "p_holm": 0.00094}}
    words = comparison_verdict(found, 1, ["a", "b"], 1)["words"]
    assert "B (b) is 0.04 points more accurate than A (a)" in words
    assert "+0.02 to +0.06 points; p = 0.00094" in words
    figure |= {"value": -0.00002, "low": -0.00005, "high": 0.00001}
    words = comparison_verdict(found | {"test": {"p": 0.6, "p_holm": 0.6}}, 1, ["a", "b"], 1)["words"]
    assert "0.002 points less accurate" in words
    assert "−0.005 to +0.001 points" in words


@pytest.mark.parametrize(
    ("value", "p", "flaws", "act", "said"),
    [
        (0.03, 0.01, (None, "leak"), False, "but the figures of B are too good (leak): it does not show that B is"),
        (0.03, 0.01, ("leak", None), True, "That is more than chance explains, although the figures of A are too good"),
        (-0.03, 0.01, (None, "leak"), True, "although the figures of B are too good (leak)."),
        (-0.03, 0.01, ("x", "y"), False, "the figures of A and B are too good (A: x; B: y): it does not show that A"),
        (0.01, 0.4, (None, "leak"), False, "may give such a difference, and the figures of B are too good (leak)"),
        (0.01, None, ("leak", None), False, "tell it from chance, and the figures of A are too good (leak)"),
    ],
)
def test_the_verdict_says_whose_figures_are_too_good(
    value: float, p: float | None, flaws: tuple[str | None, ...], act: bool, said: str
) -> None:
    figure = {"value": value, "low": value - 0.02, "high": value + 0.02, "level": 0.95}
    found = {"difference": {"accuracy": figure}, "test": {"p": p, "p_holm": p}}
    told = comparison_verdict(found, 1, ["a", "b"], 1, flaws)
    assert told["act"] is act
    assert said in told["words"]


def test_cautions_stand_at_the_top_and_once(tmp_path: Path) -> None:
    content = document(2)
    content["cautions"] = ["The figures of run 1 are too good: a leak."]
    content["notes"] = [*content["cautions"], *content["notes"]]
    content["runs"][1]["too_good"] = "a leak"
    text = page(content, tmp_path)
    assert text.count("The figures of run 1 are too good") == 1
    assert text.index("The figures of run 1 are too good") < text.index('id="runs"')
    assert text.count(">figures too good<") == 1
    assert "are too good (a leak)" in text[: text.index("<nav")]


def test_a_target_that_no_run_reaches_is_said(tmp_path: Path) -> None:
    content = document(2)
    none = {"value": 0.0, "low": None, "high": None, "method": "no_variation", "level": 0.95}
    some = {"value": 0.2, "low": 0.1, "high": 0.3, "method": "bootstrap", "level": 0.95}
    rows = [{"target": 0.99, "a": 0.0, "b": 0.0, "difference": none}]
    content["comparisons"][0]["coverage"] = [*rows, {"target": 0.95, "a": 0.0, "b": 0.2, "difference": some}]
    text = page(content, tmp_path)
    assert text.count("not reached by either</td>") == 1
    assert text.count("<td>none</td>") == 3
    assert '+20.0<small class="ci">+10.0 to +30.0</small>' in text


def test_words_and_names() -> None:
    assert (signed(0.0123, 1, 100), signed(-0.0123, 1, 100), signed(-0.0001, 1, 100)) == ("+1.2", "−1.2", "0.0")
    assert signed(None, 1) == "–"
    assert [time_words(s) for s in (None, 45.2, 720.0, 9000.0)] == ["–", "45 s", "12 min", "2.5 h"]
    assert [p_words(p) for p in (None, 0.0416, 1e-9)] == ["no p-value", "p = 0.042", "p < 0.0001"]
    assert [p_words(p) for p in (0.0496, 0.0504, 0.05)] == ["p = 0.0496", "p = 0.0504", "p = 0.05"]
    assert short_names(["x/a", "x/b"]) == ["a", "b"]
    assert short_names(["x/run", "y/run", "z"]) == ["x/run", "y/run", "z"]
    assert short_names(["run", "y/run"]) == ["run", "y/run"]
    assert (letter(0), letter(25), letter(26)) == ("A", "Z", "R27")
