"""The face of the phantoms: the characters that they write, drawn as by the whole DejaVu Sans."""

import hashlib

import numpy as np
import pytest
from PIL import Image, ImageDraw, features

from graticule.phantoms.infobar import MAKES, Acquisition, stamp
from graticule.phantoms.lettering import font

# of bars drawn with the face as it is published; libraqm, where Pillow finds it, sets letters by other tables
GOLDEN = {
    True: "0d39f7510a57039a37a0077a6e49f3e511897d2dd20f667dd23aa420791c7ffa",
    False: "ad36d7d7bd91fced56769e289808b18ecbc731c6fe879e8ad463a6767a6e1690",
}


@pytest.mark.parametrize("character", [*map(chr, range(0x21, 0x7F)), "µ"])
def test_the_face_has_every_character(character: str) -> None:
    missing, drawn = font(20).getmask("\uffff"), font(20).getmask(character)
    assert any(drawn)
    assert bytes(drawn) != bytes(missing)


def test_bars_are_drawn_as_with_the_whole_face() -> None:
    digest = hashlib.sha256()
    for i, make in enumerate(sorted(MAKES)):
        shot = Acquisition(37.5 * (i + 1), 5.0 + i, 8.2 + 0.7 * i, 1234 + 1111 * i)
        digest.update(stamp(np.full((512, 512), 117, np.uint8), make, shot))
    assert digest.hexdigest() == GOLDEN[features.check("raqm")]


def test_a_size_may_be_a_fraction() -> None:
    assert font(10.0).getlength("kV") < font(10.5).getlength("kV") < font(11.0).getlength("kV")
    panel = Image.new("L", (40, 20))
    ImageDraw.Draw(panel).text((2, 2), "kV", fill=255, font=font(10.5))
    assert np.asarray(panel).max() == 255
