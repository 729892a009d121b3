"""The options of the verbs, put together from those of the parts that they use; those of `train` stand with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graticule.decide.options import DecisionOptions, ValueDecisionOptions
from graticule.directions.options import DirectionOptions
from graticule.errors import OptionError
from graticule.images.options import CutOptions, DepthOptions, ReadingOptions, SelectionOptions
from graticule.networks.options import DeviceOptions, NetworkOptions, ViewsOptions
from graticule.options import (
    GroupOptions,
    LoadingOptions,
    RootOptions,
    SeedOptions,
    WorkersOptions,
    WorkOptions,
    flag,
    numbers,
    one_of,
    option,
    whole_numbers,
)
from graticule.regress.options import TargetOptions
from graticule.synthesis.options import GeneratorOptions

ORDERS = ("gain", "margin", "random")


@dataclass(frozen=True)
class EmbedOptions(NetworkOptions, ViewsOptions, DeviceOptions, ReadingOptions, LoadingOptions):
    """Options of `embed`."""


@dataclass(frozen=True)
class AuditOptions(GroupOptions, ViewsOptions, DeviceOptions, ReadingOptions, SeedOptions, LoadingOptions):
    """Options of `audit`; `train` at the same size, with the same views and device finds its features in the cache."""

    FIRST = ("target",)

    target: str | None = option(None, "Column of numbers to audit, in place of classes.", metavar="COLUMN")


@dataclass(frozen=True)
class EvaluateOptions(
    DecisionOptions, ValueDecisionOptions, GroupOptions, DeviceOptions, DepthOptions, SeedOptions, LoadingOptions
):
    """Options of `evaluate`. Sets are judged at 95 and 99 %, and at `coverage` too."""

    FIRST = (DecisionOptions, ValueDecisionOptions, GroupOptions)

    synthetic: bool = option(False, "Evaluate on synthetic images too; the report's title says so.")


@dataclass(frozen=True)
class AnswerOptions(DecisionOptions, DeviceOptions):
    """Options on answers about images, in Python too."""


@dataclass(frozen=True)
class NumberAnswerOptions(ValueDecisionOptions, DeviceOptions):
    """Options on predicted numbers, in Python."""


@dataclass(frozen=True)
class PredictOptions(AnswerOptions, NumberAnswerOptions, WorkOptions, DepthOptions):
    """Options of `predict`."""

    FIRST = (DecisionOptions, ValueDecisionOptions, WorkOptions)

    csv: bool = option(False, "Also write predictions.csv for spreadsheets.")


@dataclass(frozen=True)
class CountOptions(SeedOptions):
    """Options of `count`: what is known beside the predictions."""

    table: Path | None = option(
        None, "CSV or Parquet: path and any of specimen, diameter_um, volume_ml, label.", metavar="FILE"
    )
    by: str | None = option(None, "Column that names the specimens; by default specimen.", metavar="COLUMN")
    control: Path | None = option(
        None,
        "path, label and perhaps sampling_prob of images drawn at random and labelled by a person.",
        metavar="FILE",
    )
    calibration: Path | None = option(
        None, "Run with calibration images; by default the one that predicted.", metavar="RUN"
    )
    volume_ml: float | None = option(
        None,
        "Volume of each specimen in mL.",
        metavar="V",
        allowed=numbers("numbers above 0", lambda volume: 0 < volume < float("inf")),
    )
    diameter_is: str | None = option(None, "What the column diameter_um is; recorded.", metavar="TEXT")

    def faults(self) -> list[str]:
        """What is wrong with the values."""
        lacking = self.by is not None and self.table is None
        return [*super().faults(), *["--by names a column of --table, which is missing"] * lacking]


@dataclass(frozen=True)
class SynthesizeOptions(GeneratorOptions, GroupOptions, DeviceOptions, ReadingOptions, SeedOptions, LoadingOptions):
    """Options of `synthesize`."""

    FIRST = (GeneratorOptions, GroupOptions, "held_out", "parents")

    held_out: Path | None = option(
        None, "Further real images of these classes, which the generator did not see.", metavar="DATA"
    )
    parents: str = option(
        "auto",
        "Which images of DATA each generator saw: a table (auto: parents.parquet beside IMAGES, or all of DATA).",
        metavar="auto|FILE",
    )

    def check_way(self, *, making: bool) -> None:
        """Refuse options that mean nothing where images are made, or where such that are there are judged.

        Raises
        ------
        OptionError
        """
        of_making = {item.name for item in GeneratorOptions.listed()}
        other = {"held_out", "parents"} if making else of_making
        given = [item for item in self.listed() if item.name in other and getattr(self, item.name) != item.default]
        if given:
            names, way = ", ".join(flag(item.name) for item in given), "with --check" if making else "with DATA"
            raise OptionError(f"{names}: allowed {way} alone, which was not given; leave it out")


@dataclass(frozen=True)
class PictureOptions(DirectionOptions, CutOptions, SelectionOptions):
    """Options on the directions of a picture, in Python too."""


@dataclass(frozen=True)
class OrientationOptions(PictureOptions, WorkersOptions):
    """Options of `orientation`."""

    FIRST = (DirectionOptions, "mask", "survey", "csv")

    mask: Path | None = option(
        None,
        "Folder of masks, named as the images with any ending; what is black does not count.",
        metavar="DIR",
    )
    survey: bool = option(False, "Also write a picture of each image, coloured by direction.")
    csv: bool = option(False, "Also write orientation.csv for spreadsheets.")


@dataclass(frozen=True)
class ReviewOptions(TargetOptions, RootOptions):
    """Options of `review` on what is shown, and in which order; a target makes a data set the subject."""

    blind: bool = option(False, "Withhold the model's opinion on every image.")
    double: bool = option(False, "Two persons decide on each image.")
    control: int | None = option(
        None,
        "Accepted images drawn to measure the error; by default a tenth, 60 to 200.",
        metavar="N",
        allowed=whole_numbers(0),
    )
    tolerance: float = option(
        0.0,
        "Numbers of two persons up to this far apart agree.",
        metavar="X",
        allowed=numbers("numbers from 0", lambda x: 0 <= x < float("inf")),
    )
    order: str = option("gain", "gain (errors mended per look), margin or random.", allowed=one_of(*ORDERS))
    seed: int = option(0, "Of the control sample and the random order.", allowed=whole_numbers(0, 2**63 - 1))
