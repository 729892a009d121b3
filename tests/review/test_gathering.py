"""How files are taken into a review: hashes, copies, folders."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from graticule.errors import RunError
from graticule.files import sha256_file
from graticule.progress import Silent
from graticule.review.gathering import first_of_each, hashes_of, left_out_note, shown_folder, tuples_of


def test_files_that_are_gone_have_no_hash(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    assert hashes_of([tmp_path / "a", tmp_path / "gone"], Silent()) == [sha256_file(tmp_path / "a"), ""]


def test_the_first_of_each_is_kept() -> None:
    assert first_of_each(["x", "y", "x", "z"], [0, 1, 2, 3]) == [0, 1, 3]
    assert left_out_note(0, "copies") == []
    assert left_out_note(1200, "copies") == ["1,200 copies are left out"]
    assert tuples_of(pa.chunked_array([[["a"], None]])) == (("a",), ())


def test_the_folder_that_was_predicted(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_text("x")
    assert shown_folder(tmp_path) == shown_folder(tmp_path / "one.png") == tmp_path
    with pytest.raises(RunError, match="cannot be found any more"):
        shown_folder(tmp_path / "gone")
