"""The answer at the top of an audit, its subject, and how texts are set."""

from __future__ import annotations

from graticule.audit.document import AuditDocument
from graticule.report.audit.content import audit_subject, breakable, marked


def test_code_is_marked_and_text_escaped() -> None:
    assert marked("use `--group <x>` & go") == "use <code>--group &lt;x&gt;</code> &amp; go"
    assert marked("one ` alone") == "one ` alone"
    assert breakable("a<b>/c.png") == "a&lt;b&gt;/<wbr>c.png"


def test_the_subject_is_the_name_of_the_data() -> None:
    assert audit_subject(AuditDocument(source="/data/grains")) == "grains"
    assert audit_subject(AuditDocument(source="/data/grains.csv")) == "grains"
    assert audit_subject(AuditDocument(source="/data/grains/manifest.csv")) == "grains"
    assert audit_subject(AuditDocument()) == "images"
