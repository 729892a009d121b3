"""The options of `study`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graticule.errors import OptionError
from graticule.options import SeedOptions, WorkersOptions, flag, one_of, option, shares, whole_numbers

NANOWIRES, PARTICLES = "nanowires", "particles"
_OWN = {
    NANOWIRES: ("target", "specimens", "new_specimens", "per_specimen", "finetune"),
    PARTICLES: ("common", "rare", "label_noise", "input_size", "folds", "group", "network", "weights"),
}


@dataclass(frozen=True)
class StudyOptions(WorkersOptions, SeedOptions):
    """How large a study is."""

    FIRST = ("data", *_OWN[NANOWIRES], *_OWN[PARTICLES], SeedOptions)

    data: Path | None = option(
        None, "Folder with manifest.csv (target or label, group) to use in place of drawn pictures.", metavar="DIR"
    )
    target: str = option("fraction", "nanowires: column of the aligned fraction, 0 to 1.", metavar="COLUMN")
    specimens: int = option(80, "nanowires: drawn specimens to train on.", metavar="N", allowed=whole_numbers(10))
    new_specimens: int = option(40, "nanowires: drawn specimens to score once.", metavar="N", allowed=whole_numbers(10))
    per_specimen: int = option(6, "nanowires: pictures of each.", metavar="N", allowed=whole_numbers(1))
    finetune: str = option(
        "auto",
        "nanowires: also train the network itself, which takes longest; auto: where torch is installed.",
        allowed=one_of("auto", "none"),
    )
    common: int = option(20_000, "particles: drawn protein aggregates.", metavar="N", allowed=whole_numbers(100))
    rare: int = option(100, "particles: drawn air bubbles, and oil droplets.", metavar="N", allowed=whole_numbers(20))
    label_noise: float = option(
        0.001, "particles: share of labels made wrong on purpose.", metavar="F", allowed=shares(0, 1)
    )
    input_size: int = option(64, "particles: side of the network's input, px.", metavar="N", allowed=whole_numbers(32))
    folds: int = option(5, "particles: folds of the cross-validation.", metavar="K", allowed=whole_numbers(2))
    group: str = option(
        "auto", "particles: column of images that belong together; none: every image alone.", metavar="auto|none|COLUMN"
    )
    network: str | None = option(
        None,
        "particles: also fine-tune this network, as resnet18; needs torch, and timm for other families.",
        metavar="NAME",
    )
    weights: str | None = option(
        None, "particles: file of the weights that it starts from, or none.", metavar="FILE|none"
    )

    def check_for(self, kind: str) -> None:
        """Raise unless all options are in range and belong to this kind of study.

        Raises
        ------
        OptionError
        """
        self.check()
        strange = [
            flag(item.name)
            for item in self.listed()
            for other, names in _OWN.items()
            if other != kind and item.name in names and getattr(self, item.name) != item.default
        ]
        if kind == PARTICLES and self.weights is not None and self.network is None:
            strange.append("--weights without --network")
        if strange:
            raise OptionError(f"{', '.join(strange)}: not for a study of {kind}; its own are {_listed(kind)}")


def _listed(kind: str) -> str:
    return ", ".join(flag(name) for name in _OWN[kind])
