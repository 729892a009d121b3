"""A blind test: can a person tell real images from generated ones?

Real images that no generator saw and generated ones of the same kinds lie in one folder, in no order and under names
that say nothing, all written in one way, so that neither file nor size gives the origin away. Some come twice, untold,
which shows how far a reader agrees with himself. What each is stands in a table outside of the folder. A few of both,
none of them asked, are shown with the truth first: who has seen a clue does better (in one study 80 instead of 61 of
100), and a test that readers fail for want of it proves nothing.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.PngImagePlugin

from graticule.arrays import IntArray, Pixels, StrArray
from graticule.errors import ManifestError
from graticule.files import write_bytes, writing_text
from graticule.plain_text import safe_cell
from graticule.runs import DONE, read_json, utc_now, write_json
from graticule.sources.tables import read_table

REAL, GENERATED = "real", "generated"
CHOICES = (GENERATED, REAL)
# of a folder with such a test
DOCUMENT = "blind.json"
FEWEST = 10
N_EACH, N_TWICE, N_CLUE = 50, 10, 12
_COLUMNS = ("sha256", "file", "kind", "label", "source", "again")


@dataclass(frozen=True)
class BlindDraw:
    """Which images are asked, which of these twice, and which are shown with the truth before.

    Attributes
    ----------
    asked, twice, clue : int arrays
        Places among the candidates, the real ones and behind them the generated ones; `twice` in `asked`.
    """

    asked: IntArray
    twice: IntArray
    clue: IntArray


def draw_blind(real: StrArray, generated: StrArray, seed: int) -> BlindDraw | None:
    """Draw as many real as generated images of each class; None where there are fewer than `FEWEST` of either.

    Parameters
    ----------
    real, generated : object arrays of str, shapes (m,) and (n,)
        Class of each candidate.
    seed : int
    """
    generator = np.random.default_rng(seed)
    of_class: list[list[tuple[int, int]]] = []
    for name in sorted(set(real.tolist()) & set(generated.tolist())):
        own, made = (generator.permutation(np.flatnonzero(label == name)) for label in (real, generated))
        of_class.append(list(zip(own.tolist(), (len(real) + made).tolist(), strict=False)))
    # the classes in turn, so that none is missing among the clues
    pairs = [pair for row in zip_longest(*of_class) for pair in row if pair is not None]
    if len(pairs) < FEWEST:
        return None
    drawn = np.array(pairs, np.int64)
    # a clue is worth a fifth of the images where there are few
    n_clue = min(N_CLUE, len(drawn) // 5)
    asked = generator.permutation(drawn[n_clue : n_clue + N_EACH].ravel())
    twice = generator.choice(asked, min(N_TWICE, len(asked) // 4), replace=False)
    return BlindDraw(asked, twice, drawn[:n_clue].ravel())


def write_blind(
    folder: Path,
    truth: Path,
    draw: BlindDraw,
    n_real: int,
    read: Callable[[int], Pixels],
    about: Sequence[tuple[str, str]],
    seed: int,
) -> None:
    """Write a test for `graticule review FOLDER --blind`, and the table of what each image is.

    Parameters
    ----------
    folder, truth : Path
        Created; the table lies outside of the folder.
    draw : BlindDraw
    n_real : int
        How many of the candidates are real.
    read : function of a place
        uint8 array, shape (H, W) or (H, W, 3).
    about : sequence of (class, path)
        Of each candidate.
    seed : int
    """
    generator = np.random.default_rng((seed, 1))
    places = [(int(place), "") for place in draw.asked] + [(int(place), "yes") for place in draw.twice]
    names, rows = [], []
    for number, k in enumerate(generator.permutation(len(places)).tolist(), start=1):
        place, again = places[k]
        content = _png(read(place), generator.bytes(16).hex())
        names.append(f"{number:03d}.png")
        write_bytes(folder / names[-1], content, new=True)
        label, path = about[place]
        kind = REAL if place < n_real else GENERATED
        rows.append((hashlib.sha256(content).hexdigest(), names[-1], kind, label, path, again))
    write_json(folder / DOCUMENT, {"verb": "blind test", "choices": list(CHOICES), "images": names})
    with writing_text(truth) as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows([safe_cell(cell) for cell in row] for row in rows)
    write_bytes(folder / DONE, f"{utc_now()}\n".encode())


def _png(pixels: Pixels, nonce: str) -> bytes:
    """A PNG file; the word in it makes two of one picture different files."""
    words = PIL.PngImagePlugin.PngInfo()
    words.add_text("Comment", nonce)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG", pnginfo=words)
    return buffer.getvalue()


@dataclass(frozen=True)
class BlindImage:
    """What an image of a blind test is.

    Attributes
    ----------
    kind : "real" or "generated"
    label : str
        Its class.
    source : str
        The file it was made from; the same for the two of a repeat.
    again : bool
        Whether it is the second of a repeat.
    """

    kind: str
    label: str
    source: str
    again: bool


def read_truth(file: Path) -> dict[str, BlindImage]:
    """What each image of a test is, by the SHA-256 of its file.

    Raises
    ------
    ManifestError
        When the file is no such table.
    """
    cells = read_table(file).columns
    missing = [name for name in _COLUMNS if name not in cells]
    strange = sorted(set(cells.get("kind", ())) - set(CHOICES))
    if missing or strange or not cells["sha256"]:
        found = f"it lacks {', '.join(missing)}" if missing else f"kinds {', '.join(strange)}" if strange else "no row"
        raise ManifestError(
            f"{file} does not say what the images of a blind test are ({found}); name the table that was written "
            "beside the folder, blind-truth.csv"
        )
    rows = zip(*(cells[name] for name in _COLUMNS), strict=True)
    return {sha: BlindImage(kind, label, source, again == "yes") for sha, _, kind, label, source, again in rows}


def is_blind_test(folder: Path) -> bool:
    """Whether a folder holds such a test."""
    return (folder / DOCUMENT).is_file()


def images_of_test(folder: Path) -> list[str]:
    """Names of the files of a test."""
    return [str(name) for name in read_json(folder / DOCUMENT)["images"]]
