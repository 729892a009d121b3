"""The page of `graticule explain` for a number: pictures from the largest number to the smallest, with their maps."""

from collections.abc import Mapping, Sequence
from typing import Any

from graticule.report.audit.content import breakable
from graticule.report.explain.content import percents
from graticule.report.explain.page import METHODS
from graticule.report.explain.value_content import (
    PARTS,
    Added,
    destroyed_rows,
    explained_value_verdict,
    family_rows,
    family_shares,
    statistic_rows,
    tile_words,
    told_shares,
    value_check_rows,
    value_plots,
)
from graticule.report.page import render_page

_AVERAGES = {
    "training": "the average training image",
    "images": "the average of these images, as the model keeps no average of its training images",
    None: "",
}


def render_value_explanations(document: Mapping[str, Any], tiles: Sequence[Mapping[str, Any]]) -> str:
    """Write the page as HTML; it needs no network.

    Parameters
    ----------
    document : mapping
        The content of explain.json.
    tiles : sequence of mapping
        Rows of explain.json, with "picture" as a data URI and "maps", one for each part.
    """
    added = Added.of(document)
    answer, bad = explained_value_verdict(document)
    sizes = [(words, added.size(size), percents(share)) for words, size, share in told_shares(document)]
    families = [(words, added.size(size), percents(share)) for words, size, share in family_shares(document)]
    content = {
        "about": document,
        "answer": answer,
        "bad": bad,
        "tiles": [
            {
                "path": tile["path"],
                "number": added.amount(float(tile["predicted"])),
                "picture": tile["picture"],
                "maps": [(PARTS[part], uri) for part, uri in tile["maps"].items()],
                "told": tile_words(tile, document, added),
                "families": family_rows(tile, added),
                "statistics": statistic_rows(tile, added),
            }
            for tile in tiles
        ],
        "sizes": sizes,
        "families": families,
        "average": _AVERAGES[document["baseline"]],
        "rows": value_check_rows(document),
        "destroyed": destroyed_rows(document),
        "plots": value_plots(document, added),
        "method": METHODS[document["method"]].replace("the class", "the number"),
    }
    return render_page(
        "explain_values.html.j2", content, styles=("audit.css", "explain.css"), filters={"path": breakable}
    )
