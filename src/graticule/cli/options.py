"""Options that several verbs share, so that they mean and read the same everywhere.

Options that always come together are the fields of a class here; `grouped` makes a command take such a group whole.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

Data = Annotated[
    Path, typer.Argument(metavar="DATA", help="Folder of class folders, split folders, or a CSV or Parquet manifest.")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to create.")]
Root = Annotated[Path | None, typer.Option("--root", metavar="DIR", help="What a manifest's paths are relative to.")]
Group = Annotated[
    str,
    typer.Option(
        "--group",
        metavar="COLUMN|none",
        help="Column that names patient, slide, lot or micrograph; auto: column 'group' when there is one.",
    ),
]
Backbone = Annotated[str, typer.Option("--backbone", metavar="NAME", help="Network, see `graticule backbones`.")]
Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="FILE|none", help="Weights of a timm model; none: random numbers."),
]
Views = Annotated[int, typer.Option("--views", metavar="1|4|8", help="Average features over rotations and flips.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random draw.")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Decoding processes and network threads; default all cores."),
]
BatchSize = Annotated[int, typer.Option("--batch-size", metavar="N", help="Images per network call.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Intensity = Annotated[
    str,
    typer.Option(
        "--intensity",
        metavar="auto|full|percentile|image|LOW:HIGH",
        help="How 16-bit and floating-point values become 8 bits: by the values found, the full range, percentiles of "
        "the data set or of each image, or a fixed window.",
    ),
]
InfoBar = Annotated[
    str, typer.Option("--info-bar", metavar="crop|keep", help="Info bars of electron microscopes are cut off or kept.")
]
Marks = Annotated[
    str,
    typer.Option("--marks", metavar="keep|mask", help="Text, calipers and borders burnt into ultrasound frames."),
]
Scale = Annotated[
    str,
    typer.Option(
        "--scale", metavar="squeeze|physical", help="Whole picture into the input, or all images at one pixel size."
    ),
]
SizeFeatures = Annotated[
    bool, typer.Option("--size-features", help="Let width and height of the stored image join the features.")
]
Z = Annotated[str | None, typer.Option("--z", metavar="N|max", help="Plane of a stack, from 0, or the maximum.")]
Channel = Annotated[
    str | None, typer.Option("--channel", metavar="LIST", help="One or three channels from 0, such as 0 or 2,1,0.")
]
Page = Annotated[int | None, typer.Option("--page", metavar="N", help="Page of a file with several, from 0.")]
AnyDepth = Annotated[
    bool,
    typer.Option(
        "--any-depth", help="Take images of another bit depth than the training images, from their full range."
    ),
]


@dataclass(frozen=True)
class Reading:
    """How images are read; names and defaults of `graticule.images.reading.ReadingOptions`."""

    intensity: Intensity = "auto"
    info_bar: InfoBar = "crop"
    marks: Marks = "keep"
    scale: Scale = "squeeze"
    size_features: SizeFeatures = False
    z: Z = None
    channel: Channel = None
    page: Page = None


@dataclass(frozen=True)
class Loading:
    """Where the files are, and how many are worked on at a time."""

    root: Root = None
    workers: Workers = None
    batch_size: BatchSize = 8


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of a class of options appear as that class's fields, in its place.

    typer sees one parameter per option, the command gets an object per group.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    parameters: list[Parameter] = []
    for name, own in signature(command).parameters.items():
        if name in groups:
            kinds = get_type_hints(groups[name], include_extras=True)
            parameters += [
                Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=kinds[field.name])
                for field in fields(groups[name])
            ]
        else:
            parameters.append(own.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name]))

    @functools.wraps(command)
    def taken_apart(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given)

    shown: Any = taken_apart
    shown.__signature__ = signature(command).replace(parameters=parameters)
    shown.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return taken_apart
