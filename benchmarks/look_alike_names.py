"""Names that look alike in labels and groups: are twins told, and are different names left alone?

    python benchmarks/look_alike_names.py [--pairs 200] [--seed 0]

Random names as people give them (codes of patients, lots and wells, numbers, words in several scripts) are typed a
second time as another person, machine or program would write them: with blanks, invisible characters, another case or
Unicode form, wide digits, another dash, `.0`; and altered into names that are truly different: another digit or letter,
one more, leading zeros, another decimal, a separator, a sign, an exponent. Each pair stands in a table of its own, once
as two labels and once as two groups, which is read as `train` reads it. Printed: twins that were refused with both
names in ASCII, and different names that were refused, per kind of change.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from graticule.errors import ManifestError
from graticule.sources.sources import read_manifest

WORDS = (
    *(
        "blast",
        "T cell",
        "normal",
        "Präparat",
        "échantillon",
        "niño",
        "Größe",
        "żółty",
        "größer",
        "patient",
        "lot",
        "slide",
    ),
    *("проба", "контроль", "δείγμα", "試料", "샘플", "नमूना", "IFN-γ", "CD4+", "Ø 5 µm", "Ångström", "naïve", "NaCl"),
)
INVISIBLE = "\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u034f\u180e\ufe0f"
BLANKS = "\u00a0\u2002\u2003\u2009\u202f\u3000\t "
WIDE = str.maketrans("0123456789", "".join(chr(0xFF10 + i) for i in range(10)))
Change = Callable[[str, random.Random], str]


def random_name(draw: random.Random) -> str:
    """A name as people give them."""
    number = str(draw.randint(1, 10 ** draw.randint(1, 6)))
    word = draw.choice(WORDS)
    letter = draw.choice("ABCDEFGHKMPRSTXYZ")
    with_word = (f"{word} {number}", f"{word}_{letter}", word)
    with_letter = (f"{letter}{number}", f"{letter}-{number}", f"{number}/{letter}")
    return draw.choice((number, f"{number}.{draw.randint(1, 9)}", *with_word, *with_letter))


def inserted(text: str, at: int, more: str) -> str:
    return text[:at] + more + text[at:]


TWINS: dict[str, Change] = {
    "blank at an end": lambda s, d: d.choice((f"{s} ", f" {s}", f"{s}{d.choice(BLANKS)}", f"{d.choice(BLANKS)}{s}")),
    "another or a doubled blank": lambda s, d: s.replace(
        " ", d.choice((f" {d.choice(BLANKS)}", d.choice(BLANKS[:-1])))
    ),
    "invisible character": lambda s, d: inserted(s, d.randint(0, len(s)), d.choice(INVISIBLE)),
    "case": lambda s, d: d.choice((s.upper(), s.lower(), s.title(), s.swapcase())),
    "Unicode form": lambda s, d: unicodedata.normalize(d.choice(("NFD", "NFKD")), s),
    "wide digits": lambda s, _: s.translate(WIDE),
    "whole number with .0": lambda s, d: s + d.choice((".0", ".00", ".0 ")) if s.isdecimal() else s,
    "another dash": lambda s, d: s.replace("-", d.choice("\u2010\u2011\u2012\u2013\u2212")),
}
DIFFERENT: dict[str, Change] = {
    "one more digit": lambda s, d: s + d.choice("0123456789"),
    "another digit": lambda s, d: "".join(str((int(c) + 1) % 10) if c in "0123456789" else c for c in s),
    "one more letter": lambda s, d: inserted(s, d.randint(0, len(s)), d.choice("bkmqx")),
    "leading zeros": lambda s, d: "0" * d.randint(1, 3) + s if s.isdecimal() else s,
    "a decimal": lambda s, d: f"{s}.{d.randint(1, 9)}" if s.isdecimal() else s,
    "decimals of another length": lambda s, d: s + "0" * d.randint(1, 2) if "." in s else s,
    "a separator": lambda s, d: s.replace("-", "") if "-" in s else s.replace(" ", d.choice("-_")),
    "a sign": lambda s, d: s + d.choice("+-"),
    "an exponent": lambda s, d: s + d.choice("\u2070\u00b9\u00b2\u00b3\u2074\u2075") if s[-1] in "0123456789" else s,
    "without its accents": lambda s, _: unicodedata.normalize(
        "NFC", "".join(c for c in unicodedata.normalize("NFD", s) if not unicodedata.combining(c))
    ),
    "a blank within": lambda s, _: f"{s[0]} {s[1:]}" if s[1:2].strip() else s,
}


def changed(kind: str, change: Change, draw: random.Random, as_group: bool) -> tuple[str, str]:
    """A random name and what a change made of it, both fit for a label where they are to be labels."""
    while True:
        name = random_name(draw)
        other = change(name, draw)
        # a label with '/' or with a blank at an end is refused for itself
        fit = as_group or not ("/" in name or other != other.strip() or (not other.isprintable() and "\t" in other))
        if other != name and (fit or kind == "blank at an end"):
            return name, other


def refusal(folder: Path, names: tuple[str, str], as_group: bool) -> str:
    """What a table with two names is refused with; "" where it is read and the two stay two."""
    with (folder / "t.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("path", "label", "group"))
        for i in range(8):
            name = names[i % 2]
            writer.writerow((f"{i}.png", f"class {i % 2}" if as_group else name, name if as_group else f"g{i}"))
    try:
        manifest = read_manifest(folder / "t.csv")
    except ManifestError as error:
        return str(error)
    found = manifest.columns["group"] if as_group else manifest.label
    assert set(found) == set(names)
    return ""


def measure(kinds: dict[str, Change], pairs: int, draw: random.Random, folder: Path, as_group: bool) -> Counter[str]:
    """Refused pairs per kind, those that name both in ASCII apart; the kinds take turns."""
    count: Counter[str] = Counter()
    for i in range(pairs):
        kind = list(kinds)[i % len(kinds)]
        names = changed(kind, kinds[kind], draw, as_group)
        told = refusal(folder, names, as_group)
        count[f"{kind}: pairs"] += 1
        count[f"{kind}: refused"] += bool(told)
        count[f"{kind}: both told"] += bool(told) and all(ascii(name) in told for name in names)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i in range(8):
            (folder / f"{i}.png").write_bytes(b"")
        for what, kinds in (("twins", TWINS), ("different names", DIFFERENT)):
            for as_group in (False, True):
                count = measure(kinds, options.pairs, draw, folder, as_group)
                total = {key: sum(n for k, n in count.items() if k.endswith(key)) for key in ("refused", "both told")}
                where = "group" if as_group else "label"
                print(
                    f"{what}, in {where}: {options.pairs} pairs, {total['refused']} refused, "
                    f"{total['both told']} with both names in ASCII"
                )
                for kind in kinds:
                    print(f"    {kind}: {count[f'{kind}: refused']} of {count[f'{kind}: pairs']}")


if __name__ == "__main__":
    main()
