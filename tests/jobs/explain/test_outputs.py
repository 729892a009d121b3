"""What `explain` writes per image: overlays, maps in shards with their index, and means that weigh images alike."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from safetensors.numpy import load

from graticule.explain.image import Explained, Seen
from graticule.jobs.explain import outputs
from graticule.jobs.explain.outputs import ClassMean, Outputs, regions_area


def explained(first: int = 0, scale: float = 1.0, *, bar: bool = False) -> Explained:
    """Maps of two classes on a grey picture of 32 px, shown as 16 x 32."""
    mask = np.zeros((32, 32), bool)
    mask[28:] = True
    seen = Seen(np.full((32, 32, 3), 60, np.uint8), np.array([32.0, 16.0]), (16, 32), mask if bar else None)
    maps = scale * np.stack([np.eye(4), -np.eye(4)])
    proba = np.array([0.7, 0.3])[:: -1 if first else 1]
    return Explained(seen, np.array([first, 1 - first]), proba, maps, 0.123456, None, (0.25, 0.5))


def test_the_index_finds_each_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "SHARD", 2)
    stream = io.StringIO()
    made = Outputs(tmp_path, ("a", "=b"), stream)
    for i in range(3):
        made.add(f"{i}.png", "a" if i else None, "drawn", explained(i % 2))
    made.flush()
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [(row["path"], row["rank"]) for row in rows[:3]] == [("0.png", "1"), ("0.png", "2"), ("1.png", "1")]
    assert {row["shard"] for row in rows} == {"maps-00000.safetensors", "maps-00001.safetensors"}
    assert rows[2]["class"] == "'=b"
    for row in rows:
        found = load((tmp_path / row["shard"]).read_bytes())[row["tensor"]]
        np.testing.assert_array_equal(found, np.eye(4) * (1 if row["rank"] == "1" else -1))
        with PIL.Image.open(tmp_path / row["overlay"]) as drawn:
            assert (drawn.size[0] / drawn.size[1], drawn.mode) == (2.0, "RGB")
    assert [mean.n for mean in made.means] == [2, 1]
    first = made.rows[0]
    assert (first["label"], first["predicted"], first["border_share"], first["bar_share"]) == (None, "a", 0.12346, None)
    assert made.tiles[1].wrong
    assert not made.tiles[0].wrong


def test_a_mean_does_not_follow_the_largest_map() -> None:
    mean = ClassMean()
    mean.add(explained(scale=1.0))
    mean.add(explained(scale=1000.0))
    np.testing.assert_allclose(mean.maps / mean.n, np.eye(4) / 4)
    mean.add(explained(scale=0.0))
    assert np.isfinite(mean.maps).all()
    assert all(uri.startswith("data:image/") for uri in mean.tile())


def test_areas_of_border_and_bar_are_shares_of_the_input() -> None:
    border, bar, border_area, bar_area = regions_area(explained(bar=True))
    assert (border, bar, bar_area) == (0.123456, None, 4 / 32)
    assert 0 < border_area < regions_area(explained())[2] < 0.5
