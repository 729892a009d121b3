"""The page of an audit: what to do first, then everything it rests on, in one file."""

from graticule.audit.document import AuditDocument
from graticule.audit.value_document import ValueAuditDocument
from graticule.report.audit.content import audit_content, breakable, marked
from graticule.report.audit.pictures import AuditPictures
from graticule.report.audit.value_content import value_audit_content
from graticule.report.page import render_page
from graticule.report.thumbnails import FileOf, ReadRgb


def render_audit(document: AuditDocument, read: ReadRgb, file_of: FileOf) -> str:
    """The page of an audit as HTML, without the parts in which nothing was found; it needs no network."""
    return render_page(
        "audit.html.j2",
        audit_content(document, AuditPictures(read, file_of)),
        styles=("audit.css",),
        filters={"marked": marked, "path": breakable},
    )


def render_value_audit(document: ValueAuditDocument, read: ReadRgb, file_of: FileOf) -> str:
    """The page of an audit of numbers as HTML, as `render_audit`."""
    return render_page(
        "value_audit.html.j2",
        value_audit_content(document, AuditPictures(read, file_of)),
        styles=("audit.css",),
        filters={"marked": marked, "path": breakable},
    )
