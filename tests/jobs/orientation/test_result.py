"""The result in Python, from an array and from a file."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.directions.scenes import wires

import graticule
from graticule.errors import ImageError, OptionError


def test_an_array_and_its_file_say_the_same(tmp_path: Path) -> None:
    picture = np.clip(wires(35, share=0.7), 0, 255).astype(np.uint8)
    PIL.Image.fromarray(picture).save(tmp_path / "a.png")
    by_array, by_file = (
        graticule.orientation(picture, direction=35),
        graticule.orientation(tmp_path / "a.png", direction=35),
    )
    assert by_array.verdict == "direction"
    assert by_array.direction == by_file.direction == pytest.approx(35, abs=1)
    assert (by_array.share, by_array.order) == (by_file.share, by_file.order)
    assert by_array.lgo_fiji is None
    assert graticule.orientation(picture, method="lgo-fiji").lgo_fiji is not None
    assert not by_array.info_bar_cut


def test_it_shows_itself() -> None:
    shown = graticule.orientation(wires(35, share=0.7))._repr_html_()
    assert "The preferred direction is 3" in shown
    assert "<svg" in shown
    assert "data:image/" in shown
    assert "<td>share</td>" in shown


def test_a_mask_and_what_cannot_be(tmp_path: Path) -> None:
    picture = wires(35, share=0.9)
    mask = np.ones(picture.shape)
    mask[:, 100:] = 0
    assert graticule.orientation(picture, mask=mask).direction == pytest.approx(35, abs=3)
    with pytest.raises(OptionError, match="both as files or both as arrays"):
        graticule.orientation(picture, mask="mask.png")
    with pytest.raises(OptionError, match="both as files or both as arrays"):
        graticule.orientation("a.png", mask=mask)
    with pytest.raises(OptionError, match="did you mean sigma"):
        graticule.orientation(picture, sigm=2)
    with pytest.raises(ImageError, match="No such file"):
        graticule.orientation(tmp_path / "none.png")
