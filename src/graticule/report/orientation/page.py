"""The page of `graticule orientation`: how each image is aligned, how sure that is, and what the numbers mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from graticule.directions.options import LGO_FIJI
from graticule.directions.words import COHERENCY, CONVENTION, MEANINGS
from graticule.report.audit.content import breakable
from graticule.report.orientation.charts import colour_wheel, half_rose
from graticule.report.orientation.content import (
    PictureTile,
    answer_on_directions,
    direction_cards,
    scale_table,
    table_of,
)
from graticule.report.page import render_page

_NAMES = {
    "direction": "Direction",
    "share": "Share",
    "spread": "Spread",
    "order": "S",
    "fourth": "S4",
    "deviation": "Deviation",
    "goodness": "Goodness",
    "used": "Used",
}


def render_directions(summary: Mapping[str, Any], tiles: Sequence[PictureTile]) -> str:
    """Write the page as one HTML text.

    Parameters
    ----------
    summary : mapping
        summary.json.
    tiles : sequence of PictureTile
        The images that are shown.
    """
    options = summary["options"]
    along = options["direction"] is not None
    cards = []
    for tile in tiles:
        named = tile.figures["direction"]
        label = f"Directions in {tile.path}: {tile.words[0]}"
        rose = half_rose(tile.distribution, tile.fitted, label, named if named == named else None)
        cards.append((tile, rose))
    return render_page(
        "orientation.html.j2",
        {
            "about": summary,
            "answer": answer_on_directions(summary),
            "cards": direction_cards(summary, tiles),
            "pictures": cards,
            "figures": table_of(tiles, options["method"], along=along),
            "scales": scale_table(tiles),
            "wheel": colour_wheel(),
            "convention": CONVENTION,
            "coherency": COHERENCY,
            "meanings": [(_NAMES[name], words) for name, words in MEANINGS.items()],
            "fiji": options["method"] == LGO_FIJI,
            "along": along,
        },
        styles=("audit.css", "orientation.css"),
        filters={"path": breakable},
    )
