"""Readers' answers against the truth: shares with intervals, repeats, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from graticule.synthesis.blind import BlindImage
from graticule.synthesis.blind_score import score_blind

N = 100
TRUTH = {f"{i}": BlindImage("real" if i % 2 else "generated", "oil", f"{i}.png", again=False) for i in range(N)} | {
    f"again {i}": BlindImage("real" if i % 2 else "generated", "oil", f"{i}.png", again=True) for i in range(10)
}
OTHER = {"real": "generated", "generated": "real"}


def said(who: str, right: Callable[[int], bool], again: int = 10) -> dict[tuple[str, str], str]:
    """Answers to all images; to the first `again` repeats as before, to the others the opposite."""
    found = {}
    for i in range(N):
        kind = TRUTH[f"{i}"].kind
        found[f"{i}", who] = kind if right(i) else OTHER[kind]
    for i in range(10):
        found[f"again {i}", who] = found[f"{i}", who] if i < again else OTHER[found[f"{i}", who]]
    return found


def test_one_reader_has_wilsons_interval_over_the_different_images() -> None:
    found = score_blind(said("ann", lambda i: i % 10 < 8, again=7), TRUTH)
    (reader,) = found["readers"]
    assert (reader["n"], reader["share"]["value"]) == (100, 0.8)
    assert (reader["share"]["low"], reader["share"]["high"]) == pytest.approx((0.711, 0.867), abs=1e-3)
    assert (reader["n_twice"], reader["n_same"]) == (10, 7)
    assert reader["share_real"]["value"] == pytest.approx(0.8)
    assert found["all"]["share"] == reader["share"]
    assert found["words"][1] == "The generated images can be told from real ones."
    assert found["words"][-1] == "Of 10 answers on images that came twice, 7 were the same."


def test_guessing_shows_nothing_and_says_up_to_where() -> None:
    found = score_blind(said("ann", lambda i: i % 4 in (0, 1)), TRUTH)
    assert found["all"]["share"]["value"] == 0.5
    assert "is not shown; up to 60 % may be right" in found["words"][1]
    fooled = score_blind(said("ann", lambda i: i % 10 < 3), TRUTH)
    assert fooled["words"][1].startswith("Fewer than by guessing")


def test_readers_of_the_same_images_do_not_count_as_so_many_more_answers() -> None:
    rng = np.random.default_rng(0)
    easy = rng.random(N) < 0.6
    three = {k: v for who in ("ann", "bob", "cem") for k, v in said(who, lambda i: bool(easy[i])).items()}
    together, alone = score_blind(three, TRUTH)["all"], score_blind(said("ann", lambda i: bool(easy[i])), TRUTH)["all"]
    assert together["n"] == 3 * alone["n"]
    assert together["share"]["method"] == "cluster-t"
    width = [one["share"]["high"] - one["share"]["low"] for one in (together, alone)]
    assert width[0] > 0.9 * width[1]


def test_other_words_and_other_images_are_no_answer() -> None:
    answers = {("1", "ann"): "/doubtful", ("elsewhere", "bob"): "real", ("3", "ann"): "real"}
    found = score_blind(answers, TRUTH)
    assert [row["reader"] for row in found["readers"]] == ["ann"]
    assert found["all"]["n"] == 1
    assert found["words"][-1] == "99 images were not judged yet."
    nobody = score_blind({}, TRUTH)
    assert nobody["all"]["share"]["value"] is None
    assert nobody["words"] == ["Nobody has judged an image of this test yet, unseen by others."]
