"""What a whole predict run says: counts over shards, and images that are novel among all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graticule.answers import Shards, block_of, prediction_schema, read_rows
from graticule.decide.answered import reject_by_fdr, tally_answers
from graticule.decide.rule import Rule

CLASSES = ("fibre", "plate")


def shards(folder: Path, decisions: list[list[str | None]], novelty: list[list[float]]) -> list[Path]:
    """A shard for each list; every second image is a plate, the last of a shard cannot be read."""
    files = []
    for number, (decision, p) in enumerate(zip(decisions, novelty, strict=True)):
        n = len(decision)
        proba = np.where(np.arange(n)[:, None] % 2 == 0, [0.75, 0.25], [0.5, 0.5625])
        proba[-1] = np.nan
        own = folder / str(number)
        own.mkdir()
        decided = {"set": [[]] * n, "novelty": p, "decision": decision, "reason": [""] * n, "nearest": [[]] * n}
        with Shards(own, prediction_schema(CLASSES)) as found:
            readable = ~np.isnan(proba[:, 0])
            found.write(block_of(["x"] * n, ["1"] * n, proba, readable, CLASSES, decided))
        files += found.files
    return files


def test_counts_run_over_all_shards(tmp_path: Path) -> None:
    files = shards(
        tmp_path, [["accept", "review", "reject"], ["accept", "accept", None, "reject"]], [[0.5] * 3, [0.5] * 4]
    )
    rule = Rule(np.array([0.5, 0.5]), "guaranteed", 0.99, 0.95, False, 120, 100, 2, "")
    found = tally_answers(files, CLASSES, rule)
    assert found["classes"] == {"fibre": 3, "plate": 2}
    assert found["decisions"] == {"accept": 3, "review": 1, "reject": 2}
    assert found["n_undecided"] == 1
    assert found["mean_score"] == pytest.approx((3 * 0.75 + 2 * 0.5625) / 5)
    assert found["expected_errors"]["value"] == pytest.approx(3 * 2 / 100)
    assert found["expected_errors"]["by_scores"] == pytest.approx(2 * 0.25 + 0.4375)


def test_without_a_rule_nothing_was_accepted_or_sent_to_review(tmp_path: Path) -> None:
    found = tally_answers(shards(tmp_path, [[None, "reject"]], [[0.5] * 2]), CLASSES, None)
    assert found["decisions"] == {"accept": None, "review": None, "reject": 1}
    assert found["expected_errors"] is None


def test_novel_images_are_found_among_all_shards(tmp_path: Path) -> None:
    files = shards(tmp_path, [["accept"] * 4, ["review"] * 4], [[0.01, 0.9, 0.9, 0.9], [0.012, 0.9, 0.9, 0.9]])
    # alone among its four the larger of the two would not be rejected
    reject_by_fdr(files, 0.05)
    assert read_rows(files[0]).decision.tolist() == [2, 0, 0, 0]
    assert read_rows(files[1]).decision.tolist() == [2, 1, 1, 1]
