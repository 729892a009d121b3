"""Options that several verbs share, so that they mean and read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
