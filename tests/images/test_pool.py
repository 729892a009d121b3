"""Decoding in worker processes: order, files that are no files, too little memory."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.errors import NO_MEMORY
from graticule.images.decode import Decoded, ImageFile, decode_file
from graticule.images.pool import DecodePool
from graticule.images.preprocess import Preprocessing
from graticule.workers.process import FileLimits

WriteImages = Callable[..., list[Path]]
SETTINGS = Preprocessing(16)


def same(one: Decoded, other: Decoded) -> bool:
    plain = [(d.sha256, d.pixel_sha256, d.width, d.height, d.mode, d.error) for d in (one, other)]
    return plain[0] == plain[1] and np.array_equal(one.pixels, other.pixels)  # type: ignore[arg-type]


def decode_chunks(pool: DecodePool, chunks: list[list[Path]]) -> list[list[Decoded]]:
    futures = [pool.submit([ImageFile(file) for file in chunk]) for chunk in chunks]
    return [future.result() for future in futures]


def test_pool_gives_what_one_process_gives_in_order(write_images: WriteImages, tmp_path: Path) -> None:
    files = [*write_images(5), tmp_path / "gone.png"]
    with DecodePool(2, SETTINGS) as pool:
        results = decode_chunks(pool, [files[:2], files[2:], []])
    assert [len(r) for r in results] == [2, 4, 0]
    decoded = [item for result in results for item in result]
    assert all(same(item, decode_file(ImageFile(file), SETTINGS)) for item, file in zip(decoded, files, strict=True))


def test_a_pool_leaves_nothing_behind(
    write_images: WriteImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    files = write_images(2)
    with DecodePool(1, SETTINGS) as pool:
        decode_chunks(pool, [files[:1], files[1:]])
        held = [file for file in scratch.rglob("*") if file.is_file()]
    assert held == list(scratch.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hold_up_a_worker(write_images: WriteImages, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    files = [*write_images(1), pipe, tmp_path]
    with DecodePool(1, SETTINGS) as pool:
        (decoded,) = decode_chunks(pool, [files])
    assert decoded[0].error == ""
    assert "not a regular file" in decoded[1].error
    assert "directory" in decoded[2].error


@pytest.mark.skipif(sys.platform != "linux", reason="memory of a worker is limited on Linux only")
def test_a_picture_that_needs_more_memory_than_allowed_is_told_in_words(
    write_images: WriteImages, tmp_path: Path
) -> None:
    big = tmp_path / "big.png"
    PIL.Image.new("L", (12_000, 12_000)).save(big)
    files = [*write_images(1), big, *write_images(2)]
    with DecodePool(1, SETTINGS, limits=FileLimits(memory=400 * 2**20)) as pool:
        (decoded,) = decode_chunks(pool, [files])
    assert [bool(item.error) for item in decoded] == [False, True, False, False]
    assert NO_MEMORY in decoded[1].error
