"""A listed file that is not there, and the one beside it whose name differs only in how it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sources.inputs import fault, table, touch


@pytest.mark.parametrize(
    ("listed", "there"),
    [
        ("Pr\u00e4parat.png", "Pra\u0308parat.png"),
        ("img_2.png", "IMG_2.PNG"),
        ("Slide 1/a.png", "slide  1/A.png"),
        ("Deep\\img.png", "deep/Img.png"),
    ],
)
def test_a_missing_file_whose_twin_is_there_is_named(tmp_path: Path, listed: str, there: str) -> None:
    touch(tmp_path, there)
    if (tmp_path / listed).exists():
        pytest.skip("this file system takes both names for one")
    message = fault(table(tmp_path, f"path,label\n{listed},x\n"))
    assert f"{listed!a}; a file is there whose name differs only in how it is typed: {there!a}" in message
    other = fault(table(tmp_path, "path,label\nimg_3.png,x\n"))
    assert "typed" not in other
