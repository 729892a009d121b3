"""TGA: told by its header with a name or footer."""

from __future__ import annotations

import numpy as np
from tests.formats.pictures import RGB, SMOOTH, read, refused, saved


def test_tga_needs_a_plausible_header_and_a_name_or_footer() -> None:
    data = saved(RGB, "TGA")
    bare = data.removesuffix(b"TRUEVISION-XFILE.\0")
    np.testing.assert_array_equal(read(data).pixels, RGB)
    np.testing.assert_array_equal(read(bare, "picture.tga").pixels, RGB)
    assert refused(bare, "by its first bytes", "picture.png")
    assert refused(b"\0\0\x07" + bare[3:], "by its first bytes", "picture.tga")
    assert refused(data[:60], "rows of the TGA file are missing", "picture.tga")
    packed = saved(SMOOTH, "TGA", compression="tga_rle")
    np.testing.assert_array_equal(read(packed).pixels, SMOOTH)
    assert refused(packed[: len(packed) // 2], "cannot be decoded", "picture.tga")
