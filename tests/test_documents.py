"""Strict JSON: what is written is read back, what only Python's reader takes is refused."""

from __future__ import annotations

import json

import pytest

from graticule.documents import parse_document


def test_plain_documents_are_read_as_python_reads_them() -> None:
    document = {
        "a": [1, -2.5, 1e-300, None, True, {"b": "é \\ud83d\\ude00 \u2028"}],
        "": {},
        "n": 2**63 - 1,
        "m": -(2**63),
    }
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False), json.dumps(document, indent=1)):
        assert parse_document(text) == parse_document(text.encode()) == document


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": [-Infinity]}', "-Infinity is no number"),
        ('{"a": 1e999}', "out of range"),
        ('{"a": -1e999}', "out of range"),
        (f'{{"a": {2**63}}}', "out of range"),
        (f'{{"a": -{"9" * 5000}}}', "out of range"),
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "'c' stands there twice"),
        ('{"a": "\\ud800"}', "no valid Unicode"),
        ('{"\\udfff": 1}', "no valid Unicode"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("[]", "no JSON object"),
        ("3", "no JSON object"),
        ("", "Expecting value"),
        ('{"a": 1} {"a": 1}', "Extra data"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_document(text)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        parse_document(b'{"a": "\xff"}')
