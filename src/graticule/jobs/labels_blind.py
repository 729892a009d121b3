"""`graticule labels blind`: how well readers told real images from generated ones."""

from pathlib import Path
from typing import Any

from graticule.errors import LabelStoreError
from graticule.record.events import Event
from graticule.record.store import LabelStore
from graticule.review.agreement import blind_values
from graticule.synthesis.blind import read_truth
from graticule.synthesis.blind_score import score_blind


def score_blind_record(labels: str, truth: Path) -> dict[str, Any]:
    """Hold the answers of a record against what the images are.

    Only answers that were given blind count.

    Parameters
    ----------
    labels : str
        A label store.
    truth : Path
        The table beside the folder of the test.

    Returns
    -------
    dict
        As `graticule.synthesis.blind_score.score_blind`, with "head" of the record.

    Raises
    ------
    LabelStoreError
        When the chain of events is broken.
    ManifestError
        When the table is none of a blind test.
    """
    known = read_truth(truth)
    with LabelStore.open(labels, read_only=True) as store:
        found = store.verify()
        if not found.sound:
            raise LabelStoreError(f"nothing is counted: the chain of {store.shown} is broken. {found.problem}")
        said = blind_values(Event.of(row) for row in store.rows(up_to=found.head.seq))
    return {**score_blind(said, known), "head": {"seq": found.head.seq, "hash": found.head.hash}}
