"""MODEL_CARD.md of a model of a number."""

from __future__ import annotations

from pathlib import Path


def test_the_card_tells_range_figures_and_limits(valued_run: Path) -> None:
    card = (valued_run / "model" / "MODEL_CARD.md").read_text()
    assert card.startswith("# Model of fraction from images")
    for words in ("Trained on numbers from", "| Mean absolute error | 0.", "Slope of predicted on true", "90 %: "):
        assert words in card
    assert "classes" not in card.lower()
