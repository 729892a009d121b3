"""The page: complete, self-contained, faithful to metrics.json, inert for any name, the same for the same run."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graticule.errors import GraticuleError, RunError
from graticule.evaluate.catalogue import OVERALL, PER_CLASS
from graticule.report.quantities import show
from graticule.report.run.page import write_evaluation_report, write_report

PageOf = Callable[[Path], Any]


@pytest.fixture
def page_of(parse: Callable[[str], Any]) -> PageOf:
    """Write the report of a run folder and take its page apart."""
    return lambda folder: parse(write_report(folder).read_text(encoding="utf-8"))


def test_nothing_is_loaded_from_elsewhere(write_run: Any, page_of: PageOf) -> None:
    page = page_of(write_run(test=True, n_groups=12))
    assert page.from_elsewhere() == []
    assert len(page.ids) == len(set(page.ids))
    assert page.targets <= set(page.ids)


def test_the_policy_allows_the_one_script_and_nothing_else(write_run: Any, page_of: PageOf) -> None:
    page = page_of(write_run())
    assert page.policy == page.strict_policy
    assert len(page.all("script")) == 1


def test_every_number_is_that_of_metrics_json(write_run: Any, page_of: PageOf) -> None:
    folder = write_run(test=True, n_groups=12)
    page = page_of(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    wanted = {}
    for prefix, part in (("", metrics), ("test/", metrics["test"])):
        wanted |= {prefix + q.key: (part[q.key], q.unit) for q in OVERALL}
        for name, row in part["per_class"].items():
            wanted |= {f"{prefix}per_class/{name}/{q.key}": (row[q.key], q.unit) for q in PER_CLASS}
    for key, (figure, unit) in wanted.items():
        shown = show(figure, unit)
        assert figure["value"] is not None
        assert page.figures[key]
        for value, words in page.figures[key]:
            assert value == figure["value"]
            assert words == shown.value
        assert not shown.interval or shown.interval in page.text
    text = (folder / "report.html").read_text(encoding="utf-8")
    for part in (metrics, metrics["test"]):
        cells = [f"{n}</td>" for row in part["confusion"] for n in [*row, sum(row)]]
        table = text.partition('aria-label="Confusion matrix, counts"')[2].partition("</tbody>")[0]
        assert [cell.rpartition(">")[2] + "</td>" for cell in table.split("</td>")[:-1]] == cells
        text = text.partition('aria-label="Confusion matrix, counts"')[2]
    for name, n in json.loads((folder / "run.json").read_text())["data"]["classes"].items():
        assert re.search(rf"{name}\s*{n}\b", page.text)


def test_the_verdict_says_it_in_one_paragraph(write_run: Any, page_of: PageOf) -> None:
    folder = write_run(test=True)
    metrics = json.loads((folder / "metrics.json").read_text())
    accuracy = metrics["accuracy"]
    text = page_of(folder).text.replace("\u202f", " ")
    assert f"Out-of-fold, {100 * accuracy['value']:.1f} % of 60 images" in text
    assert f"(95 % interval {100 * accuracy['low']:.1f} to {100 * accuracy['high']:.1f} %)" in text
    assert f"most frequent class would get {100 * accuracy['baseline']:.1f} %" in text
    assert "On the held-out part of 30 images" in text
    assert "images of one specimen may be on both sides of a split" in text


def test_odd_names_are_inert_and_whole(write_run: Any, page_of: PageOf, odd_names: tuple[str, ...]) -> None:
    page = page_of(write_run(classes=odd_names))
    assert len(page.all("script")) == 1
    for name in odd_names:
        assert re.sub(r"\s+", " ", name).strip() in page.text
    assert "Class ig: 3 images differ strongly in size <from> the others." in page.text
    assert "bad <1>.jpg" in page.text


def test_missing_images_leave_a_placeholder(write_run: Any, page_of: PageOf) -> None:
    folder = write_run()
    page = page_of(folder)
    pictures = len(page.all("img"))
    holes = page.text.count("no picture")
    assert 0 < pictures <= 60
    assert holes > 0
    shutil.rmtree(folder.parent / "data")
    page = page_of(folder)
    assert page.all("img") == []
    assert page.text.count("no picture") == pictures + holes


def test_undefined_numbers_are_dashes_with_a_reason(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        metrics["log_loss"] = None
        metrics["roc_auc_macro"]["value"] = None
        metrics["per_class"]["fibre"]["precision"] = {"value": None, "low": None, "high": None, "method": "wilson"}
        metrics["per_class"]["fibre"]["f1"] = None
        metrics["learning_curve"] = None

    page = page_of(write_run(change=change))
    for key in ("log_loss", "roc_auc_macro", "per_class/fibre/precision", "per_class/fibre/f1"):
        assert key not in page.figures
    hints = [attributes for attributes in page.all("span") if attributes.get("title") == "not defined"]
    assert len(hints) == 5
    assert "nan" not in page.text.lower()
    assert "Would more images help?" not in page.text


def test_the_same_run_gives_the_same_bytes(write_run: Any, tmp_path: Path) -> None:
    folder = write_run(n_groups=12)
    first = write_report(folder).read_bytes()
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    assert write_report(copy).read_bytes() == first


def test_light_dark_and_print(write_run: Any) -> None:
    text = write_report(write_run()).read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "size: A4" in text
    assert '<meta name="color-scheme" content="light dark">' in text


def test_groups_fold_away_when_many(write_run: Any, page_of: PageOf) -> None:
    few = page_of(write_run(n_groups=12))
    assert "Each group lay in one fold only" in few.text
    assert "Funnel plot" in few.text
    assert [item for item in few.all("details") if "open" in item]


def test_too_few_groups_are_said_before_the_numbers(write_run: Any, page_of: PageOf) -> None:
    page = page_of(write_run(n_groups=3))
    assert page.text.index("No intervals") < page.text.index("Out-of-fold results")
    assert "(no interval)" in page.text


def test_groups_switched_off_stamp_the_report(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["options"]["group"] = "none"
        run["data"]["group_column"] = None

    page = page_of(write_run(n_groups=12, change=change))
    assert page.text.index("Groups switched off") < page.text.index("Out-of-fold results")


def test_openings_of_the_held_out_part_are_counted(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        opening = {"utc": "2026-01-02T03:04:05Z", "verb": "train", "model_sha256": "aa"}
        run["test_openings"] = [opening, opening | {"verb": "evaluate"}]

    page = page_of(write_run(test=True, change=change))
    assert "opened 2 times" in page.text
    assert "Held-out part opened again" in page.text


def test_a_run_of_one_split_speaks_of_its_held_out_part_once(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["folds"] |= {"k": 1, "test_size": 0.25}
        run["data"]["n"] = 300
        run["head"] |= {"shipped": "the head of the training part", "folds": []}
        run["test_openings"] = [{"utc": "2026-01-02T03:04:05Z", "verb": "train"}]
        metrics |= {"test": dict(metrics), "per_fold": [], "part": "test", "notes": []}

    page = page_of(write_run(change=change))
    text = page.text
    assert "Results on the held-out part" in text
    assert "90 images that it had not seen" in text
    # of whole groups the part is 30 %, where a quarter was asked for
    assert "90 of 300 images, 30.0 %, were set aside" in text
    assert "on a held-out part of 30.0" in text  # the methods section
    assert text.count("The part was opened once (2026-01-02T03:04:05Z, train)") == 1
    assert "test" not in page.ids
    for word in ("Out-of-fold", "out-of-fold", "folds pooled", "divided into", "in one fold", "Folds were"):
        assert word not in text


def test_notes_on_the_folds_are_sentences(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["folds"]["notes"] = [
            "2 images in a family stay together",
            "folds are uneven.",
            "group 'A' is large",
        ]

    text = page_of(write_run(change=change)).text
    assert "2 images in a family stay together. Folds are uneven. Group 'A' is large." in text
    assert "Cues" not in text


def test_cues_that_tell_a_class_stand_with_the_data(write_run: Any, page_of: PageOf) -> None:
    def row(cue: str, name: str, accuracy: float) -> dict[str, Any]:
        return {"cue": cue, "class": name, "accuracy": accuracy, "accuracy_measure": "accuracy", "chance": 1 / 3}

    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["shortcuts"] = [row("border", "fibre", 0.8), row("border", "plate", 0.8), row("brightness", "plate", 0.5)]

    text = page_of(write_run(change=change)).text
    assert "border (accuracy 80.0 %, chance 33.3 %), brightness (accuracy 50.0 %, chance 33.3 %)" in text


def test_one_missed_image_is_said_in_the_singular(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        metrics["confusion"] = [[30, 0, 0], [0, 29, 1], [0, 0, 30]]
        for name, value in (("fibre", 1.0), ("plate", 29 / 30), ("sphere", 1.0)):
            metrics["per_class"][name]["sensitivity"] = {"value": value}

    text = page_of(write_run(change=change)).text
    assert "“plate” (sensitivity 96.7 %): the one image missed was given “sphere”." in text


def test_evaluation_report_has_no_folds(write_run: Any, parse: Any) -> None:
    folder = write_run(verb="evaluate")
    page = parse(write_evaluation_report(folder).read_text(encoding="utf-8"))
    assert "runs/first" in page.text
    assert "The model was right on" in page.text
    assert "Out-of-fold results" not in page.text
    assert "Spread over folds" not in page.text


def test_a_run_without_optional_parts_still_has_a_report(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        for key in set(run) - {"verb", "schema_version"}:
            del run[key]
        for key in ("per_fold", "per_group", "notes", "test"):
            del metrics[key]

    folder = write_run(change=change)
    (folder / "failures.csv").unlink()
    (folder / "manifest.parquet").unlink()
    assert "Out-of-fold" in page_of(folder).text


@pytest.mark.parametrize("name", ["run.json", "metrics.json", "predictions.parquet"])
def test_a_folder_without_a_part_is_refused(write_run: Any, name: str) -> None:
    folder = write_run()
    (folder / name).unlink()
    with pytest.raises(RunError, match=name):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_damaged_parts_are_refused(write_run: Any) -> None:
    folder = write_run()
    (folder / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match="lacks n, classes"):
        write_report(folder)
    (folder / "metrics.json").write_text("[1")
    with pytest.raises(RunError, match="is damaged"):
        write_report(folder)


def test_a_damaged_manifest_is_refused(write_run: Any) -> None:
    folder = write_run()
    (folder / "manifest.parquet").write_bytes(b"no parquet")
    with pytest.raises(GraticuleError, match="manifest"):
        write_report(folder)


def test_thirty_classes_stay_small(write_run: Any, parse: Any) -> None:
    folder = write_run(classes=tuple(f"class {k:02d}" for k in range(30)), n=300)
    file = write_report(folder)
    page = parse(file.read_text(encoding="utf-8"))
    assert len(page.all("img")) <= 60
    assert file.stat().st_size < 1_500_000


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_contrast_in_light_and_dark(write_run: Any) -> None:
    text = write_report(write_run()).read_text(encoding="utf-8")
    themes = re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)
    assert len(themes) == 2
    for theme in themes:
        colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", theme))
        grounds = {
            "ink": ("paper", "panel", "alert-paper", "heat", "heat-wrong"),
            "soft": ("paper", "panel"),
            "faint": ("paper", "panel"),
            "link": ("paper",),
            "alert": ("paper", "alert-paper"),
        }
        for words, behind in grounds.items():
            for ground in behind:
                high, low = sorted((luminance(colour[words]), luminance(colour[ground])), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (words, ground)


def test_the_reliability_diagram_is_the_one_that_the_run_recorded(write_run: Any, page_of: PageOf) -> None:
    folder = write_run()
    diagram = {"score": [0.5, 0.9], "accuracy": [0.4, 0.8], "low": [0.1, None], "high": [0.7, None], "n": [100, 300]}
    document = {"calibration": {"reliability": diagram}}
    (folder / "decisions.json").write_text(json.dumps(document), encoding="utf-8")
    text = page_of(folder).text
    assert "mean confidence 80.0\u202f%, right 70.0\u202f%" in text or "mean confidence 80.0 %, right 70.0 %" in text
    assert "2 bins of about equal numbers of images" in text
    (folder / "decisions.json").unlink()
    assert "taken at their word" not in page_of(folder).text
