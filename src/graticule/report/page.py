"""One self-contained page from a run folder: nothing is computed anew, nothing is loaded from elsewhere."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from graticule.plain_text import visible
from graticule.report import quantities


class Numbering:
    """Hands out "Table 1", "Table 2", ... in the order of the page."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.last = 0

    def __call__(self) -> str:
        """Return the next label."""
        self.last += 1
        return f"{self.noun} {self.last}"


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
        "count": quantities.whole_number,
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
    """Write one self-contained page as HTML; the same text for the same document and files.

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
