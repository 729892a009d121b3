"""Pictures of a review: made anew, kept, refused once, and told from files that changed."""

from __future__ import annotations

import hashlib
import io
import threading
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.errors import ImageError
from graticule.images.shown import Shown
from graticule.review.pictures import THUMB_SIDE, ReviewPictures, encoded, over_whole


class _Reader:
    """Reads with Pillow and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, file: Path) -> Shown:
        self.asked += 1
        try:
            return Shown(np.asarray(PIL.Image.open(file)), None, None)
        except OSError as error:
            raise ImageError(str(file), "no image") from error


@pytest.fixture
def reader() -> _Reader:
    return _Reader()


@pytest.fixture
def pictures(tmp_path: Path, reader: _Reader) -> ReviewPictures:
    """A picture of 400 x 300, and a file that is none."""
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    PIL.Image.new("RGB", (400, 300), (9, 90, 200)).save(files[0])
    files[1].write_bytes(b"none")
    sha256 = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return ReviewPictures(files, sha256, files[:1], reader, tmp_path / "cache")


def size(data: bytes) -> tuple[int, int]:
    return PIL.Image.open(io.BytesIO(data)).size


def test_a_file_is_read_once_for_all_sides(pictures: ReviewPictures, reader: _Reader) -> None:
    assert size(pictures.image(0)[0]) == (400, 300)
    assert size(pictures.image(0, 100)[0]) == (100, 75)
    assert size(pictures.thumbnail(0)) == (THUMB_SIDE, THUMB_SIDE * 3 // 4)
    assert reader.asked == 1


def test_a_file_that_cannot_be_read_is_tried_again_only_when_it_changes(
    pictures: ReviewPictures, reader: _Reader
) -> None:
    for _ in range(2):
        with pytest.raises(ImageError, match="no image"):
            pictures.shown(1)
    assert reader.asked == 1
    PIL.Image.new("L", (8, 8)).save(pictures.files[1])
    assert pictures.shown(1).pixels.shape == (8, 8)
    pictures.files[0].unlink()
    with pytest.raises(ImageError, match="No such file"):
        pictures.shown(0)


def test_thumbnails_are_kept_on_disk(pictures: ReviewPictures, reader: _Reader, tmp_path: Path) -> None:
    pictures.prepare_thumbnails(threading.Event())
    assert len(list((tmp_path / "cache").rglob("*.jpg"))) == 1
    first, asked = pictures.thumbnail(0), reader.asked
    other = ReviewPictures(pictures.files, pictures._sha256, [], reader, tmp_path / "cache")
    assert other.thumbnail(0) == first
    assert reader.asked == asked
    assert size(pictures.training_thumbnail(0)) == size(first)


def test_other_bytes_or_none_are_a_change(pictures: ReviewPictures) -> None:
    assert not pictures.is_changed(0)
    PIL.Image.new("L", (8, 8)).save(pictures.files[0])
    assert pictures.is_changed(0)
    pictures.files[1].unlink()
    assert pictures.is_changed(1)
    assert (pictures.can_explain, pictures.explanation(0, "a")) == (False, None)


@pytest.mark.parametrize(("bar", "rows"), [((80, 100), slice(40, 50)), ((0, 20), slice(0, 10))])
def test_a_map_leaves_the_info_bar_free(bar: tuple[int, int], rows: slice) -> None:
    seen = np.full((40, 60, 4), 7, np.uint8)
    placed = over_whole(seen, Shown(np.zeros((100, 120), np.uint8), None, bar))
    assert placed.shape == (50, 60, 4)
    assert not placed[rows].any()
    assert (np.delete(placed, rows, axis=0) == 7).all()
    assert over_whole(seen, Shown(np.zeros((100, 120), np.uint8), None, None)) is seen


def test_small_pictures_lose_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    data, kind = encoded(pixels)
    assert kind == "image/png"
    np.testing.assert_array_equal(np.asarray(PIL.Image.open(io.BytesIO(data))), pixels)
    assert encoded(pixels, always_jpeg=True)[1] == encoded(np.zeros((300, 300), np.uint8))[1] == "image/jpeg"
