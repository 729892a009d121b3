"""The page of `graticule explain` for a number: pictures from the largest number to the smallest, with their maps."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graticule.report.audit.content import breakable
from graticule.report.explain.page import METHODS
from graticule.report.page import render_page
from graticule.report.quantities import percent
from graticule.report.values.amounts import Amount

# so many times its share of the area, the border draws the eye
_DRAWN = 2.0


def render_value_explanations(document: Mapping[str, Any], tiles: Sequence[Mapping[str, Any]]) -> str:
    """Write the page as HTML; it needs no network.

    Parameters
    ----------
    document : mapping
        The content of explain.json.
    tiles : sequence of mapping
        "path", "predicted", and "picture" and "map" as data URIs.
    """
    numbers = np.array([row["predicted"] for row in document["rows"]], dtype=np.float64)
    amount = Amount.of(str(document["unit"]), None, numbers)
    content = {
        "about": document,
        "answer": border_words(document),
        "tiles": [(tile, amount(float(tile["predicted"]))) for tile in tiles],
        "method": METHODS[document["method"]].replace("the class", "the number"),
    }
    return render_page("explain_values.html.j2", content, filters={"path": breakable})


def border_words(document: Mapping[str, Any]) -> str:
    """What the border has to do with the number, in words."""
    share, area = document["border"]["share"], document["border"]["area"]
    if share is None:
        return "The maps are empty: nothing in these pictures moves the number."
    words = f"{percent(share)} of the maps lie on the border, which is {percent(area)} of the area"
    if share > _DRAWN * area:
        return f"{words}. The number may rest on how the pictures were cut or framed: look at the maps."
    return f"{words}: the border does not draw the eye."
