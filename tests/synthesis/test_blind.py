"""A blind test: as many real as generated images, nothing in a file that tells them apart, some twice."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.arrays import Pixels, object_array
from graticule.errors import ManifestError
from graticule.files import sha256_file
from graticule.synthesis.blind import draw_blind, images_of_test, is_blind_test, read_truth, write_blind

N = 40


def pixels(place: int) -> Pixels:
    return np.random.default_rng(place).integers(0, 256, (12, 12, 3), dtype=np.uint8)


@pytest.fixture
def test(tmp_path: Path) -> Path:
    """A test of two classes, with files of the generated images behind those of the real ones."""
    label = object_array(["oil", "air"] * (N // 2))
    draw = draw_blind(label, label, 0)
    assert draw is not None
    (tmp_path / "blind").mkdir()
    about = [(str(name), f"{i}.tif") for i, name in enumerate([*label, *label])]
    write_blind(tmp_path / "blind", tmp_path / "truth.csv", draw, N, pixels, about, 0)
    return tmp_path / "blind"


def test_kinds_and_classes_are_balanced_and_a_clue_is_never_asked() -> None:
    real = object_array(["oil"] * 100 + ["air"] * 8)
    generated = object_array(["oil"] * 90 + ["air"] * 30 + ["dust"] * 20)
    draw = draw_blind(real, generated, 3)
    assert draw is not None
    made = draw.asked >= len(real)
    assert made.sum() == (~made).sum() == 50
    label = np.concatenate([real, generated])
    assert sorted(label[draw.asked[made]]) == sorted(label[draw.asked[~made]])
    assert "dust" not in label[draw.asked]
    assert not set(draw.asked) & set(draw.clue)
    assert len(set(draw.twice)) == 10
    assert set(draw.twice) <= set(draw.asked)
    # each class is among the clues, as often as there are images of it
    assert sorted(label[draw.clue]).count("air") == 12
    assert draw_blind(real[:9], generated, 0) is None


def test_a_file_tells_nothing_but_its_pixels(test: Path) -> None:
    names = images_of_test(test)
    assert is_blind_test(test)
    truth = read_truth(test.parent / "truth.csv")
    assert len(names) == len(truth) == 64 + 10
    assert names == [f"{i:03d}.png" for i in range(1, 75)]
    kinds = [truth[sha256_file(test / name)].kind for name in names]
    assert kinds.count("real") == pytest.approx(37, abs=5)
    # neither the order nor anything in the file but the pixels depends on the kind
    assert kinds != sorted(kinds)
    images = [PIL.Image.open(io.BytesIO((test / name).read_bytes())) for name in names]
    heads = {(image.format, image.mode, image.size, *image.info) for image in images}
    assert heads == {("PNG", "RGB", (12, 12), "Comment")}
    assert {file.name for file in test.iterdir()} == {*names, "blind.json", "DONE"}
    assert "generated" not in "".join((test / "blind.json").read_text("utf-8").split('"choices"')[0])


def test_an_image_that_comes_twice_is_two_files_of_the_same_pixels(test: Path) -> None:
    truth = read_truth(test.parent / "truth.csv")
    by_source: dict[str, list[Path]] = {}
    for name in images_of_test(test):
        by_source.setdefault(truth[sha256_file(test / name)].source, []).append(test / name)
    twice = [files for files in by_source.values() if len(files) == 2]
    assert len(twice) == 10
    for first, second in twice:
        assert first.read_bytes() != second.read_bytes()
        a, b = (np.asarray(PIL.Image.open(io.BytesIO(file.read_bytes()))) for file in (first, second))
        assert (a == b).all()
    assert sum(image.again for image in truth.values()) == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,label\na,b\n", "it lacks sha256, file"),
        ("sha256,file,kind,label,source,again\nab,1.png,fake,a,b,\n", "kinds fake"),
        ("sha256,file,kind,label,source,again\n", "no row"),
    ],
)
def test_another_table_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ManifestError, match=rf"{words}.*blind-truth\.csv"):
        read_truth(tmp_path / "t.csv")
