"""The page of clues before a blind test: some real and some generated images with the truth."""

from collections.abc import Sequence

from graticule import __version__
from graticule.report.page import render_page


def render_clue(shown: Sequence[tuple[bool, str, str]]) -> str:
    """Write the page as one HTML text.

    Parameters
    ----------
    shown : sequence of (real, class, data URI)
        None of these images is in the test.
    """
    classes = sorted({label for _, label, _ in shown})

    def of(kind: bool, label: str) -> list[str]:
        return [uri for real, own, uri in shown if real == kind and own == label]

    rows = [(label, of(True, label), of(False, label)) for label in classes]
    return render_page("blind_clue.html.j2", {"version": __version__, "rows": rows}, styles=("synthesis.css",))
