"""How well readers told real from generated images in a blind test, and how far each agreed with himself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from graticule.plain_text import plural
from graticule.statistics.intervals import MIN_GROUPS, share_limits
from graticule.synthesis.blind import CHOICES, GENERATED, BlindImage

CHANCE = 0.5


def score_blind(said: Mapping[tuple[str, str], str], truth: Mapping[str, BlindImage]) -> dict[str, Any]:
    """Share of right answers of each reader and of all, with limits.

    Of an image that came twice the first counts, and whether both answers agree is told apart. Readers who see the same
    images do not answer independently, so the limits of all readers together go by the image.

    Parameters
    ----------
    said : mapping of (SHA-256, reader) to a word
        Other words than "real" and "generated" are no answer.
    truth : mapping of SHA-256 to BlindImage

    Returns
    -------
    dict
        "n_images"; "readers": per reader "reader", "n", "share", "share_generated" and "share_real" (of the images of
        each kind, found as such), "n_twice", "n_same"; "all": the same of all readers together; "words".
    """
    people = sorted({who for sha, who in said if sha in truth})
    second = {image.source: sha for sha, image in truth.items() if image.again}
    first = {sha: image for sha, image in truth.items() if not image.again}
    rows = [_of_reader(who, said, first, second) for who in people]
    whole = _summed(rows)
    return {
        "n_images": len(first),
        "readers": [row["told"] for row in rows],
        "all": whole,
        "words": _words(whole, len(people), len(first)),
    }


def _answer(said: Mapping[tuple[str, str], str], sha: str | None, who: str) -> str | None:
    word = None if sha is None else said.get((sha, who))
    return word if word in CHOICES else None


def _of_reader(
    who: str, said: Mapping[tuple[str, str], str], first: Mapping[str, BlindImage], second: Mapping[str, str]
) -> dict[str, Any]:
    """Answers of one reader, and what is told of them."""
    given = {sha: _answer(said, sha, who) for sha in first}
    answered = [sha for sha, word in given.items() if word is not None]
    hit = np.array([given[sha] == first[sha].kind for sha in answered], bool)
    kind = np.array([first[sha].kind for sha in answered], object)
    again = [_answer(said, second.get(first[sha].source), who) for sha in answered]
    twice = [word == given[sha] for sha, word in zip(answered, again, strict=True) if word is not None]
    told = {"reader": who, **_shares(hit, kind, None), "n_twice": len(twice), "n_same": sum(twice)}
    return {"told": told, "hit": hit, "kind": kind, "image": answered}


def _shares(hit: Any, kind: Any, image: Any) -> dict[str, Any]:
    def share(rows: Any) -> dict[str, Any]:
        own, unit = hit[rows], None if image is None else image[rows]
        if not len(own):
            return {"value": None, "low": None, "high": None, "method": "wilson", "level": 0.95}
        enough = unit is None or len(np.unique(unit)) >= MIN_GROUPS
        low, high = share_limits(own, unit, 0.95) if enough else (None, None)
        method = "wilson" if unit is None else "cluster-t" if enough else "too_few_groups"
        return {"value": float(own.mean()), "low": low, "high": high, "method": method, "level": 0.95}

    made = np.asarray(kind == GENERATED, bool).reshape(len(hit))
    every = np.ones(len(hit), bool)
    return {"n": len(hit), "share": share(every), "share_generated": share(made), "share_real": share(~made)}


def _summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All readers together."""
    if not rows:
        return {**_shares(np.zeros(0, bool), np.zeros(0, object), None), "n_twice": 0, "n_same": 0}
    hit, kind, image = (np.concatenate([np.asarray(row[key]) for row in rows]) for key in ("hit", "kind", "image"))
    codes = None if len(rows) == 1 else np.unique(image, return_inverse=True)[1].reshape(-1)
    counts = {name: sum(row["told"][name] for row in rows) for name in ("n_twice", "n_same")}
    return {**_shares(hit, kind, codes), **counts}


def _words(whole: Mapping[str, Any], n_people: int, n_images: int) -> list[str]:
    """What it means."""
    share = whole["share"]
    if share["value"] is None:
        return ["Nobody has judged an image of this test yet, unseen by others."]
    told = [
        f"{plural(n_people, 'reader')} named {whole['n']:,} images, {100 * share['value']:.0f} % of them rightly; "
        f"guessing gets {100 * CHANCE:.0f} %."
    ]
    if share["low"] is None:
        told.append("These are too few images for an interval.")
    elif share["low"] > CHANCE:
        told.append("The generated images can be told from real ones.")
    elif share["high"] < CHANCE:
        told.append("Fewer than by guessing: generated images are taken for real ones, and real ones for generated.")
    else:
        told.append(
            f"That they can be told apart is not shown; up to {100 * share['high']:.0f} % may be right. "
            "Images that nobody tells from real ones may still be copies, or of no use."
        )
    if whole["n_twice"]:
        told.append(
            f"Of {plural(whole['n_twice'], 'answer')} on images that came twice, {whole['n_same']:,} were the same."
        )
    if whole["n"] < n_images * n_people:
        told.append(f"{n_images * n_people - whole['n']:,} images were not judged yet.")
    return told
