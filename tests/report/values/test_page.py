"""The page of a regression: whole, self-contained, and the numbers are those of metrics.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graticule.errors import RunError
from graticule.report.values.page import write_value_report

PageOf = Callable[[Path], Any]


@pytest.fixture
def page_of(parse: Callable[[str], Any]) -> PageOf:
    """Write the page of a folder and take it apart."""
    return lambda folder: parse(write_value_report(folder).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("n_groups", "size", "verb"), [(24, 5, "train"), (4, 6, "train"), (0, 6, "evaluate"), (0, 1, "train")]
)
def test_the_page_is_whole_and_loads_nothing(
    write_values: Callable[..., Path], page_of: PageOf, n_groups: int, size: int, verb: str
) -> None:
    page = page_of(write_values(n_groups, size, verb=verb))
    assert page.from_elsewhere() == []
    assert page.policy == page.strict_policy
    assert page.targets <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_nothing_of_classification_pretends_to_be_there(write_values: Callable[..., Path], page_of: PageOf) -> None:
    page = page_of(write_values())
    for word in ("accuracy", "confusion", "ROC", "sensitivity", "class "):
        assert word not in page.text, word
    assert "Mean absolute error" in page.text
    assert sum(a.get("src", "").startswith("data:image/") for a in page.all("img")) > 0


def test_odd_names_show_and_do_nothing(
    write_values: Callable[..., Path], page_of: PageOf, odd_names: tuple[str, ...]
) -> None:
    folder = write_values()
    file = folder / "metrics.json"
    text = file.read_text()
    metrics = json.loads(text)
    for row, name in zip(metrics["specimens"]["groups"], odd_names, strict=False):
        row["group"] = name
    metrics["target"], metrics["unit"] = "<script>alert(1)</script>", "</style>"
    file.write_text(json.dumps(metrics))
    page = page_of(folder)
    assert "<script>alert(1)</script>" in page.text
    assert page.from_elsewhere() == []


def test_the_same_folder_gives_the_same_page(write_values: Callable[..., Path]) -> None:
    folder = write_values()
    first = write_value_report(folder).read_bytes()
    assert write_value_report(folder).read_bytes() == first


def test_a_folder_without_its_table_is_refused(write_values: Callable[..., Path]) -> None:
    folder = write_values()
    (folder / "predictions.parquet").unlink()
    with pytest.raises(RunError, match="predictions"):
        write_value_report(folder)
