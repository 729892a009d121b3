"""The page: complete, self-contained, faithful to metrics.json, inert for any name, the same for the same run."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from tests.report.run.conftest import PageOf

from graticule.evaluate.catalogue import OVERALL, PER_CLASS
from graticule.report.quantities import show
from graticule.report.run.page import write_evaluation_report, write_report


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


def test_thirty_classes_stay_small(write_run: Any, parse: Any) -> None:
    folder = write_run(classes=tuple(f"class {k:02d}" for k in range(30)), n=300)
    file = write_report(folder)
    page = parse(file.read_text(encoding="utf-8"))
    assert len(page.all("img")) <= 60
    assert file.stat().st_size < 1_500_000


def test_the_page_tells_who_chose_the_input(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        run["embedding"]["choice"] = {
            "input_size": {"why": "48 px: 22 times fewer pixels; 4 of 5 folds chose it"},
            "views": {"why": "as asked for"},
        }

    text = page_of(write_run(change=change)).text
    assert "224 px (48 px: 22 times fewer pixels; 4 of 5 folds chose it)" in text
    assert "4 (as asked for)" in text
