"""Names that people typed: which are one name, which are not, and which deserve a word."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest

from graticule.names import alike, name_key, told_apart, twins, written_otherwise

SAME = [
    ("101", "101 "),
    ("101", "101.0"),
    ("101", "101.00 "),
    ("-3", "-3.0"),
    ("Blast", "bLAST"),
    ("Straße", "STRASSE"),
    ("Präparat", unicodedata.normalize("NFD", "Präparat")),
    ("T cell", "T  cell"),
    ("T cell", "T\u00a0cell"),
    ("T cell", "\tT\u2003cell\u3000"),
    ("blast", "blast\u200b"),
    ("blast", "\ufeffblast"),
    ("blast", "bla\u00adst"),
    ("blast", "blast\u2800"),
    ("blast", "bl\x07ast"),
    ("\u00e4", "a\u200b\u0308"),
    ("7", "\uff17"),
    ("101", "\uff11\uff10\uff11\uff0e\uff10"),
    ("A-1", "A\u20131"),
    ("A-1", "A\u22121"),
    ("5'", "5\u2019"),
    ("m2", "m\u00b2"),
    ("CO2", "CO\u2082"),
    ("10^5", "10\u2075"),
    ("\u00b5m", "\u03bcm"),
    ("\u03c3", "\u03c2"),
]
DIFFERENT = [
    ("101", "1010"),
    ("101", "101.5"),
    ("10", "1.0"),
    ("1.5", "1.50"),
    ("007", "7"),
    ("A1", "A-1"),
    ("A1", "A 1"),
    ("v1.0", "v1"),
    ("1.0.0", "1.0"),
    ("\u03b2", "\u00df"),
    ("10\u2075", "105"),
    ("10\u207b\u00b3", "10-3"),
    ("a", "\u00e4"),
    ("CD4+", "CD4-"),
    ("x/y", "x\\y"),
    ("o", "0"),
    ("\u0410", "A"),
    ("", "0"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_names_that_differ_only_in_how_they_are_typed_have_one_key(a: str, b: str) -> None:
    assert name_key(a) == name_key(b)
    assert twins([a, b, a]) == [sorted((a, b))]
    assert written_otherwise(b, [a, "other"]) == a


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_names_that_are_different_have_different_keys(a: str, b: str) -> None:
    assert name_key(a) != name_key(b)
    assert twins([a, b]) == []
    assert written_otherwise(b, [a]) is None


def test_the_key_holds_for_every_character_in_every_form() -> None:
    """A key is its own key, and does not change with the Unicode form, whatever stands in a name."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        for name in (character, f"1{character}b"):
            key = name_key(name)
            assert name_key(key) == key, ascii(name)
            if not name.isascii():
                assert name_key(unicodedata.normalize("NFD", name)) == key, ascii(name)


def test_the_key_holds_for_random_names() -> None:
    draw = random.Random(3)
    pool = "aAbB019.-\u00e4\u0308\u0301\u200b\u00a0\u00df\u0130\u03c3\u03c2\ufb01\u2460\u00b2\u2075"
    pool += "\u0345\uac00\u1100\u1161"
    for _ in range(3000):
        name = "".join(draw.choices(pool, k=draw.randint(1, 6)))
        key = name_key(name)
        assert name_key(key) == key, ascii(name)
        assert name_key(unicodedata.normalize("NFC", name)) == key, ascii(name)
        assert name_key(unicodedata.normalize("NFD", name)) == key, ascii(name)
        assert name_key(f" {name}\u200b ") == key, ascii(name)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u00a0\t", "\u2800", "\x00", "\u3164"])
def test_a_name_that_shows_nothing_has_an_empty_key(name: str) -> None:
    assert name_key(name) == ""


def test_a_name_of_bytes_that_are_no_text_is_kept_apart() -> None:
    assert name_key("a\udce4") != name_key("a\udcf6")


def test_an_empty_name_is_nobodys_twin() -> None:
    assert twins(["", "\u200b"]) == []
    assert twins(["", " ", "\u200b"]) == [[" ", "\u200b"]]
    assert written_otherwise("", ["\u200b"]) is None


def test_three_spellings_are_one_set() -> None:
    assert twins(["7", "x", "7.0", " 7", "x"]) == [[" 7", "7", "7.0"]]


@pytest.mark.parametrize(
    ("a", "b"),
    [("007", "7"), ("1.5", "1.50"), ("1,5", "1.5"), ("101,0", "101"), ("\u0410\u0412", "AB"), ("\u039d", "N")],
)
def test_names_that_may_be_one_are_told_and_are_no_twins(a: str, b: str) -> None:
    assert alike([a, b, "else"]) == [sorted((a, b))]
    assert twins([a, b]) == []


def test_twins_and_plain_differences_are_not_told_as_alike() -> None:
    assert alike(["7", "7.0", "8", "80", "0", "", "a", "\u03b1", "\u03b2", "\u00df", "A1", "A-1"]) == []


def test_names_are_shown_so_that_the_difference_is_seen() -> None:
    assert told_apart(["a\u200b", "a"]) == r"'a\u200b' and 'a'"
