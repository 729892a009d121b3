"""What to do when memory does not suffice, in memory or on disk: one message instead of a crash."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graticule.errors import TrainingError
from graticule.files import new_file

_TEXTS = ("can't allocate memory", "not enough memory")  # of torch's own allocator on Linux and macOS, on Windows


@contextlib.contextmanager
def memory_told(images: int) -> Iterator[None]:
    """Turn "out of memory" into a message that says what to do; `images` were at work at once.

    Raises
    ------
    TrainingError
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        out = isinstance(error, MemoryError | torch.OutOfMemoryError) or any(text in str(error) for text in _TEXTS)
        if not out:
            raise
        raise TrainingError(
            f"the memory does not suffice for a batch of {images} images; try --batch-size {max(1, images // 2)} or a "
            "smaller --input-size"
        ) from error


def new_array(file: Path, dtype: Any, shape: tuple[int, ...], advice: str) -> np.memmap[Any, Any]:
    """A new .npy file mapped for writing, whose room on the disk is taken at once.

    A mapped file that has no room later ends the process without a word. A file of that name is replaced.

    Parameters
    ----------
    file : Path
    dtype, shape
        Of the array; it is filled with zeros.
    advice : str
        What to do when there is no room.

    Raises
    ------
    TrainingError
        When there is no room.
    OSError
        When the disk fills up meanwhile.
    """
    needed, free = int(np.prod(shape)) * np.dtype(dtype).itemsize, shutil.disk_usage(file.parent).free
    if needed > free:
        raise TrainingError(
            f"{needed / 1e9:.1f} GB are needed in {file.parent}, where {free / 1e9:.1f} GB are free. {advice}, or an "
            "--out on another disk"
        )
    file.unlink(missing_ok=True)
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with new_file(file) as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        begin = stream.tell()
        stream.truncate(begin + needed)
        _take_room(stream.fileno(), begin + needed)
        return np.memmap(stream, mode="r+", dtype=dtype, shape=shape, offset=begin)


def _take_room(descriptor: int, size: int) -> None:
    """Give a sparse file its blocks, where the system can."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # what some file systems answer
            raise
