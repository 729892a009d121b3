"""Feed damaged image files to the reader and count what must not happen: crashes, hangs, untyped errors.

    python benchmarks/fuzz.py [--n 100000] [--seconds 600] [--folder FOLDER] [--keep FOLDER] [--seed 0]

Good files of every format are made here, small so that thousands a second can be tried; files of FOLDER up to 64 KiB
join them. Each input is one of them with 1 to 4 mutations: bits and bytes changed, cut short, pieces copied, removed
or put in, lengths replaced by extreme ones, checksums of PNG chunks made right again in half of the cases. Workers are
separate processes with a watchdog; a worker that dies is started again behind the input that killed it. Same seed, same
inputs.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import io
import logging
import multiprocessing
import os
import resource
import struct
import sys
import time
import traceback
import zlib
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import tifffile

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import decode_image

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests' DICOM files
EXTREME = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
SELECTIONS = (Selection(), Selection(z="max", channel=(0,), page=0), Selection(z=1, channel=(1,), page=1))
HANG_SECONDS = 10.0
READ, REFUSED, UNTYPED, CURRENT, SLOWEST_MS, PEAK_KIB = range(6)
Seeds = list[tuple[str, bytes]]


def saved(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    """Bytes written by Pillow."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels: np.ndarray[Any, Any], **options: Any) -> bytes:
    """Bytes written by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def made_seeds() -> Seeds:
    """Good files of every format as (name, bytes)."""
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)
    image, grey = PIL.Image.fromarray(rgb), PIL.Image.fromarray(rgb[:, :, 0])
    alpha, palette = image.convert("RGBA"), image.quantize(16)
    wide = rng.integers(0, 65536, (9, 13, 3), dtype=np.uint16)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    seeds = [
        ("a.jpg", saved(image, "JPEG", exif=exif)),
        ("b.jpg", saved(image, "JPEG", progressive=True)),
        ("c.jpg", saved(image.convert("CMYK"), "JPEG")),
        ("d.jpg", saved(image, "JPEG", restart_marker_blocks=1)),
        ("e.jpg", bytes(imagecodecs.jpeg_encode(wide[:, :, 0] >> 4, bitspersample=12))),
        ("f.mpo", saved(image, "MPO", save_all=True, append_images=[grey.convert("RGB")])),
        ("a.png", saved(image, "PNG", exif=exif)),
        ("b.png", saved(palette, "PNG", transparency=3)),
        ("c.png", bytes(imagecodecs.png_encode(wide))),
        ("d.png", saved(image, "PNG", save_all=True, append_images=[image])),
        ("e.png", saved(grey.convert("1"), "PNG")),
        ("a.bmp", saved(image, "BMP")),
        ("b.bmp", saved(palette, "BMP")),
        ("c.bmp", saved(alpha, "BMP")),
        ("d.bmp", run_length_bmp()),
        ("a.gif", saved(palette, "GIF", save_all=True, append_images=[palette.rotate(90)])),
        ("a.webp", saved(image, "WEBP")),
        ("b.webp", saved(alpha, "WEBP", lossless=True, exif=exif)),
        ("c.webp", saved(alpha, "WEBP", save_all=True, append_images=[alpha.rotate(90)])),
        ("a.tga", saved(image, "TGA")),
        ("b.tga", saved(alpha, "TGA", compression="tga_rle")),
        ("c.tga", saved(palette, "TGA")),
        ("a.jp2", saved(alpha, "JPEG2000")),
        ("b.jp2", saved(image, "JPEG2000", irreversible=True, tile_size=(8, 8))),
        ("c.j2k", bytes(imagecodecs.jpeg2k_encode(wide[:, :, 0] >> 4, level=0, bitspersample=12, codecformat="J2K"))),
    ]
    return seeds + made_pnm(rgb, wide) + made_tiffs(rgb, wide) + made_dicom()


def made_pnm(rgb: np.ndarray[Any, Any], wide: np.ndarray[Any, Any]) -> Seeds:
    """Files of the PNM family, plain and raw, and of fractional numbers."""
    grey, size = rgb[:, :, 0], b"13 9\n"
    text = " ".join(map(str, grey.ravel())).encode()
    fractions = wide[:, :, 0].astype("<f4")
    raw = b"P5\n# of a camera\n" + size + b"4095\n" + (wide[:, :, 0] >> 4).astype(">u2").tobytes()
    return [
        ("1.pbm", b"P1\n" + size + " ".join(map(str, grey.ravel() & 1)).encode()),
        ("2.pgm", b"P2\n" + size + b"255\n" + text),
        ("3.ppm", b"P3\n# c\n" + size + b"255\n" + " ".join(map(str, rgb.ravel())).encode()),
        ("4.pbm", b"P4\n" + size + np.packbits(grey & 1, axis=1).tobytes()),
        ("5.pgm", raw + raw),
        ("6.ppm", b"P6\n" + size + b"255\n" + rgb.tobytes()),
        ("a.pfm", b"Pf\n" + size + b"-1.0\n" + fractions.tobytes()),
        ("b.pfm", b"PF\n" + size + b"2\n" + wide.astype(">f4").tobytes()),
    ]


def run_length_bmp() -> bytes:
    """An 8-bit BMP with run-length code: runs, literals, a skip and line ends."""
    code = bytes((6, 1, 0, 4, 2, 3, 1, 0, 0, 0, 0, 2, 2, 0, 8, 2, 0, 0, 10, 3, 0, 1))
    palette = bytes(range(64))
    header = struct.pack("<IiiHHIIiiII", 40, 10, 3, 1, 8, 1, len(code), 0, 0, 16, 0)
    start = 14 + len(header) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(code), 0, 0, start) + header + palette + code


def made_tiffs(rgb: np.ndarray[Any, Any], wide: np.ndarray[Any, Any]) -> Seeds:
    """TIFF files of many layouts."""
    stack = np.stack([wide[:, :, 0]] * 4).reshape(2, 2, 9, 13)
    bilevel = PIL.Image.fromarray(rgb[:, :, 0]).convert("1")
    options: list[tuple[np.ndarray[Any, Any], dict[str, Any]]] = [
        (rgb, {"photometric": "rgb"}),
        (rgb, {"photometric": "rgb", "compression": "lzw", "predictor": True, "rowsperstrip": 3}),
        (rgb, {"photometric": "rgb", "compression": "jpeg"}),
        (rgb, {"photometric": "rgb", "tile": (16, 16), "compression": "zlib", "bigtiff": True}),
        (np.moveaxis(wide, 2, 0), {"photometric": "rgb", "planarconfig": "separate", "compression": "zstd"}),
        (wide[:, :, 0] >> 4, {"photometric": "miniswhite", "bitspersample": 12}),
        (wide[:, :, 0].astype(np.float32), {"photometric": "minisblack", "compression": "lzw", "predictor": 3}),
        (wide[:, :, 0].astype(np.int16), {"photometric": "minisblack", "byteorder": ">"}),
        (np.dstack([rgb, rgb[:, :, :1]]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (np.dstack([rgb, rgb[:, :, :1]]), {"photometric": "separated"}),
        (stack, {"photometric": "minisblack", "metadata": {"axes": "ZCYX"}, "ome": True}),
        (stack, {"photometric": "minisblack", "metadata": {"axes": "ZCYX"}, "imagej": True}),
        (stack, {"photometric": "minisblack", "metadata": {"axes": "TZYX"}}),
        (stack, {"photometric": "minisblack", "metadata": None}),
    ]
    seeds = [(f"{i}.tif", tiff(pixels, **option)) for i, (pixels, option) in enumerate(options)]
    palette = PIL.Image.fromarray(rgb).quantize(16)
    return [
        *seeds,
        ("p.tif", saved(palette, "TIFF")),
        ("g4.tif", saved(bilevel, "TIFF", compression="group4")),
        ("bits.tif", saved(bilevel, "TIFF", compression="packbits")),
    ]


def made_dicom() -> Seeds:
    """DICOM files of every photometric interpretation in every syntax, where pydicom is installed."""
    if importlib.util.find_spec("pydicom") is None:
        return []
    from tests.formats import dicoms

    kinds = [
        dicoms.Kind("MONOCHROME2", 16, 12, signed=True),
        dicoms.Kind("PALETTE COLOR"),
        dicoms.Kind("YBR_FULL"),
        dicoms.Kind("YBR_FULL_422", frames=3),
        dicoms.Kind("YBR_RCT"),
    ]
    made = [
        (kind, twins) for kind in kinds for twins in (dicoms.twins(kind).values(), dicoms.lossy_twins(kind).values())
    ]
    return [(f"{kind.photometric}.{i}.dcm", data) for kind, files in made for i, data in enumerate(files)]


def mutated(seeds: Seeds, rng: np.random.Generator) -> tuple[str, bytes]:
    """One of the good files, damaged."""
    name, original = seeds[rng.integers(len(seeds))]
    data = bytearray(original)
    for _ in range(rng.integers(1, 5)):
        if not data:
            break
        # more often near the start, where headers are
        position = int(len(data) * rng.random() ** (1 + 2 * rng.integers(2)))
        length = int(rng.integers(1, 33))
        match rng.integers(9):
            case 0:
                data[position] ^= 1 << int(rng.integers(8))
            case 1:
                data[position] = int(rng.integers(256))
            case 2:
                del data[max(1, position) :]
            case 3:
                other = int(rng.integers(len(data)))
                data[position : position + length] = data[other : other + length]
            case 4:
                del data[position : position + length]
            case 5:
                data[position:position] = rng.bytes(length)
            case 6:
                order, value = "<>"[rng.integers(2)], EXTREME[rng.integers(len(EXTREME))]
                data[position : position + 4] = struct.pack(f"{order}I", value)
            case 7:
                order, value = "<>"[rng.integers(2)], EXTREME[rng.integers(12)] & 0xFFFF
                data[position : position + 2] = struct.pack(f"{order}H", value)
            case _:
                other_data = seeds[rng.integers(len(seeds))][1]
                other = int(rng.integers(len(other_data)))
                data[position : position + length] = other_data[other : other + length]
    if bytes(data[:4]) == b"\x89PNG" and rng.integers(2):
        data = with_checksums(data)
    return name, bytes(data)


def with_checksums(data: bytearray) -> bytearray:
    """A PNG file whose chunks have right checksums, so that the damage reaches the decoder."""
    position = 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", data, end, zlib.crc32(bytes(data[position + 4 : end])))
        position = end + 4
    return data


def work(
    first: int, last: int, step: int, seed: int, folder: Path | None, keep: Path, state: SynchronizedArray[float]
) -> None:
    """Try inputs first, first + step, ... and write down the outcome of each."""
    logging.disable(logging.CRITICAL)
    seeds = all_seeds(folder)
    silent = Path(os.devnull).open("w")  # noqa: SIM115 (open as long as the process)
    os.dup2(silent.fileno(), 2)  # libraries print what they find
    for index in range(first, last, step):
        rng = np.random.default_rng([seed, index])
        name, data = mutated(seeds, rng)
        selection = SELECTIONS[rng.integers(len(SELECTIONS))]
        state[CURRENT] = index
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=silent)
        start = time.monotonic()
        try:
            decode_image(data, name, selection)
            state[READ] += 1
        except ImageError:
            state[REFUSED] += 1
        except BaseException:  # the point of this program is to see what else there is
            state[UNTYPED] += 1
            (keep / f"untyped-{index}-{name}").write_bytes(data)
            (keep / f"untyped-{index}.txt").write_text(traceback.format_exc())
        faulthandler.cancel_dump_traceback_later()
        state[SLOWEST_MS] = max(state[SLOWEST_MS], 1000 * (time.monotonic() - start))
        state[PEAK_KIB] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    state[CURRENT] = -1


def all_seeds(folder: Path | None) -> Seeds:
    """Made files and the small ones of a folder."""
    seeds = made_seeds()
    if folder is not None:
        files = sorted(file for file in folder.rglob("*") if file.is_file() and file.stat().st_size <= 65536)
        seeds += [(file.name, file.read_bytes()) for file in files]
    return [(name, data) for name, data in seeds if data]


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    seeds = all_seeds(options.folder)
    context = multiprocessing.get_context("spawn")
    states = [context.Array("d", 6) for _ in range(options.workers)]
    deaths: list[str] = []
    start = time.monotonic()

    def started(k: int, first: int) -> Any:
        arguments = (first, options.n, options.workers, options.seed, options.folder, options.keep, states[k])
        process = context.Process(target=work, args=arguments, daemon=True)
        process.start()
        return process

    processes = [started(k, k) for k in range(options.workers)]
    while any(process.is_alive() for process in processes) and time.monotonic() - start < options.seconds:
        time.sleep(0.5)
        for k, process in enumerate(processes):
            current = int(states[k][CURRENT])
            if process.exitcode not in (None, 0):
                kind = "hang" if process.exitcode == 1 else f"crash {process.exitcode}"
                name, data = mutated(seeds, np.random.default_rng([options.seed, current]))
                (options.keep / f"{kind.split()[0]}-{current}-{name}").write_bytes(data)
                deaths.append(f"{kind} on input {current} ({name})")
                processes[k] = started(k, current + options.workers)
    for process in processes:
        process.kill()
    total = [sum(state[i] for state in states) for i in (READ, REFUSED, UNTYPED)]
    print(f"{len(seeds)} good files, {sum(total) + len(deaths):,.0f} inputs, {time.monotonic() - start:.0f} s")
    print(f"read {total[0]:,.0f}, refused {total[1]:,.0f}, untyped errors {total[2]:,.0f}")
    print(f"crashes {sum('crash' in death for death in deaths)}, hangs {sum('hang' in death for death in deaths)}")
    slowest, peak = max(state[SLOWEST_MS] for state in states), max(state[PEAK_KIB] for state in states)
    print(f"slowest input {slowest / 1000:.2f} s, largest process {peak / 1024:.0f} MiB")
    for death in deaths:
        print(death)


if __name__ == "__main__":
    main()
