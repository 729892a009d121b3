"""Read DICOM of every photometric interpretation in every transfer syntax and compare with the uncompressed twin.

    python benchmarks/dicom_matrix.py

The files are those of the tests (`tests/formats/dicoms.py`): depths 8, 10, 12 and 16, signed and not, planes side by
side and one by one, one frame and three, rubbish in the bits that do not count. Prints a table of photometric
interpretation by syntax: files whose every frame equals the twin of explicit little-endian, the formula of the
standard, and stays in the range that its bits say. Then the largest error of lossy files, in per cent of the range. To
reach: all equal.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.formats import dicoms


def frames_of(data: bytes, count: int) -> list[Image]:
    """Every frame of a file; none when it cannot be read."""
    try:
        return [decode_image(data, "picture.dcm", Selection(z=z)) for z in range(count)]
    except ImageError:
        return []


def in_range(image: Image) -> bool:
    """Whether each value lies in the range that the bits of the image say."""
    sign = image.pixels.dtype.kind == "i"
    low, top = (-(2 ** (image.bits - 1)), 2 ** (image.bits - 1)) if sign else (0, 2**image.bits)
    return bool(image.pixels.min() >= low and image.pixels.max() < top)


def main() -> None:
    """Run and print the figures."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    equal: Counter[tuple[str, str]] = Counter()
    files: Counter[tuple[str, str]] = Counter()
    worst: Counter[str] = Counter()
    for kind in dicoms.kinds():
        made = dicoms.twins(kind)
        plain = frames_of(made["explicit"], kind.frames)
        truth = dicoms.expected(kind, dicoms.samples_of(kind))
        for name, data in made.items():
            read = frames_of(data, kind.frames)
            same = len(read) == kind.frames and all(
                np.array_equal(one.pixels, twin.pixels) and np.array_equal(one.pixels, right) and in_range(one)
                for one, twin, right in zip(read, plain, truth, strict=True)
            )
            files[kind.photometric, name] += 1
            equal[kind.photometric, name] += same
        if kind.photometric == "PALETTE COLOR":
            continue
        truth = dicoms.expected(kind, dicoms.samples_of(kind, smooth=True))
        for name, data in dicoms.lossy_twins(kind).items():
            read = frames_of(data, kind.frames)
            error = max((np.abs(one.pixels - right).max() for one, right in zip(read, truth, strict=False)), default=-1)
            lost = 100.0 * float(error) / 2**kind.bits if len(read) == kind.frames else 100.0
            worst[name] = max(worst[name], lost)  # type: ignore[assignment]
    names = list(dict.fromkeys(name for _, name in files))
    print("| photometric interpretation | " + " | ".join(names) + " |")
    for photometric in dict.fromkeys(photometric for photometric, _ in files):
        cells = [f"{equal[photometric, name]} of {files[photometric, name]}" for name in names]
        print(f"| {photometric} | " + " | ".join("" if cell == "0 of 0" else cell for cell in cells) + " |")
    print(f"{equal.total()} of {files.total()} files equal the uncompressed twin")
    print("largest error of lossy files: " + ", ".join(f"{name} {lost:.1f} %" for name, lost in worst.items()))


if __name__ == "__main__":
    main()
