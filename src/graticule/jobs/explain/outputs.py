"""What `graticule explain` writes per image: overlays, maps in shards with an index, running means per class."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from safetensors.numpy import save

from graticule.arrays import FloatArray
from graticule.explain.image import Explained
from graticule.explain.overlay import full_scale, overlay, picture
from graticule.files import own_folder, write_bytes, writing
from graticule.plain_text import safe_cell
from graticule.report.explain.page import Tile
from graticule.report.thumbnails import data_uri

SHARD = 256  # images per file of maps
GALLERY = 96  # images on the page; all others are in the files
TILE = 200
_COLUMNS = ("path", "class", "rank", "score", "shard", "tensor", "overlay")


@dataclass
class ClassMean:
    """Running mean of maps and pictures of the images given one class."""

    n: int = 0
    maps: FloatArray = field(default_factory=lambda: np.zeros((1, 1)))
    pixels: FloatArray = field(default_factory=lambda: np.zeros((1, 1, 1)))

    def add(self, one: Explained) -> None:
        """Add an image; every map counts alike, whatever its scale."""
        values = one.maps[0]
        total = np.abs(values).sum()
        scaled = values / total if total > 0 else values
        self.maps = scaled.copy() if self.n == 0 else self.maps + scaled
        seen = one.seen.pixels.astype(np.float64)
        self.pixels = seen if self.n == 0 else self.pixels + seen
        self.n += 1

    def tile(self) -> tuple[str, str]:
        """Mean picture and mean map over it, as data URIs."""
        mean = np.rint(self.pixels / self.n).astype(np.uint8)
        values = self.maps / self.n
        return data_uri(mean, TILE), data_uri(overlay(mean, values, full_scale(values[None])), TILE)


class Outputs:
    """Writes images one after another and keeps what the page shows.

    Parameters
    ----------
    folder : Path
        The outcome's folder; `maps` is made in it.
    classes : tuple of str
    stream : open text file of maps.csv
    """

    def __init__(self, folder: Path, classes: tuple[str, ...], stream: Any) -> None:
        self._folder, self._classes = folder, classes
        own_folder(folder / "maps", new=True)
        self._index = csv.writer(stream)
        self._index.writerow(_COLUMNS)
        self._shard: dict[str, NDArray[np.float32]] = {}
        self._held, self._shards = 0, 0
        self.rows: list[dict[str, Any]] = []
        self.tiles: list[Tile] = []
        self.means = [ClassMean() for _ in classes]

    def add(self, path: str, truth: str | None, role: str, one: Explained) -> None:
        """Write one image."""
        number = len(self.rows)
        predicted = int(one.classes[0])
        self.means[predicted].add(one)
        shown = picture(one.seen.pixels, one.seen.shown)
        scale = full_scale(one.maps)
        drawn = []
        for rank, (k, values) in enumerate(zip(one.classes, one.maps, strict=True), 1):
            file = f"maps/{number:05d}-{rank}.png"
            laid = overlay(shown, values, scale)
            with writing(self._folder / file) as sink:
                PIL.Image.fromarray(laid).save(sink, format="PNG", compress_level=6)
            tensor = f"{number:05d}.{rank}"
            self._shard[tensor] = values.astype(np.float32)
            score = round(float(one.proba[k]), 6)
            self._index.writerow(
                (safe_cell(path), safe_cell(self._classes[k]), rank, score, self._shard_name(), tensor, file)
            )
            drawn.append((self._classes[k], score, laid))
        self.rows.append(
            {
                "path": path,
                "label": truth,
                "predicted": self._classes[predicted],
                "score": round(float(one.proba[predicted]), 6),
                "role": role,
                "top": [{"class": name, "score": score} for name, score, _ in drawn],
                "border_share": _rounded(one.border_share),
                "bar_share": _rounded(one.bar_share),
                "peak": {"x": round(one.peak[0], 4), "y": round(one.peak[1], 4)},
            }
        )
        if len(self.tiles) < GALLERY:
            maps = [(name, score, data_uri(laid, TILE)) for name, score, laid in drawn]
            self.tiles.append(Tile(path, truth, self._classes[predicted], role, data_uri(shown, TILE), maps))
        self._held += 1
        if self._held == SHARD:
            self.flush()

    def _shard_name(self) -> str:
        return f"maps-{self._shards:05d}.safetensors"

    def flush(self) -> None:
        """Write the maps held so far."""
        if self._shard:
            write_bytes(self._folder / self._shard_name(), save(self._shard))
            self._shard, self._held = {}, 0
            self._shards += 1


def regions_area(one: Explained) -> tuple[float | None, float | None, float, float | None]:
    """Shares of attention on border and bar, and of the area, of one image."""
    bar = one.seen.bar
    return one.border_share, one.bar_share, float(one.seen.border.mean()), None if bar is None else float(bar.mean())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
