"""The page of `graticule synthesize`: may generated images train, and why; with a sheet of them beside real ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from graticule.report.page import render_page
from graticule.report.synthesis.content import MEANINGS, Sheet, answer_on_generated, class_figures, shown_sheet
from graticule.report.thumbnails import ReadRgb

SIDE = 128


def render_judgement(about: Mapping[str, Any], gate: Mapping[str, Any], sheets: Sequence[Sheet], read: ReadRgb) -> str:
    """Write the page as one HTML text.

    Parameters
    ----------
    about : mapping
        run.json.
    gate : mapping
        gate.json.
    sheets : sequence of Sheet
        In the order of the classes of gate.json.
    read : callable
        Reads a picture.
    """
    classes = [
        (one, class_figures(one), shown_sheet(sheet, read)) for one, sheet in zip(gate["classes"], sheets, strict=True)
    ]
    return render_page(
        "synthesis.html.j2",
        {
            "about": about,
            "answer": answer_on_generated(gate["classes"]),
            "classes": classes,
            "meanings": MEANINGS,
        },
        styles=("synthesis.css",),
    )
