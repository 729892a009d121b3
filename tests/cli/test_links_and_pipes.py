"""Folders and files from elsewhere: links that lead to other files, pipes and devices that never answer or end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices with names are of POSIX systems")
Graticule = Callable[..., Any]
REFUSED = ("is a pipe, socket or device", "bytes are more than the", "not a regular file", "is not a file")


def pipe(file: Path) -> None:
    os.mkfifo(file)


def endless(file: Path) -> None:
    file.symlink_to("/dev/zero")


def nothing(file: Path) -> None:
    file.symlink_to(os.devnull)


def sparse(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(2**40)


ODD = [pipe, endless, nothing, sparse]


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    file = tmp_path / "thesis.tex"
    file.write_text("years of work")
    return file


@pytest.fixture
def foreign(run: Path, tmp_path: Path) -> Path:
    """A run folder that came from somewhere."""
    shutil.copytree(run, tmp_path / "foreign")
    return tmp_path / "foreign"


def put(odd: Callable[[Path], None], file: Path) -> Path:
    file.unlink(missing_ok=True)
    odd(file)
    return file


def refused(outcome: Any, file: Path) -> None:
    message = outcome.message()
    assert any(words in message for words in REFUSED), message
    assert file.name in message


def test_a_report_replaces_a_link_and_not_its_target(graticule: Graticule, foreign: Path, victim: Path) -> None:
    for name in ("report.html", "report.html.part", ".report.html.part", ".graticule-0000000000000000.part"):
        (foreign / name).unlink(missing_ok=True)
        (foreign / name).symlink_to(victim)
    assert graticule("report", foreign).code == 0
    assert victim.read_text() == "years of work"
    assert "<html" in (foreign / "report.html").read_text(encoding="utf-8")
    assert not (foreign / "report.html").is_symlink()


def test_an_output_file_is_never_a_link(graticule: Graticule, images: Path, victim: Path, tmp_path: Path) -> None:
    for target in (victim, tmp_path / "absent"):
        out = tmp_path / f"to-{target.name}.csv"
        out.symlink_to(target)
        assert "exists already" in graticule("embed", images, "--out", out, "--views", 1, "--workers", 1).message()
    assert victim.read_text() == "years of work"
    assert not (tmp_path / "absent").exists()


def test_a_marker_that_is_a_link_is_refused(graticule: Graticule, images: Path, victim: Path, tmp_path: Path) -> None:
    out = tmp_path / "half"
    out.mkdir()
    (out / "STARTED").symlink_to(victim)
    for more in ([], ["--method", "finetune", "--resume"]):
        assert "link" in graticule("train", images, "--out", out, *more).message()
    assert victim.read_text() == "years of work"


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["model/bundle.json", "model/model.onnx", "model/SHA256SUMS", "run.json"])
def test_a_run_with_an_odd_file(
    graticule: Graticule, foreign: Path, images: Path, tmp_path: Path, name: str, odd: Callable[[Path], None]
) -> None:
    file = put(odd, foreign / name)
    words = ("report", foreign) if name == "run.json" else ("predict", foreign, images, "--out", tmp_path / "p")
    outcome = graticule(*words)
    if odd is sparse and name == "model/SHA256SUMS":
        assert outcome.code == 2
    else:
        refused(outcome, file)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("odd", ODD)
def test_odd_tables_and_lists(
    graticule: Graticule, run: Path, images: Path, tmp_path: Path, odd: Callable[[Path], None]
) -> None:
    table, text = put(odd, tmp_path / "table.csv"), put(odd, tmp_path / "list.txt")
    parquet, store = put(odd, tmp_path / "record.parquet"), tmp_path / "labels.db"
    for outcome in (
        graticule("train", table, "--out", tmp_path / "out"),
        graticule("predict", run, text, "--out", tmp_path / "out"),
        graticule("predict", run, images, "--out", tmp_path / "out", "--prevalence", table),
        graticule("labels", "import", table, "--labels", store),
        graticule("labels", "verify", "--labels", parquet),
    ):
        assert outcome.code == 2, outcome
        assert "Traceback" not in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("odd", [pipe, endless, nothing])
def test_odd_images_in_a_table_of_labels(graticule: Graticule, tmp_path: Path, odd: Callable[[Path], None]) -> None:
    (tmp_path / "good.png").write_bytes(b"good")
    put(odd, tmp_path / "odd.png")
    (tmp_path / "labels.csv").write_text("path,label\ngood.png,a\nodd.png,b\n")
    outcome = graticule(
        "labels", "import", tmp_path / "labels.csv", "--labels", tmp_path / "labels.db", "--user", "ann"
    )
    assert outcome.code == 3, outcome
    assert "odd.png" in outcome.out + outcome.err
    assert "is a pipe, socket or device" in outcome.out + outcome.err
