"""What results are made of when they show themselves in a notebook, where no style sheet of a page is."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from graticule.report.svg import escape

_STYLE = (
    ".graticule-rose svg{max-width:324px;font:11.5px system-ui,sans-serif}.graticule-rose text{fill:#777}"
    ".graticule-rose .frame{fill:none;stroke:#8886}.graticule-rose .grid{stroke:#8883}"
    ".graticule-rose .sector{fill:#1f5fa880;stroke:#1f5fa8;stroke-width:.7}"
    ".graticule-rose .chance{fill:none;stroke:#888;stroke-dasharray:3 3}"
    ".graticule-rose .curve{fill:none;stroke:#d0651c;stroke-width:2}"
    ".graticule-rose .named{stroke:#888;stroke-width:1.6}"
)


def notebook_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A plain table of text cells as HTML."""
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def notebook_rose(rose: Markup) -> Markup:
    """A rose of directions with the few rules that it needs."""
    return Markup(f'<div class="graticule-rose"><style>{_STYLE}</style>{rose}</div>')
