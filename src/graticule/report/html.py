"""One self-contained page from a run folder: nothing is computed anew, nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from graticule.data.selection import selection_of
from graticule.errors import RunError
from graticule.files import write_bytes
from graticule.plain_text import visible
from graticule.report import quantities
from graticule.report.content import Numbering, page_content
from graticule.report.source import Source, read_source
from graticule.report.thumbnails import SIDE, ReadRgb, pictures_of_files


def environment(package: str = "graticule.report") -> jinja2.Environment:
    """The templates of a package, everything escaped, with the filters that write figures."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    templates.filters |= {
        "percent": quantities.percent,
        "decimal": quantities.decimal,
        "count": quantities.count,
        "show": quantities.show,
        "number": quantities.figure_value,
    }
    return templates


def _shown(value: object) -> object:
    """What stands in a page: names from outside show what they hold; text of our own that is markup stays."""
    return visible(value, lines=True) if type(value) is str else value


def part(name: str) -> str:
    """Text of a file of the template folder."""
    return resources.files("graticule.report").joinpath("templates", name).read_text(encoding="utf-8")


def content_policy(script: str) -> str:
    """A policy under which a browser loads nothing and runs no script but this one."""
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def render_page(
    template: str,
    context: Mapping[str, Any],
    *,
    styles: Sequence[str] = (),
    filters: Mapping[str, Callable[..., Any]] | None = None,
) -> str:
    """Write one self-contained page as HTML.

    Parameters
    ----------
    template : str
        File of the template folder.
    context : mapping
        What the template shows.
    styles : sequence of str
        Style sheets of the template folder that follow report.css.
    filters : mapping, optional
        Filters of this template beside the common ones.

    Returns
    -------
    str
        A page that loads nothing and runs no script but report.js; tables and figures are numbered in their order.
    """
    script = part("report.js")
    templates = environment()
    templates.filters |= dict(filters or {})
    try:
        return templates.get_template(template).render(
            **context,
            policy=content_policy(script),
            style=Markup("".join(part(name) for name in ("report.css", *styles))),
            script=Markup(script),
            table=Numbering("Table"),
            figure=Numbering("Figure"),
        )
    except jinja2.UndefinedError as error:
        # as a mapping says it: the caller knows whose documents these are
        raise LookupError(str(error)) from error


def render(source: Source, read: ReadRgb) -> str:
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
    return render_page("report.html.j2", page_content(source, read))


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
    source = read_source(run_dir)
    with pictures_of_files(SIDE, selection_of(source.run)) as read:
        page = render(source, read)
    file = run_dir / "report.html"
    try:
        # Paths that are not UTF-8 reach here as lone surrogates; they are shown with a replacement character.
        write_bytes(file, page.encode("utf-8", errors="replace"))
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
