"""Turned images: all seven other orientations, each once, of the row that is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.images.preprocess import Preprocessing
from graticule.jobs.study.turned import write_turned
from graticule.manifest import Manifest
from graticule.networks.catalogue import encoder_of
from graticule.progress import Silent


def preprocessing() -> Preprocessing:
    return encoder_of("efficientnet_lite0", views=1).preprocessing


def test_the_seven_other_orientations_are_written(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (20, 31), dtype=np.uint8)
    for name in ("a.png", "b.png"):
        Image.fromarray(picture).save(tmp_path / name)
    manifest = Manifest(tmp_path, object_array(["a.png", "b.png"]), object_array(["x", "y"]))
    made, of = write_turned(manifest, np.array([1]), tmp_path / "turned", preprocessing(), 1, Silent())
    assert of.tolist() == [1] * 7
    assert set(made.label) == {"y"}
    seen = {np.asarray(Image.open(made.root / path).convert("L")).tobytes() for path in made.path}
    expected = {np.rot90(one, k).tobytes() for one in (picture, picture[:, ::-1]) for k in range(4)}
    assert seen == expected - {picture.tobytes()}


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    manifest = Manifest(tmp_path, object_array(["a.png"]), object_array(["x"]))
    with pytest.raises(RunError, match=r"a\.png cannot be turned"):
        write_turned(manifest, np.array([0]), tmp_path / "turned", preprocessing(), 1, Silent())
