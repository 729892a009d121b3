"""An audit's document of numbers in which no rule finds anything, and what makes one speak."""

from __future__ import annotations

from typing import Any

from graticule.audit.value_document import ValueAuditDocument, ValueCueRow

TARGET = {"column": "fraction", "n": 300, "n_different": 280, "low": 0.0, "middle": 0.5, "high": 1.0}
SPREAD = {"mean": 0.5, "sd": 0.3, "between_groups": 0.1}


def value_document(**parts: Any) -> ValueAuditDocument:
    """The clean document with some parts exchanged."""
    clean: dict[str, Any] = {
        "n": 300,
        "groups": {"column": "lot", "n": 30, "per_class": {}},
        "sizes": [{"width": 64, "height": 64, "mode": "grey, 8 bit", "n": 300}],
        "formats": [{"format": "PNG", "compression": "deflate", "bits": 8, "n": 300}],
        "target": TARGET | SPREAD,
        "cues": [cue("brightness", "picture", 0.02)],
    }
    return ValueAuditDocument.model_validate(clean | parts)


def cue(name: str, nature: str = "acquisition", r2: float = 0.85, **parts: Any) -> ValueCueRow:
    """A cue as measured; flagged from an R2 of .25 up."""
    told = {"cue": name, "words": f"The {name}", "nature": nature, "r2": r2, "low": r2 - 0.1, "high": r2 + 0.1}
    flagged = r2 >= 0.25
    told |= {"p_value": 0.002 if flagged else 0.6, "flagged": flagged, "advice": f"Mind {name}." if flagged else ""}
    return ValueCueRow.model_validate(told | parts)
