"""The orientation in an EXIF block, read without trusting any other part of it (EXIF 2.32, TIFF 6.0)."""

import struct

_ORIENTATION = 0x0112


def exif_orientation(block: bytes) -> tuple[int, tuple[str, ...]]:
    """Orientation 1 to 8 of an EXIF block, and a note when the block is damaged.

    Parameters
    ----------
    block : bytes
        From the TIFF header on, with or without "Exif" and two zero bytes before it; may be empty.

    Returns
    -------
    orientation : int
        1 where none is given or the block cannot be read.
    notes : tuple of str
    """
    block = block.removeprefix(b"Exif\0\0")
    if not block:
        return 1, ()
    damaged = (1, ("the EXIF block is damaged and was passed over",))
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 10:
        return damaged
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    if not 8 <= start <= len(block) - 2:
        return damaged
    (count,) = struct.unpack_from(f"{order}H", block, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", block, entry)
        if tag == _ORIENTATION and number == 1 and kind in (3, 4):
            (value,) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", block, entry + 8)
            return (value if 1 <= value <= 8 else 1), ()
    return 1, ()
