"""File names of every odd kind, loops and pipes: handled by every verb that reads images, none fatal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

from graticule.manifest import unescape_path

NAMES = [
    b"new\nline.png",
    b"quote'\".png",
    b"<script>alert(1)<script>.png",
    "right\u202eto left.png".encode(),
    b"x" * 251 + b".png",
    b"not utf8 \xff\xfe.png",
    b"-rf.png",
    "caf\u00e9.png".encode(),
    "cafe\u0301.png".encode(),
    b"back\\slash.png",
]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of images with odd names, a link that loops, a dangling one, and a pipe named like an image."""
    folder = tmp_path_factory.mktemp("odd") / "data"
    rng = np.random.default_rng(3)
    for kind in ("a", "b"):
        (folder / kind).mkdir(parents=True)
        for name in NAMES:
            picture = PIL.Image.fromarray(rng.integers(0, 256, (40, 40), dtype=np.uint8))
            with open(os.fsencode(folder / kind) + b"/" + name, "wb") as stream:  # noqa: PTH123 - bytes
                picture.save(stream, "PNG")
    (folder / "a" / "loop").symlink_to(folder / "a", target_is_directory=True)
    (folder / "a" / "self.png").symlink_to("self.png")
    os.mkfifo(folder / "b" / "pipe.png")
    return folder


def test_audit_train_and_predict_read_all_of_them(
    odd: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    audit = graticule("audit", odd, "--out", tmp_path / "audit", "--views", 1, "--workers", 1)
    assert audit.code == 3, audit.err
    document = json.loads((tmp_path / "audit" / "audit.json").read_text("utf-8"))
    assert [row["path"] for row in document["unreadable"]] == ["a/self.png"]
    assert document["n"] == 2 * len(NAMES) + 1
    assert "<script>alert(1)" not in (tmp_path / "audit" / "audit.html").read_text("utf-8")
    run = graticule("train", odd, "--out", tmp_path / "run", *fast, "--folds", 2)
    assert run.code == 3, run.err
    assert "<script>alert(1)" not in (tmp_path / "run" / "report.html").read_text("utf-8")
    predict = graticule("predict", tmp_path / "run", odd, "--out", tmp_path / "p", "--workers", 1, "--csv")
    assert predict.code == 3
    rows = pq.read_table(tmp_path / "p" / "predictions-00000.parquet").to_pylist()
    read = {os.fsencode(unescape_path(row["path"])) for row in rows if row["label"] is not None}
    assert read == {kind + b"/" + name for kind in (b"a", b"b") for name in NAMES}
