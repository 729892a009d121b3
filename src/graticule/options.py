"""What options of every verb have in common: their checks, and how they are written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graticule.errors import OptionError
from graticule.manifest import escape_path


@dataclass(frozen=True)
class Options:
    """Options of a verb as a frozen dataclass; each part of the program declares its own, a verb puts them together."""

    def to_json(self) -> dict[str, Any]:
        """All options as plain values."""
        return {name: escape_path(str(v)) if isinstance(v, Path) else v for name, v in asdict(self).items()}


@dataclass(frozen=True)
class LoadingOptions(Options):
    """Where the files are, and how many are worked on at a time.

    Attributes
    ----------
    root : Path, optional
        What the paths of a manifest are relative to, default its folder.
    workers : int, optional
        Changes no result.
    batch_size : int, optional
        Features: images per network call, changes no result. Finetune: images per training step.
    """

    root: Path | None = None
    workers: int | None = None
    batch_size: int | None = None


def check_options(*, workers: int | None, batch_size: int, seed: int = 0, others: Sequence[str] = ()) -> None:
    """Raise one OptionError that lists every one of these options that is out of range, and `others`."""
    faults = [*others, *option_faults(workers, batch_size, seed)]
    if faults:
        raise OptionError("; ".join(faults))


def option_faults(workers: int | None, batch_size: int, seed: int) -> list[str]:
    """What is wrong with options that most verbs share."""
    faults = []
    if batch_size < 1:
        faults.append(f"--batch-size {batch_size}: allowed are whole numbers from 1")
    if workers is not None and workers < 1:
        faults.append(f"--workers {workers}: allowed are whole numbers from 1")
    if not 0 <= seed < 2**63:
        faults.append(f"--seed {seed}: allowed are whole numbers from 0 to {2**63 - 1}")
    return faults


def check_outside(out: Path, data: Path) -> None:
    """Refuse an outcome inside a folder of images: its files would be read as images the next time.

    Raises
    ------
    OptionError
    """
    if data.is_dir() and not (data / "manifest.csv").is_file() and out.resolve().is_relative_to(data.resolve()):
        raise OptionError(f"--out {out} lies inside the images {data}; choose a folder outside of it")
