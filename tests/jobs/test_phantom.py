"""The verb's body: a folder is made once and whole, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from graticule.errors import OptionError, RunError
from graticule.jobs.phantom import phantom
from graticule.phantoms.families import FAMILIES
from graticule.phantoms.labelled import LabelledFamily
from graticule.phantoms.options import PhantomOptions
from graticule.phantoms.powder import Micrograph


@pytest.fixture(autouse=True)
def fake_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that costs nothing: what is tested here is the folder, not the images."""
    blank = Micrograph(np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint16), "P001", 1.0, "SEM-1")
    monkeypatch.setitem(FAMILIES, "blank", LabelledFamily("blank", "black images", ("a", "b"), lambda *_: blank))


def test_a_new_or_empty_folder_is_filled_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    record = phantom("blank", tmp_path / "out", PhantomOptions(n_per_class=1))
    assert record["n"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "phantom.json").is_file()


@pytest.mark.parametrize("name", ["full", "file"])
def test_an_existing_folder_or_file_is_refused_by_name_and_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("kept")
    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunError, match=rf"{name} exists already"):
        phantom("blank", tmp_path / name, PhantomOptions(n_per_class=1))
    assert (tmp_path / "full" / "precious.txt").read_text() == "kept"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "full"]


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        phantom("blank", tmp_path / "out", PhantomOptions(n_per_class=1), stop)
    assert list(tmp_path.iterdir()) == []


def test_a_faulty_option_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        phantom("sand", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write the phantom"):
        phantom("blank", tmp_path / "file" / "out", PhantomOptions(n_per_class=1))
