"""What `graticule explain` of a number writes per picture: overlays, their index, and what each part told."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from graticule.arrays import FloatArray
from graticule.directions.feature_words import FAMILIES, feature_words, statistics_of_families
from graticule.directions.features import feature_names
from graticule.explain.overlay import full_scale, overlay, picture
from graticule.explain.pooled import resized
from graticule.explain.regions import share_in
from graticule.explain.told import NETWORK
from graticule.explain.traced import Traced
from graticule.files import own_folder, writing, writing_text
from graticule.networks.pooling import ORIENTATION
from graticule.plain_text import safe_cell
from graticule.report.thumbnails import data_uri

TILE = 200
GALLERY = 96  # pictures on the page; all others are in the files
_MOST_STATISTICS = 6
_COLUMNS = ("path", "predicted", "overlay", "border_share")
_OF_ORIENTATION = ("orientation_overlay", "network_told", "orientation_told")


def write_explained(
    out: Path, paths: Sequence[str], numbers: FloatArray, found: Sequence[Traced | str], deviation: FloatArray
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Overlays and their index.

    Parameters
    ----------
    out : Path
        The outcome's folder; `maps` is made in it.
    paths : sequence of n str
    numbers : float array, shape (n,)
        In the target's unit.
    found : sequence of n Traced or str
    deviation : float array, shape (length of the part,)
        Of each orientation statistic over the pictures that were read; empty where the model has none.

    Returns
    -------
    dict
        "n_explained", "border", "told", "told_by_family" and "rows" of explain.json.
    list of dict
        The first pictures for the page.
    """
    own_folder(out / "maps", new=True)
    traced = [one for one in found if not isinstance(one, str)]
    # one scale of each part, so that pictures can be compared
    scales = {part: full_scale(np.stack([one.maps[part] for one in traced])) for part in traced[0].maps}
    rows, tiles = list[dict[str, Any]](), list[dict[str, Any]]()
    area = []
    for path, number, one in zip(paths, numbers.tolist(), found, strict=True):
        if isinstance(one, str):
            continue
        shown = picture(one.seen.pixels, one.seen.shown)
        row: dict[str, Any] = {"path": path, "predicted": number}
        laid = {}
        for part, scale in scales.items():
            file = f"maps/{len(rows):05d}{'' if part == NETWORK else '-orientation'}.png"
            laid[part] = overlay(shown, one.maps[part], scale)
            with writing(out / file) as sink:
                PIL.Image.fromarray(laid[part]).save(sink, format="PNG", compress_level=6)
            row["overlay" if part == NETWORK else "orientation_overlay"] = file
        first = next(iter(one.maps.values()))
        row["border_share"] = share_in(resized(first, *one.seen.pixels.shape[:2]), one.seen.border)
        row["told"] = one.told
        row["statistics"] = _statistics(one, deviation)
        area.append(float(one.seen.border.mean()))
        if len(tiles) < GALLERY:
            maps = {part: data_uri(each, TILE) for part, each in laid.items()}
            tiles.append(row | {"picture": data_uri(shown, TILE), "maps": maps})
        rows.append(row)
    _write_index(out / "maps.csv", rows, oriented=ORIENTATION in scales)
    border = [row["border_share"] for row in rows if row["border_share"] is not None]
    return {
        "n_explained": len(rows),
        "border": {"share": float(np.mean(border)) if border else None, "area": float(np.mean(area))},
        "told": _mean_sizes([one.told for one in traced if one.told is not None]),
        "told_by_family": _mean_sizes([_by_family(one) for one in traced if one.by_statistic is not None]),
        "rows": rows,
    }, tiles


def _mean_sizes(told: Sequence[dict[str, float]]) -> dict[str, float] | None:
    """How much each amount is on average, whatever its sign."""
    return {name: float(np.mean([abs(one[name]) for one in told])) for name in told[0]} if told else None


def _by_family(one: Traced) -> dict[str, float]:
    amounts = np.zeros(0) if one.by_statistic is None else one.by_statistic
    return {family: float(amounts[places].sum()) for family, places in statistics_of_families().items()}


def _statistics(one: Traced, deviation: FloatArray) -> dict[str, Any] | None:
    """What the orientation statistics told of one picture: by family, and the single ones that told most."""
    if one.by_statistic is None or one.rest is None:
        return None
    names, own = feature_names(), one.rest[0].astype(np.float64)
    most = np.argsort(-np.abs(one.by_statistic), kind="stable")[:_MOST_STATISTICS]
    return {
        "by_family": {FAMILIES[family]: amount for family, amount in _by_family(one).items()},
        "single": [
            {
                "name": names[k],
                "words": feature_words(names[k]),
                "value": float(own[k]),
                "average": float(one.average[k]) if one.average is not None else None,
                "deviation": float(deviation[k]),
                "amount": float(one.by_statistic[k]),
            }
            for k in most
        ],
    }


def _write_index(file: Path, rows: Sequence[dict[str, Any]], *, oriented: bool) -> None:
    with writing_text(file, errors="replace") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS + (_OF_ORIENTATION if oriented else ()))
        for row in rows:
            told = row["told"] or {}
            beside = (row.get("orientation_overlay"), told.get(NETWORK), told.get(ORIENTATION)) if oriented else ()
            cells = (*(row.get(name) for name in _COLUMNS), *beside)
            writer.writerow([safe_cell("" if cell is None else cell) for cell in cells])
