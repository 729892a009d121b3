"""`graticule audit`: faults planted in a data set are named, in the page, the JSON and on the terminal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from graticule.phantoms.ultrasound import phantom_frame
from graticule.runs import DONE

PER_CLASS = 10
OPTIONS = ("--views", 1, "--workers", 1)


def textured(seed: int, size: int = 72) -> PIL.Image.Image:
    """A picture of its own: blobs of several sizes and noise."""
    rng = np.random.default_rng(seed)
    coarse = PIL.Image.fromarray(rng.integers(40, 216, (9, 9), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((size, size), PIL.Image.Resampling.BICUBIC)).astype(int)
    return PIL.Image.fromarray(np.clip(smooth + rng.integers(-12, 13, (size, size)), 0, 255).astype(np.uint8))


def write_classes(folder: Path, n: int = PER_CLASS) -> Path:
    """Two classes of n pictures that have nothing in common, the second as JPEG."""
    for k, (name, suffix) in enumerate((("grains", "png"), ("plates", "jpg"))):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            textured(1000 * k + i).save(folder / name / f"{i:02d}.{suffix}", quality=95)
    return folder


@pytest.fixture(scope="module")
def audited(
    tmp_path_factory: pytest.TempPathFactory, graticule: Callable[..., Any], in_session_cache: None
) -> tuple[Path, Any]:
    """What an audit of a set with a copy under two labels, a turned copy and a broken file left and printed."""
    place = tmp_path_factory.mktemp("audit")
    data = write_classes(place / "data", 24)
    shutil.copy(data / "grains" / "00.png", data / "plates" / "copy.png")
    turned = PIL.Image.open(data / "grains" / "01.png").transpose(PIL.Image.Transpose.ROTATE_90)
    turned.save(data / "grains" / "turned.png")
    (data / "plates" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    return place / "out", graticule("audit", data, "--out", place / "out", *OPTIONS)


def _document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "audit.json").read_text("utf-8"))
    return found


def test_the_run_completes_and_the_broken_file_is_listed(audited: tuple[Path, Any]) -> None:
    out, outcome = audited
    assert outcome.code == 3
    assert [row["path"] for row in _document(out)["unreadable"]] == ["plates/broken.jpg"]
    assert (out / "failures.csv").read_text("utf-8").splitlines()[1].startswith("plates/broken.jpg,")
    assert (out / DONE).is_file()


def test_a_picture_under_two_labels_is_a_conflict_and_the_first_thing_to_mend(audited: tuple[Path, Any]) -> None:
    document = _document(audited[0])
    (conflict,) = document["conflicts"]
    assert (conflict["a"], conflict["b"], conflict["kind"]) == ("grains/00.png", "plates/copy.png", "exact")
    assert conflict["labels"] == ["grains", "plates"]
    assert document["recommendations"][0]["rule"] == "conflicts"


def test_a_turned_copy_is_found_and_nothing_else(audited: tuple[Path, Any]) -> None:
    near = [row for row in _document(audited[0])["duplicates"] if row["kind"] == "near"]
    assert [(row["a"], row["b"]) for row in near] == [("grains/01.png", "grains/turned.png")]
    assert "rotated by 90 degrees" in near[0]["change"] or "rotated by 270 degrees" in near[0]["change"]


def test_the_file_format_that_gives_the_class_away_is_flagged(audited: tuple[Path, Any]) -> None:
    document = _document(audited[0])
    flagged = {row["cue"]: row for row in document["shortcuts"]}
    assert flagged["file format"]["accuracy"] > 0.9
    assert flagged["file format"]["nature"] == "acquisition"
    assert {"cue", "class", "strength", "low", "high", "accuracy", "chance", "advice"} <= set(flagged["file format"])
    assert "border" not in flagged


def test_the_json_has_the_fields_of_the_contract(audited: tuple[Path, Any]) -> None:
    document = _document(audited[0])
    assert document["schema_version"] == 1
    assert (document["n"], document["classes"]) == (51, {"grains": 25, "plates": 26})
    families = {tuple(row["paths"]): row for row in document["families"]}
    assert set(families) == {("grains/00.png", "plates/copy.png"), ("grains/01.png", "grains/turned.png")}
    assert families["grains/00.png", "plates/copy.png"]["labels"] == ["grains", "plates"]
    assert [(row["n"], row["kind"], row["complete"]) for row in families.values()] == [
        (2, "exact", True),
        (2, "near", True),
    ]
    assert document["components"]["two_labels"] == {"n": 1, "images": 2, "exact": 1, "near": 0}
    assert {"unreadable", "duplicates", "conflicts", "shortcuts", "leaks", "recommendations"} <= set(document)
    assert document["command"].startswith("graticule audit ")


def test_the_page_names_every_finding_and_loads_nothing(audited: tuple[Path, Any]) -> None:
    page = (audited[0] / "audit.html").read_text("utf-8")
    for text in ("copy.png", "turned.png", "broken.jpg", "file format"):
        assert text in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_the_terminal_tells_what_to_do(audited: tuple[Path, Any]) -> None:
    assert "what to do, most harmful first" in audited[1].out
    lines = " ".join(audited[1].out.split())
    assert "pictures under two labels 2 images in 1 family (1 identical)" in lines
    assert "repeated pictures 4 images in 2 families (1 identical, 1 nearly so)" in lines


def test_json_goes_to_standard_output_and_nothing_is_written(
    tmp_path: Path, graticule: Callable[..., Any], warm_cache: Path
) -> None:
    data = write_classes(tmp_path / "data", 6)
    outcome = graticule("audit", data, "--json", *OPTIONS)
    assert outcome.code == 0
    assert json.loads(outcome.out)["n"] == 12
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data"]


def test_an_audited_set_is_trained_on_without_decoding_it_again(
    tmp_path: Path, graticule: Callable[..., Any], warm_cache: Path
) -> None:
    data = write_classes(tmp_path / "data", 7)
    graticule("audit", data, *OPTIONS)
    outcome = graticule("train", data, "--out", tmp_path / "run", *OPTIONS, "--head", "logistic", "--folds", 2)
    assert "0 images decoded, 14 taken from the cache" in outcome.out


def test_an_existing_audit_is_refused_by_name(audited: tuple[Path, Any], graticule: Callable[..., Any]) -> None:
    out, _ = audited
    before = (out / "audit.json").read_bytes()
    message = graticule("audit", out.parent / "data", "--out", out).message()
    assert "finished audit" in message
    assert (out / "audit.json").read_bytes() == before


def test_options_out_of_range_are_told_together(tmp_path: Path, graticule: Callable[..., Any]) -> None:
    data = write_classes(tmp_path / "data", 2)
    message = graticule("audit", data, "--intensity", "loud", "--info-bar", "half", "--z", "top").message()
    for text in ("--intensity loud", "--info-bar half", "--z top"):
        assert text in message


def test_leaks_of_a_split_are_listed(tmp_path: Path, graticule: Callable[..., Any], warm_cache: Path) -> None:
    data = tmp_path / "data"
    for part, first in (("train", 0), ("test", 500)):
        for k, name in enumerate(("grains", "plates")):
            (data / part / name).mkdir(parents=True)
            for i in range(6):
                textured(1000 * k + first + i).save(data / part / name / f"{i}.png")
    textured(2).transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT).save(data / "test" / "grains" / "leak.png")
    document = json.loads(graticule("audit", data, "--json", *OPTIONS).out)
    (leak,) = document["leaks"]
    assert (leak["kind"], leak["parts"], leak["n"]) == ("near-duplicate", ["train", "test"], 2)
    assert "test/grains/leak.png" in leak["examples"]
    assert document["recommendations"][0]["rule"] == "leaks"


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ultrasound frames of two classes, one of which bears text and calipers, in front of the same tissue."""
    folder = tmp_path_factory.mktemp("frames") / "data"
    for name, first in (("bare", 0), ("marked", 12)):
        (folder / name).mkdir(parents=True)
        for i in range(first, first + 12):
            frame = phantom_frame(0, i, 0, marked=name == "marked", shape=(336, 448))[0]
            PIL.Image.fromarray(frame.pixels).save(folder / name / f"{i}.png")
    return folder


def test_marks_of_one_class_are_a_shortcut_in_the_audit_and_in_the_report_of_a_run(
    frames: Path, tmp_path: Path, graticule: Callable[..., Any], fast: tuple[str, ...]
) -> None:
    assert graticule("audit", frames, "--out", tmp_path / "audit", *OPTIONS).code == 0
    document = _document(tmp_path / "audit")
    (row,) = [row for row in document["shortcuts"] if row["cue"] == "burnt-in marks"]
    assert row["accuracy"] > 0.9
    assert document["marks"]["per_class"]["marked"]["n"] == document["marks"]["n"] == 12
    assert document["marks"]["per_class"]["bare"] == {"frames": 12, "n": 0, "area_outside": 0.0, "area_inside": 0.0}
    (advice,) = [item for item in document["recommendations"] if "burnt-in marks" in item["title"]]
    assert advice["harm"] == "high"
    assert "--marks mask" in advice["do"]
    page = (tmp_path / "audit" / "audit.html").read_text("utf-8")
    assert "Ultrasound frames with burnt-in marks" in page
    assert graticule("train", frames, "--out", tmp_path / "run", *fast, "--folds", 3).code == 0
    record = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert "burnt-in marks" in [row["cue"] for row in record["shortcuts"]]
    assert any("burnt-in marks" in text and "--marks mask" in text for text in record["warnings"])
    assert "The burnt-in marks tell" in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_masked_marks_are_no_cue(frames: Path, tmp_path: Path, graticule: Callable[..., Any]) -> None:
    assert graticule("audit", frames, "--out", tmp_path / "audit", *OPTIONS, "--marks", "mask").code == 0
    document = _document(tmp_path / "audit")
    assert "burnt-in marks" not in [row["cue"] for row in document["associations"]]
    assert document["marks"]["masked"]
    assert document["marks"]["n"] == 12
    assert any("--marks mask" in text for text in document["warnings"])
