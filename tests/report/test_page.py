"""A page of its own: numbered, inert, readable in light and dark."""

from __future__ import annotations

import re
from typing import Any

from graticule.report.run.page import write_report


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_contrast_in_light_and_dark(write_run: Any) -> None:
    text = write_report(write_run()).read_text(encoding="utf-8")
    themes = re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)
    assert len(themes) == 2
    for theme in themes:
        colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", theme))
        grounds = {
            "ink": ("paper", "panel", "alert-paper", "heat", "heat-wrong"),
            "soft": ("paper", "panel"),
            "faint": ("paper", "panel"),
            "link": ("paper",),
            "alert": ("paper", "alert-paper"),
        }
        for words, behind in grounds.items():
            for ground in behind:
                high, low = sorted((luminance(colour[words]), luminance(colour[ground])), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (words, ground)
