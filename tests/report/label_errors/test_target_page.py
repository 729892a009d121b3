"""The page of suspicious values: the listed images with what they are held against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tests.label_errors.test_suspicious_run import planted
from tests.report.values.conftest import write_values

from graticule.label_errors.suspicious_run import describe_targets, judge_targets
from graticule.report.label_errors.target_page import render_suspicious_targets, target_error_verdict

__all__ = ["write_values"]


def test_the_page_is_whole(write_values: Callable[..., Path], parse: Callable[[str], Any]) -> None:
    folder = write_values(pictures=0)
    path = planted(folder)
    judged = judge_targets(folder)
    document = describe_targets(folder, judged)
    read = lambda _: np.full((8, 8, 3), 9, np.uint8)  # noqa: E731
    page = parse(render_suspicious_targets(document, judged.values, read, lambda _: Path("a.png")))
    assert page.from_elsewhere() == []
    assert page.targets <= set(page.ids)
    assert path in page.text.replace("\u200b", "")
    assert "graticule train cleaned_manifest.csv --target fraction" in page.text


def test_no_image_is_a_witness_to_its_own_value(write_values: Callable[..., Path]) -> None:
    folder = write_values(pictures=0)
    planted(folder)
    judged = judge_targets(folder)
    document = describe_targets(folder, judged)
    assert document["next"]
    shown: list[str] = []

    def file_of(sample: str) -> Path:
        shown.append(sample)
        return Path("a.png")

    rows = {"errors": [], "next": document["next"][:1], "n_listed": 0}
    read = lambda _: np.full((8, 8, 3), 9, np.uint8)  # noqa: E731
    page = render_suspicious_targets(document | rows, judged.values, read, file_of)
    assert shown.count(str(document["next"][0]["sample_id"])) == 1
    assert "Nothing has to be done for these values" in page


def test_the_verdict() -> None:
    base = {"n": 400, "n_listed": 0, "expected_by_chance": 0.0}
    assert target_error_verdict(base) == (
        "Of 400 true values none lies further from its prediction than chance puts it.",
        False,
    )
    words, act = target_error_verdict(base | {"n_listed": 3, "expected_by_chance": 1.2})
    assert act
    assert words.startswith("3 true values lie further")
    assert "about 1 would" in words
