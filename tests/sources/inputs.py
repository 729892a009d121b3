"""Inputs for the readers of data sets: empty files, a table beside them, the fault that they give."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.errors import ManifestError
from graticule.sources.sources import read_manifest


def touch(root: Path, *names: str) -> Path:
    """Empty files below a folder; the reader of manifests looks at names only."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def table(root: Path, text: str | bytes, name: str = "samples.csv") -> Path:
    """A table beside the images a/1.png, a/2.png, b/1.png, b/2.png."""
    touch(root, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    file = root / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def fault(data: Path, **options: str) -> str:
    with pytest.raises(ManifestError) as caught:
        read_manifest(data, **options)
    return str(caught.value)
