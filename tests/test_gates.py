"""What is said of synthetic images that no gate accepted."""

from __future__ import annotations

from graticule.gates import GATES, unproven_words


def test_only_images_without_proof_are_told_of_and_never_as_anonymous() -> None:
    assert unproven_words({}) is None
    assert unproven_words({"accepted": 9, "refused": 3}) is None
    words = unproven_words(dict.fromkeys((*GATES, "no gate"), 2))
    assert words is not None
    assert words.startswith(
        "6 synthetic images that no gate accepted (no gain shown: 2, use not tested: 2, no gate: 2)"
    )
    assert "--allow-unproven" in words
    assert "anonym" not in words
    assert (unproven_words({"no gate": 1}) or "").startswith("1 synthetic image that")
