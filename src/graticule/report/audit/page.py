"""The page of an audit: what to do first, then everything it rests on, in one file."""

from collections.abc import Callable
from pathlib import Path

from graticule.audit.document import AuditDocument
from graticule.report.audit.content import audit_content, breakable, marked
from graticule.report.audit.pictures import AuditPictures
from graticule.report.page import render_page
from graticule.report.thumbnails import ReadRgb


def render_audit(document: AuditDocument, read: ReadRgb, file_of: Callable[[str], Path | None]) -> str:
    """Write the page of an audit as HTML.

    Parameters
    ----------
    document : AuditDocument
        Parts in which nothing was found are left out.
    read : function of a path
        Returns a uint8 array of shape (H, W, 3); raises ImageError or OSError for a file that cannot be read.
    file_of : function of a path as written in the document
        The file, or None where there is none.

    Returns
    -------
    str
        One page that needs no network; the same text for the same document and files.
    """
    return render_page(
        "audit.html.j2",
        audit_content(document, AuditPictures(read, file_of)),
        styles=("audit.css",),
        filters={"marked": marked, "path": breakable},
    )
