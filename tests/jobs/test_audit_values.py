"""`audit --target` as a function and as a command: planted faults of numbers are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.errors import ManifestError, OptionError
from graticule.jobs.audit_values import audit_values
from graticule.jobs.options import AuditOptions

N, EACH = 48, 3
OPTIONS = {"views": 1, "workers": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of noise in 16 lots, cut to a size that the number gives; the brightness says nothing."""
    folder = tmp_path_factory.mktemp("sized")
    rng = np.random.default_rng(0)
    rows = ["path,area,empty,same,lot"]
    for i in range(N):
        side = int(rng.integers(48, 120))
        coarse = PIL.Image.fromarray(rng.integers(40, 216, (9, 9), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), PIL.Image.Resampling.BICUBIC)).astype(int)
        noisy = np.clip(smooth + rng.integers(-12, 13, (side, side)), 0, 255).astype(np.uint8)
        PIL.Image.fromarray(noisy).save(folder / f"{i:02d}.png")
        rows.append(f"{i:02d}.png,{side**2 + rng.integers(100)},,4,lot{i // EACH}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


def options(**given: object) -> AuditOptions:
    return AuditOptions(**({"target": "area", "group": "lot"} | OPTIONS | given))  # type: ignore[arg-type]


def test_a_number_that_is_the_crop_size_is_named(data: Path, tmp_path: Path) -> None:
    found = audit_values(data, tmp_path / "out", options())
    assert found.target.n == N
    assert found.groups is not None
    assert (found.groups.column, found.groups.n) == ("lot", N // EACH)
    (size,) = [row for row in found.cues if row.cue == "image size"]
    assert size.flagged
    assert size.r2 >= 0.8
    assert not any(row.flagged for row in found.cues if row.cue == "brightness")
    assert found.recommendations[0].rule == "crop_size"
    written = json.loads((tmp_path / "out" / "audit.json").read_text())
    told = json.loads(json.dumps(found.to_json()))
    assert {name: written[name] for name in told} == told
    page = (tmp_path / "out" / "audit.html").read_text()
    assert "The size of the image is the number" in page
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {"audit.json", "audit.html", "failures.csv", "DONE"}


def test_columns_that_cannot_be_learnt_are_refused_and_nothing_is_left(data: Path, tmp_path: Path) -> None:
    for column, error, words in (
        ("height", OptionError, "no such column"),
        ("empty", ManifestError, "has a number"),
        ("same", ManifestError, "nothing to learn"),
    ):
        with pytest.raises(error, match=words):
            audit_values(data, tmp_path / column, options(target=column))
        assert not (tmp_path / column).exists()
