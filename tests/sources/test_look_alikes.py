"""A listed file that is not there, and the one beside it whose name differs only in how it is typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.sources.inputs import fault, table, touch

from graticule.sources.look_alikes import look_alike, typed_otherwise


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


def test_of_several_the_first_by_code_point_and_no_folder(tmp_path: Path) -> None:
    touch(tmp_path, "d/IMG.png", "d/Img.png", "D2/x.png/y")
    wanted = os.fspath(tmp_path / "d" / "img.png")
    if Path(wanted).exists():
        pytest.skip("this file system takes both names for one")
    assert look_alike(wanted) == os.fspath(tmp_path / "d" / "IMG.png")
    assert look_alike(os.fspath(tmp_path / "d2" / "X.png")) is None
    assert look_alike(os.fspath(tmp_path / "d" / "other.png")) is None
    assert look_alike(os.fspath(tmp_path / "a\0b")) is None
    assert "Pr\\xe4parat" in typed_otherwise("Pr\u00e4parat")


def test_names_that_come_later_are_seen(tmp_path: Path) -> None:
    wanted = os.fspath(tmp_path / "a b.png")
    assert look_alike(wanted) is None
    touch(tmp_path, "a  b.png")
    os.utime(tmp_path, (1, 1))  # two changes within one tick of the clock look like one
    assert look_alike(wanted) == os.fspath(tmp_path / "a  b.png")
