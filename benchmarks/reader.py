"""Read every file of a folder in a process of its own and compare with what its manifest expects.

    python benchmarks/reader.py FOLDER [--limit 60]

FOLDER holds `manifest.csv` with the columns `file` and `expect` (ok, reject or reject_or_ok) and the files in `files/`
or beside the manifest. Prints what disagrees, a table, the longest time and the largest memory. To reach: all agree,
10 s, 1 GiB. Time and memory are of the whole process, start of the interpreter and imports included.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

CHILD = """
import sys
from pathlib import Path
from graticule.images.image import read_image
from graticule.errors import ImageError
try:
    image = read_image(Path(sys.argv[1]))
except ImageError as error:
    print("reject", error.cause)
else:
    print("ok", image.mode, "x".join(map(str, image.pixels.shape)), image.file_format, *image.notes)
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one file: "ok", "reject", "crash" or "hang"; words; seconds; MiB."""

    kind: str
    words: str
    seconds: float
    mebibytes: float


def read_in_child(file: Path, limit: float) -> Outcome:
    """Read a file in a process of its own, ended after `limit` seconds."""
    start = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout is not None
    deadline = start + limit
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            child.kill()
            _, _, usage = os.wait4(child.pid, 0)
            return Outcome("hang", "", time.monotonic() - start, usage.ru_maxrss / 1024)
        time.sleep(0.005)
    seconds = time.monotonic() - start
    kind, _, words = child.stdout.read().strip().partition(" ")
    if status or kind not in ("ok", "reject"):
        return Outcome("crash", f"status {status}", seconds, usage.ru_maxrss / 1024)
    return Outcome(kind, words, seconds, usage.ru_maxrss / 1024)


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds per file")
    parser.add_argument("--all", action="store_true", help="print every file")
    options = parser.parse_args()
    with (options.folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        rows = [(row["file"], row["expect"]) for row in csv.DictReader(stream)]
    inner = options.folder / "files"
    outcomes = {}
    for name, expect in rows:
        outcome = outcomes[name] = read_in_child((inner if inner.is_dir() else options.folder) / name, options.limit)
        agrees = outcome.kind in expect.split("_or_")
        if options.all or not agrees:
            print(f"{'  ' if agrees else '! '}{expect:<13}{outcome.kind:<7}{name}: {outcome.words[:120]}")
    table = Counter((expect, outcomes[name].kind) for name, expect in rows)
    for (expect, kind), count in sorted(table.items()):
        print(f"expect {expect:<13} became {kind:<7} {count:>5}")
    agree = sum(outcomes[name].kind in expect.split("_or_") for name, expect in rows)
    slowest = max(outcomes, key=lambda name: outcomes[name].seconds)
    largest = max(outcomes, key=lambda name: outcomes[name].mebibytes)
    print(f"{agree} of {len(rows)} agree ({agree / len(rows):.1%})")
    print(f"longest {outcomes[slowest].seconds:.2f} s ({slowest})")
    print(f"largest {outcomes[largest].mebibytes:.0f} MiB ({largest})")


if __name__ == "__main__":
    main()
