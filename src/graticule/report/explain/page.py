"""The page of `graticule explain`: what the model looked at per image and class, and how far to trust the maps."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graticule.report.audit.content import breakable
from graticule.report.explain.content import (
    check_rows,
    curve_plot,
    explain_tiles,
    explain_verdict,
    in_figures,
    percents,
)
from graticule.report.page import render_page

METHODS = {
    "hirescam": "HiResCAM: gradient times activation over the pooled layers",
    "gradcam": "Grad-CAM, rectified; in closed form",
    "gradcam++": "Grad-CAM++, rectified; in closed form",
    "occlusion": "Occlusion sensitivity: the fall of the class when a square of the picture is covered",
}
BASELINES = {
    "training": "measured from the average training image",
    "images": "measured from the average of these images, as the model keeps no average of its training images",
    None: "not measured from an average image: the model keeps none, and these images are too few for one",
}


@dataclass(frozen=True)
class Tile:
    """One image of the gallery.

    Attributes
    ----------
    path : str
    truth : str or None
        Its label, where known.
    predicted : str
    role : str
        "typical", "confused" or "drawn".
    picture : str
        Data URI.
    maps : list of (class, score, data URI)
        Best class first.
    """

    path: str
    truth: str | None
    predicted: str
    role: str
    picture: str
    maps: list[tuple[str, float, str]]

    @property
    def wrong(self) -> bool:
        """Whether the label is known and another one."""
        return self.truth is not None and self.truth != self.predicted


def render_explanations(
    document: Mapping[str, Any], gallery: Sequence[Tile], means: Mapping[str, tuple[str, str]]
) -> str:
    """Write the page as HTML; it needs no network.

    Parameters
    ----------
    document : mapping
        The content of explain.json.
    gallery : sequence of Tile
    means : mapping
        Per class the data URIs of its mean picture and mean map.
    """
    answer, bad = explain_verdict(document)
    curves = document["checks"]["fidelity"]["curves"]
    content = {
        "about": document,
        "answer": answer,
        "bad": bad,
        "tiles": explain_tiles(document),
        "rows": check_rows(document),
        "classes": [_of_class(name, gallery, means) for name in document["classes"] if name in means],
        "by_class": [(name, [t for t in gallery if t.predicted == name]) for name in document["classes"]],
        "n_shown": len(gallery),
        "plots": [(which, curve_plot(curves, which)) for which in ("deletion", "insertion")],
        "method": _method_words(document),
        "n_of_class": Counter(row["predicted"] for row in document["rows"]),
    }
    filters: dict[str, Callable[..., Any]] = {"path": breakable, "share": percents, "mean": in_figures}
    return render_page("explain.html.j2", content, styles=("audit.css", "explain.css"), filters=filters)


def _method_words(document: Mapping[str, Any]) -> str:
    """How the maps were made; only HiResCAM is measured from an average image."""
    words = METHODS[document["method"]]
    return f"{words}, {BASELINES[document['baseline']]}" if document["method"] == "hirescam" else words


def _of_class(name: str, gallery: Sequence[Tile], means: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Mean picture and map of a class with its most typical and its most confused image."""
    mine = [tile for tile in gallery if tile.predicted == name]
    picture, class_map = means[name]
    return {
        "name": name,
        "picture": picture,
        "map": class_map,
        "typical": next((tile for tile in mine if tile.role == "typical"), None),
        "confused": next((tile for tile in mine if tile.role == "confused"), None),
    }
