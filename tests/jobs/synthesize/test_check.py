"""`synthesize --check` as a function: what it writes, with and without a table of parents, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.synthesize import drawn

from graticule.errors import GraticuleError, ManifestError, OptionError
from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.check import check_generated
from graticule.manifest import Manifest
from graticule.sources.sources import read_manifest
from graticule.sources.synthetic import read_synthetic, with_synthetic
from graticule.split.gate import admitted
from graticule.split.parents_table import read_parents


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    for name in ("real", "new", "copied"):
        drawn.write(folder / name, getattr(drawn, name))
    drawn.parents(folder / "real", folder / "parents.csv")
    for name in ("new", "copied"):
        drawn.listed(folder / name, folder / f"{name}.csv")
    return folder


@pytest.fixture(scope="module")
def fine(place: Path) -> dict[str, Any]:
    """The judgement of new images, in the folder "judged"."""
    return check_generated(place / "new.csv", place / "real", place / "judged", SynthesizeOptions(workers=1))


def test_copies_are_refused_and_new_images_are_not(place: Path, tmp_path: Path, fine: dict[str, Any]) -> None:
    found = check_generated(place / "copied.csv", place / "real", tmp_path / "copied", SynthesizeOptions(workers=1))
    assert [one["verdict"] for one in fine["classes"]] == ["use not tested"] * 2
    assert [one["verdict"] for one in found["classes"]] == ["refused"] * 2
    for one in found["classes"]:
        assert (one["n_generated"], one["n_parents"], one["n_held_out"]) == (24, drawn.SEEN, drawn.HELD)
        assert one["copied_one_by_one"]["n"] >= 11
    out = place / "judged"
    assert json.loads((out / "gate.json").read_text())["classes"] == fine["classes"]
    # what is written can be read as data, wherever the images lie
    table = read_manifest(out / "manifest.parquet")
    assert set(table.columns["origin"]) == {"synthetic"}
    assert all(file.is_file() for file in table.files())
    flagged = sum(one["copied_one_by_one"]["n"] for one in fine["classes"])
    gates = table.columns["gate"].tolist()
    assert (gates.count("refused"), gates.count("use not tested")) == (flagged, 48 - flagged)
    seen = read_parents(out / "manifest.parquet", table, "auto")
    assert seen is not None
    assert {name: len(hashes) for name, hashes in seen.items()} == {"g": 2 * drawn.SEEN}
    assert "May these generated images train?" in (out / "report.html").read_text(encoding="utf-8")
    assert (out / "DONE").exists()
    told = json.loads((out / "run.json").read_text())
    assert told["command"].startswith("graticule synthesize --check ")
    assert told["parents_known"] is True


def test_without_a_table_all_of_the_data_are_parents(place: Path, tmp_path: Path) -> None:
    found = check_generated(place / "copied", place / "real", tmp_path / "out", SynthesizeOptions(workers=1))
    for one in found["classes"]:
        assert (one["n_parents"], one["n_held_out"]) == (drawn.SEEN + drawn.HELD, 0)
        assert one["verdict"] == "refused"
        assert one["copied_as_a_set"]["p"] is None
        assert "there are 0" in " ".join(one["reasons"])
    assert json.loads((tmp_path / "out" / "run.json").read_text())["parents_known"] is False


def test_further_images_that_no_generator_saw(place: Path, tmp_path: Path) -> None:
    drawn.write(tmp_path / "more", lambda kind: drawn.KINDS[kind](drawn.blobs(30, 300 + len(kind))))
    options = SynthesizeOptions(held_out=tmp_path / "more", workers=1)
    found = check_generated(place / "new", place / "real", tmp_path / "out", options)
    for one in found["classes"]:
        assert (one["n_parents"], one["n_held_out"]) == (drawn.SEEN + drawn.HELD, 30)
        assert one["copied_as_a_set"]["p"] is not None


def test_the_same_seed_writes_the_same(place: Path, tmp_path: Path, fine: dict[str, Any]) -> None:
    again = check_generated(place / "new.csv", place / "real", tmp_path / "out", SynthesizeOptions(workers=2))
    assert again["classes"] == fine["classes"]
    gates = [Manifest.read(out / "manifest.parquet").columns["gate"] for out in (place / "judged", tmp_path / "out")]
    assert gates[0].tolist() == gates[1].tolist()


def test_a_file_that_cannot_be_read_stops_nothing(place: Path, tmp_path: Path) -> None:
    drawn.write(tmp_path / "made", drawn.new)
    (tmp_path / "made" / "dark" / "broken.png").write_bytes(b"no picture")
    found = check_generated(tmp_path / "made", place / "real", tmp_path / "out", SynthesizeOptions(workers=1))
    assert [path for path, _ in found["failures"]] == ["dark/broken.png"]
    assert [one["n_generated"] for one in found["classes"]] == [24, 24]
    assert "broken.png" in (tmp_path / "out" / "failures.csv").read_text()


def test_what_is_refused_says_what_would_work(place: Path, tmp_path: Path) -> None:
    drawn.write(tmp_path / "made", drawn.new)
    (tmp_path / "made" / "dark").rename(tmp_path / "made" / "oil, dark")
    with pytest.raises(ManifestError, match=r"'oil, dark'.*allowed are folders named 'bright', 'dark'"):
        check_generated(tmp_path / "made", place / "real", tmp_path / "out", SynthesizeOptions(workers=1))
    drawn.parents(place / "new", tmp_path / "parents.csv")
    with pytest.raises(ManifestError, match="saw none of the real images"):
        check_generated(
            place / "new.csv",
            place / "real",
            tmp_path / "out",
            SynthesizeOptions(parents=str(tmp_path / "parents.csv"), workers=1),
        )
    (tmp_path / "empty" / "dark").mkdir(parents=True)
    with pytest.raises(GraticuleError):
        check_generated(tmp_path / "empty", place / "real", tmp_path / "out", SynthesizeOptions(workers=1))
    with pytest.raises(OptionError):
        check_generated(place / "new", place / "real", place / "new" / "out", SynthesizeOptions(workers=1))
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("fine")
def test_what_was_judged_goes_on_into_training(place: Path) -> None:
    made = read_synthetic(place / "judged")
    known = with_synthetic(read_manifest(place / "real"), made)
    kept, notes = admitted(known, allow_unproven=True)
    refused = made.columns["gate"].tolist().count("refused")
    assert len(kept) == len(known) - refused
    assert "not copies" in " ".join(notes)
    with pytest.raises(ManifestError, match="use not tested"):
        admitted(known, allow_unproven=False)
