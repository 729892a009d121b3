"""What cannot be learnt from is refused with what would work."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.jobs.synthesize import drawn

from graticule.errors import FoldError, GraticuleError, ManifestError, OptionError
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.judge import judging_encoder, real_images
from graticule.jobs.synthesize.material import Material, check_classes, drawn_rows, gather, picture_on_canvas
from graticule.progress import Silent

OPTIONS = SynthesizeOptions(classes="dark", workers=1)


def gathered(data: Path, options: SynthesizeOptions = OPTIONS) -> Material:
    real = real_images(data, None, options)
    return gather(real, judging_encoder(real, options, Silent()), options, Silent())


def listed(folder: Path, group: str) -> Path:
    with (folder / "data.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("path", "label", "group"))
        for i, image in enumerate(sorted((folder / "real").glob("*/*.png"))):
            rows.writerow((image.relative_to(folder).as_posix(), image.parent.name, group.format(i % 4)))
    return folder / "data.csv"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    drawn.write(tmp_path / "real", drawn.real)
    return tmp_path


def test_canvases_folds_and_sizes(place: Path) -> None:
    found = gathered(place / "real")
    assert found.canvases.shape == (120, 32, 32)
    assert (set(found.heights), set(found.widths)) == ({23}, {24})
    assert set(found.fold) == {0, 1, 2}
    assert (found.classes, found.rare, found.by_group) == (("bright", "dark"), [1], False)
    rows = drawn_rows(found, np.arange(120), 80, 0)
    assert len(rows) == 80
    assert (found.y[rows] == 1).sum() == 60


def test_folds_follow_groups_where_there_are_any(place: Path) -> None:
    found = gathered(listed(place, "day {}"))
    assert found.by_group
    days = np.asarray(found.samples.manifest.group)
    assert all(len(set(found.fold[days == day])) == 1 for day in set(days))
    with pytest.raises(FoldError, match="all images are of one group"):
        gathered(listed(place, "day"))


@pytest.mark.parametrize(("classes", "words"), [("oil", "'oil' is none of the data"), ("", "none was given")])
def test_classes_that_are_not_there(place: Path, classes: str, words: str) -> None:
    real = real_images(place / "real", None, OPTIONS)
    with pytest.raises(OptionError, match=words):
        check_classes(real, replace(OPTIONS, classes=classes))


def test_too_few_of_a_class(place: Path) -> None:
    for file in sorted((place / "real" / "dark").glob("*.png"))[19:]:
        file.unlink()
    with pytest.raises(ManifestError, match=r"'dark' has 19 images; a generator needs 20"):
        check_classes(real_images(place / "real", None, OPTIONS), OPTIONS)


def test_images_much_larger_than_the_canvas(place: Path) -> None:
    for file in (place / "real").glob("*/*.png"):
        with PIL.Image.open(file) as image:
            image.resize((90, 90)).save(file)
    with pytest.raises(OptionError, match="90 px, more than twice the canvas of 32 px"):
        gathered(place / "real", replace(OPTIONS, size=32))


def test_sixteen_bits_are_refused_with_a_way_out(place: Path) -> None:
    for file in (place / "real").glob("*/*.png"):
        values = np.asarray(PIL.Image.open(file)).astype(np.uint16) * 100
        PIL.Image.fromarray(values).save(file)
    with pytest.raises(GraticuleError, match="Convert the images to 8 bits"):
        gathered(place / "real")


def test_a_grey_image_among_colours_is_coloured(place: Path) -> None:
    for file in sorted((place / "real").glob("*/*.png"))[::2]:
        grey = np.asarray(PIL.Image.open(file))
        PIL.Image.fromarray(np.stack([grey, grey // 2, grey // 3], axis=2)).save(file)
    assert gathered(place / "real").canvases.shape == (120, 32, 32, 3)


def test_a_large_picture_is_shrunk_onto_the_canvas(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.full((80, 40), 7, np.uint8)).save(tmp_path / "a.png")
    found = picture_on_canvas(ImageFile(tmp_path / "a.png"), Preprocessing(96), 32)
    assert not isinstance(found, str)
    assert (found[0].shape, found[1:]) == ((32, 32), (32, 16))
