"""The table of directions: nulls, blocks, cells of spreadsheets."""

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from graticule.images.image import Image
from graticule.jobs.options import PictureOptions
from graticule.jobs.orientation.picture import MeasuredFile, measure_image, unmeasured
from graticule.jobs.orientation.table import DirectionTable


def test_rows_come_out_as_they_went_in(tmp_path: Path) -> None:
    found = measure_image(Image(np.zeros((40, 50), np.uint8)), "x", PictureOptions())
    one = MeasuredFile("abc", 50, 40, found)
    with DirectionTable(tmp_path, ["order", "share"], with_csv=True) as table:
        for number in range(300):
            table.add(f"={number}.png", one, (0.1234567, np.nan), None)
        table.add("bad.png", unmeasured("why"), (), None)
    rows = pq.read_table(tmp_path / "orientation.parquet").to_pylist()
    assert len(rows) == 301
    assert rows[0]["order"] == 0.123457
    assert rows[0]["share"] is None
    assert rows[0]["verdict"] == "no structure"
    assert len(rows[0]["distribution"]) == 180
    assert (rows[300]["path"], rows[300]["width"], rows[300]["verdict"]) == ("bad.png", None, None)
    with (tmp_path / "orientation.csv").open(newline="", encoding="utf-8-sig") as stream:
        cells = list(csv.DictReader(stream))
    assert cells[0]["path"] != "=0.png"  # no formula
    assert cells[0]["path"].endswith("=0.png")
    assert cells[0]["share"] == ""
    assert "distribution" not in cells[0]
