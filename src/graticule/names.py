"""When two names that people typed are one name: classes, patients, sites, operators, files.

A name is typed more than once: in a table, as a folder, on the next day, on another machine. What a person takes for
the same name may then differ in code points: a blank at the end, a no-break space, an invisible character, upper and
lower case, a composed or decomposed letter (macOS), a wide digit, the dash that an office program sets, or the `.0`
that a spreadsheet or a data frame adds to a whole number. Taken for two, such twins make two classes of one, or put
one patient on both sides of a split. `name_key` is equal for such names and for no others; nothing else in the program
decides that. What it leaves apart on purpose stands there.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

# Default_Ignorable_Code_Point of Unicode 16.0 (DerivedCoreProperties.txt): joiners, marks of direction and of order of
# bytes, soft hyphens, fillers, variation selectors, tags; then what shows nothing either: anchors of interlinear notes
_IGNORABLE = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
    (0xFFF9, 0xFFFB),
)
# control characters that are no white space show nothing
_CONTROL = ((0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F))
_DASHES = "\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u2032\uff07"
_QUOTES = "\u201c\u201d\u201f\uff02"
_BLANKS = "\u2800"  # BRAILLE PATTERN BLANK is no white space for Unicode, and shows nothing
_MAPPED: dict[int, str | None] = {
    **{code: None for first, last in (*_IGNORABLE, *_CONTROL) for code in range(first, last + 1)},
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, _QUOTES), '"'),
    **dict.fromkeys(map(ord, _BLANKS), " "),
}
# an exponent or index after a digit: NFKC would turn ten to the fifth into 105
_RAISED, _LOWERED = "\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b", "\u2080-\u208b"
_AFTER_DIGIT = re.compile(rf"(?<=\d)(?:([{_RAISED}]+)|([{_LOWERED}]+))")
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")
_NUMBER = re.compile(r"(-?)0*([0-9]+)(?:[.,]([0-9]*))?")
# capitals and small letters of Cyrillic and Greek that look as Latin ones do in most typefaces
_CYRILLIC = (
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u051a\u051c"
    "\u0430\u0435\u0455\u0456\u0458\u043e\u0440\u0441\u0443\u0445\u0501\u051b\u051d"
)
_GREEK = "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03b9"
_LOOKS_LATIN = str.maketrans(_CYRILLIC + _GREEK, "ABESIJKMHOPCTYXQWaesijopcyxdqwABEZHIKMNOPTYXovi")


def name_key(name: str) -> str:
    """What is equal for names that differ only in how they were typed or stored.

    Invisible characters are dropped (Unicode's default-ignorable ones, control characters), compatibility forms and
    composed letters are unified (NFKC), upper and lower case are (case folding, so that a sharp s is two s), white
    space of any kind is one blank and none at the ends, dashes, apostrophes and quotation marks of typesetters are the
    plain ones, and a whole number loses a `.0`. An exponent or index after a digit is kept apart from the digit.

    Kept apart on purpose, because they are names of their own somewhere: "A1" and "A-1", "101" and "1010", "1.5" and
    "1.50", "007" and "7" (see `alike`), letters of different scripts that look alike (see `alike`), a Greek beta and
    a sharp s, "10 to the 5th" in raised digits and "105". Joined, because people write them both ways: "m2" and its
    square in a raised digit, "CO2" with an index, a circled or wide digit and the plain one.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        For comparing only, never shown or stored as the name. Empty for a name that shows nothing. The key of a key
        is itself.
    """
    if name.isascii() and name.isprintable():
        text = name.casefold()
    else:
        text = unicodedata.normalize("NFKC", _AFTER_DIGIT.sub(_marked, _folded(name)))
        text = _folded(text)
    text = " ".join(text.split())
    whole = _WHOLE.fullmatch(text)
    return text if whole is None else whole[1]


def _folded(text: str) -> str:
    """Without what shows nothing, composed, case-folded (Unicode Standard, 3.13, D145: fold what is decomposed)."""
    text = unicodedata.normalize("NFD", text.translate(_MAPPED)).casefold()
    return unicodedata.normalize("NFC", text).translate(_MAPPED)


def _marked(match: re.Match[str]) -> str:
    return ("^" if match[1] else "_") + unicodedata.normalize("NFKC", match[0])


def twins(names: Iterable[str]) -> list[list[str]]:
    """Sets of different names with one key, each sorted by code point, in the order of the first that was given.

    Parameters
    ----------
    names : iterable of str
        May repeat. The empty name is left out: it is none.
    """
    by_key: dict[str, set[str]] = {}
    for name in dict.fromkeys(names):
        if name:
            by_key.setdefault(name_key(name), set()).add(name)
    return [sorted(group) for group in by_key.values() if len(group) > 1]


def alike(names: Iterable[str]) -> list[list[str]]:
    """Names that are no twins but may be one, in sets sorted by code point: worth a word, never a refusal.

    Those are numbers of one value ("007" and "7", "1.5" and "1.50" and "1,5"), and names that differ only in letters
    of Latin, Greek and Cyrillic that look the same (a Latin and a Cyrillic A).

    Parameters
    ----------
    names : iterable of str
    """
    by_key: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(names):
        if name:
            by_key.setdefault(_loose_key(name), {}).setdefault(name_key(name), name)
    return [sorted(group.values()) for group in by_key.values() if len(group) > 1]


def _loose_key(name: str) -> str:
    text = name_key(name if name.isascii() else unicodedata.normalize("NFC", name).translate(_LOOKS_LATIN))
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    sign, whole, decimals = number.groups()
    decimals = (decimals or "").rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def written_otherwise(name: str, known: Iterable[str]) -> str | None:
    """The known name that another is a twin of, or None; None too for a name that is known as it is."""
    known = tuple(known)
    if name in known or not name:
        return None
    key = name_key(name)
    return next((other for other in known if name_key(other) == key), None)


def told_apart(names: Sequence[str]) -> str:
    """Names that look alike, so that one sees the difference: in ASCII, with escapes for all else."""
    return " and ".join(map(ascii, names))
