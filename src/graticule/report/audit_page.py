"""The page of an audit: what to do first, then everything it rests on, in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from graticule.report.audit_content import audit_content, breakable, marked
from graticule.report.audit_pictures import Pictures
from graticule.report.content import Numbering
from graticule.report.html import content_policy, environment, part
from graticule.report.thumbnails import ReadRgb


def render_audit(document: Mapping[str, Any], read: ReadRgb, file_of: Callable[[str], Path | None]) -> str:
    """Write the page of an audit as HTML.

    Parameters
    ----------
    document : mapping
        The content of audit.json, and `examples`: per class the paths of pictures to show. Parts that are missing are
        left out.
    read : function of a path
        Returns a uint8 array of shape (H, W, 3); raises ImageError or OSError for a file that cannot be read.
    file_of : function of a path as written in the document
        The file, or None where there is none.

    Returns
    -------
    str
        One page that needs no network; the same text for the same document and files.
    """
    script = part("report.js")
    templates = environment()
    templates.filters |= {"marked": marked, "path": breakable}
    page = templates.get_template("audit.html.j2")
    return page.render(
        **audit_content(document, Pictures(read, file_of)),
        policy=content_policy(script),
        style=Markup(part("report.css") + part("audit.css")),
        script=Markup(script),
        table=Numbering("Table"),
        figure=Numbering("Figure"),
    )
