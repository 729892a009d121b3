"""A blind test as what a review is about: images without any opinion, of which it is asked what they are."""

from pathlib import Path

import numpy as np

from graticule.answers import DECISIONS
from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.manifest import escape_path
from graticule.progress import Reporter
from graticule.review.class_items import ClassItems
from graticule.review.gathering import WITHOUT_MODEL, Subject, hashes_of, left_out_note
from graticule.synthesis.blind import CHOICES, images_of_test


def of_blind_test(folder: Path, reporter: Reporter) -> Subject:
    """The images of a folder of `graticule.synthesis.blind`.

    Raises
    ------
    RunError
        When none of them can be read.
    """
    names = images_of_test(folder)
    sha256 = hashes_of([folder / name for name in names], reporter)
    kept = [i for i, sha in enumerate(sha256) if sha]
    if not kept:
        raise RunError(f"{folder}: none of the {len(names)} images of this blind test is there")
    n = len(kept)
    items = ClassItems(
        sha256=object_array([sha256[i] for i in kept]),
        path=object_array([escape_path(names[i]) for i in kept]),
        classes=CHOICES,
        proba=np.full((n, len(CHOICES)), 1.0 / len(CHOICES)),
        sets=((),) * n,
        novelty=np.full(n, np.nan),
        decision=object_array([DECISIONS[1]] * n),
        reason=object_array([""] * n),
        nearest=((),) * n,
        given=object_array([""] * n),
        group=object_array([""] * n),
        suspicion=np.full(n, np.nan),
        suggested=object_array([CHOICES[0]] * n),
        sampling_prob=np.full(n, np.nan),
    )
    return Subject(
        items=items,
        root=folder,
        source=f"blind test {folder.name}",
        bundle=None,
        preprocessing=WITHOUT_MODEL,
        training=None,
        model_hash=None,
        run_hash=None,
        notes=left_out_note(len(names) - n, "missing files"),
    )
