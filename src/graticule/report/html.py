"""One self-contained page from a run folder: nothing is computed anew, nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from graticule.data.images import read_image
from graticule.errors import RunError
from graticule.report import quantities
from graticule.report.content import Numbering, page_content
from graticule.report.source import Source, read_source
from graticule.report.thumbnails import ReadRgb


def _read_rgb(file: Path) -> Any:
    return read_image(file).rgb8()


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("graticule.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": quantities.percent,
        "decimal": quantities.decimal,
        "count": quantities.count,
        "show": quantities.show,
        "number": quantities.figure_value,
    }
    return environment


def _part(name: str) -> str:
    """Text of a file of the template folder."""
    return resources.files("graticule.report").joinpath("templates", name).read_text(encoding="utf-8")


def render(source: Source, read: ReadRgb = _read_rgb) -> str:
    """Write the page of a run as HTML.

    Parameters
    ----------
    source : Source
        The run's files.
    read : function of a path
        Returns a uint8 array of shape (H, W, 3); raises ImageError or OSError for a file that cannot be read.

    Returns
    -------
    str
        The same text for the same files: nothing depends on the clock, the machine or the folder's place.
    """
    script = _part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    # With this policy a browser refuses to load anything and to run any script but the one hashed here.
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    context: Mapping[str, Any] = page_content(source, read)
    page = _environment().get_template("report.html.j2")
    return page.render(
        **context,
        policy=policy,
        style=Markup(_part("report.css")),
        script=Markup(script),
        table=Numbering("Table"),
        figure=Numbering("Figure"),
    )


def write_report(run_dir: Path) -> Path:
    """Write `report.html` of a run folder from the files in it.

    Parameters
    ----------
    run_dir : Path
        Folder with run.json, metrics.json and predictions.parquet; manifest.parquet and failures.csv where present.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    RunError
        When a file is missing or cannot be read, or the page cannot be written.
    """
    page = render(read_source(run_dir))
    file = run_dir / "report.html"
    try:
        # Paths that are not UTF-8 reach here as lone surrogates; they are shown with a replacement character.
        file.write_bytes(page.encode("utf-8", errors="replace"))
    except OSError as error:
        raise RunError(f"cannot write the report {file}: {error}") from error
    return file


def write_evaluation_report(out_dir: Path) -> Path:
    """Write `report.html` of a folder left by `evaluate`: the same page without folds and heads.

    Raises
    ------
    RunError
        As `write_report`.
    """
    return write_report(out_dir)
