"""How a data set is read is settled by all of its images, not by those that come first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from graticule.errors import ImageError
from graticule.images import reading
from graticule.images.decode import ImageFile, decode_file
from graticule.images.facts import Facts
from graticule.images.options import ReadingOptions
from graticule.images.reading import Look, Reading, settle_reading

N = 150
# of the images that differ; none is in a sample of 64 evenly spread ones
PLACES = tuple(sorted(set(range(N)) - set(np.linspace(0, N - 1, 64).astype(int).tolist()))[::20])


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were looked at, in this process instead of in workers, which take seconds to start."""
    seen: list[Path] = []

    def here(
        function: Callable[[ImageFile], Look | None],
        files: Sequence[ImageFile],
        lost: Callable[[str], Look | None],
        **_: object,
    ) -> Iterator[Look | None]:
        for file in files:
            seen.append(file.path)
            try:
                yield function(file)
            except ImageError as error:
                yield lost(error.cause)

    monkeypatch.setattr(reading, "in_workers", here)
    return seen


def dark(i: int, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(i).integers(40, 4000, (12, 12)).astype(dtype)


def bright(i: int, dtype: type = np.uint16) -> np.ndarray:
    return (dark(i).astype(float) * 15).astype(dtype)


def folder_of(folder: Path, n: int, places: tuple[int, ...], dtype: type = np.uint16) -> list[ImageFile]:
    files = []
    for i in range(n):
        file = folder / f"{i:03d}.tif"
        tifffile.imwrite(file, (bright if i in places else dark)(i, dtype))
        files.append(ImageFile(file))
    return files


def settled(files: list[ImageFile], **options: str) -> Reading:
    return settle_reading(files, 16, ReadingOptions(**options), workers=1)


def shares(files: list[ImageFile], found: Reading) -> list[float]:
    return [max(Facts.from_bytes(decode_file(file, found.preprocessing).facts).outside) for file in files]


@pytest.mark.parametrize("places", [PLACES[:1], PLACES])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_the_window_holds_images_beyond_the_sample(
    looked_at: list[Path], tmp_path: Path, dtype: type, places: tuple[int, ...]
) -> None:
    scale = 0.5 if dtype == np.int16 else 1.0
    files = folder_of(tmp_path, N, places)
    for file in files:
        tifffile.imwrite(file.path, (tifffile.imread(file.path) * scale).astype(dtype))
    found = settled(files)
    assert max(shares(files, found)) == 0.0
    assert "150 images" in found.intensity_words
    assert any(f"holds {len(places)} of 150" in note and f"{places[0]:03d}.tif" in note for note in found.notes)


def test_the_answer_does_not_depend_on_where_the_bright_images_are(looked_at: list[Path], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    windows = [
        settled(folder_of(tmp_path / name, N, places)).preprocessing.intensity.windows
        for name, places in (("a", (0,)), ("b", PLACES[:1]))
    ]
    assert windows[0] == windows[1] == (("16 bit", 0.0, 65535.0),)


def test_percentiles_of_a_dim_data_set_are_those_of_all_images(looked_at: list[Path], tmp_path: Path) -> None:
    files = []
    for i in range(N):
        file = tmp_path / f"{i:03d}.tif"
        low = 30_500 if i in PLACES else 30_000
        tifffile.imwrite(file, np.random.default_rng(i).integers(low, low + 900, (12, 12)).astype(np.uint16))
        files.append(ImageFile(file))
    found = settled(files)
    assert max(shares(files, found)) < 0.02  # one value of 144 may lie beyond a percentile
    assert found.preprocessing.intensity.windows[0][2] > 31_300
    assert "150 images" in found.intensity_words


def test_where_no_value_can_lie_outside_a_sample_is_enough(looked_at: list[Path], tmp_path: Path) -> None:
    files = folder_of(tmp_path, N, tuple(range(N)))
    found = settled(files)
    assert len(looked_at) == len(set(looked_at)) == 64
    assert found.preprocessing.intensity.windows == (("16 bit", 0.0, 65535.0),)
    assert "64 images; none of 86 others can hold a value outside" in found.intensity_words
    assert found.notes == ()


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
@pytest.mark.parametrize("policy", ["auto", "full", "image", "0:99"])
def test_images_of_8_bits_are_not_looked_at(looked_at: list[Path], tmp_path: Path, suffix: str, policy: str) -> None:
    files = [ImageFile(tmp_path / f"{i}.{suffix}") for i in range(5)]
    for file in files:
        PIL.Image.fromarray(np.zeros((8, 8), np.uint8)).save(file.path)
    settled(files, intensity=policy)
    assert not looked_at


def test_a_rare_kind_among_others_gets_its_own_window(looked_at: list[Path], tmp_path: Path) -> None:
    files = folder_of(tmp_path, N, tuple(range(N)))
    odd = tmp_path / "odd.tif"
    tifffile.imwrite(odd, np.random.default_rng(0).random((12, 12)).astype(np.float32) * 250)
    found = settled([*files[:77], ImageFile(odd), *files[77:]])
    assert {kind: high for kind, _, high in found.preprocessing.intensity.windows} == {
        "16 bit": 65535.0,
        "32 bit float": 255.0,
    }
    assert not decode_file(ImageFile(odd), found.preprocessing).error


def test_a_given_window_holds_for_kinds_that_nobody_looked_at(looked_at: list[Path], tmp_path: Path) -> None:
    files = folder_of(tmp_path, 3, ())
    found = settled([], intensity="0:5000")
    facts = Facts.from_bytes(decode_file(files[0], found.preprocessing).facts)
    assert found.intensity_words == "values from 0 to 5000, as asked for"
    assert facts.outside == (0.0, 0.0)
    tifffile.imwrite(files[1].path, bright(1))
    assert Facts.from_bytes(decode_file(files[1], found.preprocessing).facts).outside[1] > 0.5


def test_files_that_cannot_be_read_settle_nothing(looked_at: list[Path], tmp_path: Path) -> None:
    files = folder_of(tmp_path, 4, ())
    files[0].path.write_bytes(b"II*\0broken")
    nan = np.full((4, 4), np.nan, np.float32)
    tifffile.imwrite(files[1].path, nan)
    found = settled([*files, ImageFile(tmp_path / "gone.tif")])
    assert found.preprocessing.intensity.windows == (("16 bit", 0.0, 4095.0),)
    assert "2 images" in found.intensity_words


def test_a_physical_scale_is_settled_by_what_the_table_says(looked_at: list[Path], tmp_path: Path) -> None:
    files = [ImageFile(file.path, 2.0) for file in folder_of(tmp_path, 3, ())]
    assert settled(files, scale="physical").preprocessing.scale_nm == pytest.approx(2.0 * 12 / 16)


def test_a_file_that_would_fill_the_memory_harms_a_worker_at_most(tmp_path: Path) -> None:
    files = folder_of(tmp_path, 5, ())
    claim = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="4" SizeY="4" SizeZ="50000" SizeC="1" '
        'SizeT="50000"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1"/></Pixels>'
        "</Image></OME>"
    )
    tifffile.imwrite(files[2].path, np.zeros((4, 4), np.uint16), description=claim, metadata=None)
    counted: list[tuple[int, int]] = []
    found = settle_reading(
        files, 16, ReadingOptions(), workers=1, progress=lambda done, total: counted.append((done, total))
    )
    assert found.preprocessing.intensity.windows == (("16 bit", 0.0, 4095.0),)
    assert counted == [(n, 5) for n in range(1, 6)]
