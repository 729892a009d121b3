"""The options of `graticule train`, shared by the command line and the Python interface."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from graticule.errors import OptionError
from graticule.finetune.options import DEFAULT_VIEWS, FinetuneOptions
from graticule.heads.options import HeadOptions
from graticule.manifest import escape_path
from graticule.options import option_faults

METHODS = ("features", "finetune")
FEATURES_ONLY = ("head", "refit", "size_features")
FINETUNE_ONLY = (
    "ensemble",
    "epochs",
    "input_size",
    "lr",
    "augment",
    "balance",
    "frozen_blocks",
    "compile",
    "device",
    "resume",
)


@dataclass(frozen=True)
class TrainOptions(HeadOptions, FinetuneOptions):
    """Options of `train`, as on the command line: those of its parts, and which method trains.

    Attributes
    ----------
    method : "features" or "finetune"
        A classifier on frozen features, or the network itself trained (extra `torch`).
    group : str
        "auto" (column "group" when present), "none", or a column.
    """

    method: str = "features"
    group: str = "auto"

    @property
    def views_settled(self) -> int:
        """The number of views that features are averaged over, or those of a network that is trained."""
        if self.method == "features":
            return DEFAULT_VIEWS if self.views is None else self.views
        return super().views_settled

    def check(self) -> None:
        """Raise one OptionError that lists every option out of range."""
        faults = [*self.head_faults(), *self.split_faults()]
        if self.method not in METHODS:
            faults.append(f"--method {self.method}: allowed are {', '.join(METHODS)}")
        faults += [*self._of_the_other_method(), *self.network_faults(), *self.faults()]
        faults += option_faults(self.workers, self.batch_size or 1, self.seed)
        if faults:
            raise OptionError("; ".join(faults))

    def _of_the_other_method(self) -> list[str]:
        other = FINETUNE_ONLY if self.method == "features" else FEATURES_ONLY
        plain = TrainOptions()
        return [
            f"--{name.replace('_', '-')} belongs to --method {'finetune' if self.method == 'features' else 'features'}"
            for name in other
            if getattr(self, name) != getattr(plain, name)
        ]

    def command(self, data: Path, out: Path) -> str:
        """The command line that repeats this run; only options that differ from the defaults."""
        words = ["graticule", "train", escape_path(str(data)), "--out", escape_path(str(out))]
        # what changes no result is left out
        plain = replace(TrainOptions(), workers=self.workers, resume=self.resume)
        defaults = asdict(plain if self.method == "finetune" else replace(plain, batch_size=self.batch_size))
        for name, value in asdict(self).items():
            if value != defaults[name]:
                flag = "--" + name.replace("_", "-")
                words += [flag] if value is True else [flag, escape_path(str(value))]
        return shlex.join(words)
