"""The options on decisions: what is accepted, sent to review or rejected."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.errors import OptionError
from graticule.evaluate.options import MixOptions
from graticule.options import Options, flag, numbers, option, shares

# what is asked for by default, in training as in prediction
TARGET, CONFIDENCE, ALPHA = 0.99, 0.95, 0.01


@dataclass(frozen=True)
class NoveltyOptions(Options):
    """What is rejected as unlike the training images."""

    novelty_alpha: float = option(
        ALPHA,
        "Share of usual images that may be rejected as novel.",
        metavar="F",
        allowed=numbers("shares from 0 to 0.5", lambda alpha: 0 <= alpha <= 0.5),
    )
    novelty_fdr: bool = option(
        False, "Bound the share of usual images among the rejected instead (Benjamini-Hochberg)."
    )


@dataclass(frozen=True)
class DecisionOptions(MixOptions, NoveltyOptions):
    """What is accepted, sent to review or rejected."""

    target_accuracy: float = option(
        TARGET, "Accuracy to keep among accepted images.", metavar="F", allowed=shares(0.5, 1, ", and 0.99 is usual")
    )
    confidence: float = option(CONFIDENCE, "Confidence that the target is kept.", metavar="F", allowed=shares(0.5, 1))
    per_class: bool = option(False, "Keep the target among the images accepted as each class.")
    coverage: float = option(
        0.95,
        "How often the set of classes holds the true one.",
        metavar="F",
        allowed=shares(0.5, 1, "; 0.95 is usual"),
    )

    def faults(self) -> list[str]:
        """What is wrong with the values."""
        never_errs = "no number of images proves that a model never errs; allowed are"
        certain = f"--target-accuracy {self.target_accuracy}:"
        return [
            text.replace(f"{certain} allowed are", f"{certain} {never_errs}") if self.target_accuracy >= 1 else text
            for text in super().faults()
        ]


@dataclass(frozen=True)
class ValueDecisionOptions(NoveltyOptions):
    """What is accepted, sent to review or rejected of predicted numbers."""

    max_width: float | None = option(
        None,
        "Of a number: widest limits that are accepted, in its unit; default any.",
        metavar="X",
        allowed=numbers("numbers above 0", lambda x: 0 < x < float("inf")),
    )
    level: float = option(
        0.9, "Of a number: how often its limits hold the true one.", metavar="F", allowed=shares(0.5, 1)
    )


def check_of_kind(options: Options, kind: type[Options], what: str) -> None:
    """Refuse options that belong to models of another kind.

    Parameters
    ----------
    options : Options
    kind : class of options
        Those that do not belong here.
    what : str
        What the model answers with, for the message.

    Raises
    ------
    OptionError
    """
    shared = {item.name for item in NoveltyOptions.listed()}
    names = [item.name for item in kind.listed() if item.name not in shared and hasattr(options, item.name)]
    given = [flag(name) for name in names if getattr(options, name) != getattr(kind(), name)]
    if given:
        raise OptionError(f"{', '.join(given)}: does not apply, the model answers with {what}")
