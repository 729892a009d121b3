"""The blind test beside a judgement of generated images: a folder for readers, the truth apart, and a page of clues."""

from pathlib import Path

import numpy as np

from graticule.arrays import BoolArray, Pixels
from graticule.files import own_folder, write_text
from graticule.formats.selection import Selection
from graticule.jobs.synthesize.judge import Judged
from graticule.manifest import escape_path
from graticule.report.synthesis.clue import render_clue
from graticule.report.thumbnails import data_uri, pictures_of_files
from graticule.synthesis.blind import FEWEST, draw_blind, write_blind

FOLDER, TRUTH, CLUE = "blind", "blind-truth.csv", "blind-clue.html"


def write_blind_test(out: Path, judged: Judged, selection: Selection, seed: int) -> bool:
    """Write a blind test of real images that the generators did not see and of generated ones; whether there is one.

    Parameters
    ----------
    out : Path
        Gets the folder `blind`, and beside it `blind-truth.csv` and `blind-clue.html`.
    judged : Judged
    selection : Selection
    seed : int

    Returns
    -------
    bool
        False where there are fewer than ten images of either kind.
    """
    fresh, fit = _not_seen(judged), _no_copies(judged)
    real, made = judged.real.manifest.take(fresh), judged.made.manifest.take(fit)
    draw = draw_blind(real.label, made.label, seed)
    if draw is None:
        return False
    files = [*real.files(), *made.files()]
    about = [
        (str(label), escape_path(path))
        for one in (real, made)
        for label, path in zip(one.label.tolist(), one.path.tolist(), strict=True)
    ]
    # larger real images are shrunk to what a generated one has at most, so that size does not tell them
    side = max(max(judged.made.info[i].width, judged.made.info[i].height) for i in np.flatnonzero(fit))
    folder = own_folder(out / FOLDER, new=True)
    with pictures_of_files(side, selection) as read:

        def pixels(place: int) -> Pixels:
            return read(files[place])

        write_blind(folder, out / TRUTH, draw, len(real), pixels, about, seed)
        shown = [(int(place) < len(real), about[place][0], data_uri(pixels(place), side)) for place in draw.clue]
    write_text(out / CLUE, render_clue(shown))
    return True


def _not_seen(judged: Judged) -> BoolArray:
    """Real images that no generator saw; where these are few, those that one of several did not see."""
    fresh = np.asarray(~judged.seen.any(axis=0), dtype=bool)
    return fresh if fresh.sum() >= FEWEST else np.asarray(~judged.seen.all(axis=0), dtype=bool)


def _no_copies(judged: Judged) -> BoolArray:
    """Generated images that are no copy one by one."""
    kept = np.zeros(len(judged.made.manifest), bool)
    for found, rows in judged.classes:
        kept[rows] = True if found.flagged is None else ~np.asarray(found.flagged, dtype=bool)
    return kept
