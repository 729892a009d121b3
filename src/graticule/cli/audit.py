"""graticule audit DATA [--out DIR]"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table
from graticule.jobs.options import AuditOptions
from graticule.split.duplicates.words import in_families, kinds_of

if TYPE_CHECKING:
    from graticule.audit.document import Advice, AuditDocument, AuditedImages, FamilyCounts
    from graticule.audit.value_document import ValueAuditDocument


@options.grouped
def command(
    data: options.Data,
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder to create for the report.")] = None,
    chosen: AuditOptions,
    json: options.Json = False,
) -> None:
    """Look for what would make a result wrong, before training: labels or numbers, leaks, shortcuts, repeats, files."""
    from graticule.audit.document import AuditDocument
    from graticule.jobs.audit import audit
    from graticule.jobs.audit_values import audit_values

    with ProgressBars() as progress:
        document = (
            audit(data, out, chosen, progress) if chosen.target is None else audit_values(data, out, chosen, progress)
        )
    if json:
        print_json(document.to_json())
    else:
        _show(document) if isinstance(document, AuditDocument) else _show_values(document)
        if out is not None:
            typer.echo(f"\nreport: {out / 'audit.html'}")
    failures = [(row.path, row.error) for row in document.unreadable]
    exit_with_failures(failures, "--json lists them" if out is None else f"see {out / 'failures.csv'}")


def _show(document: AuditDocument) -> None:
    copies, groups = document.components, document.groups
    typer.echo(
        f"{document.n:,} images, {len(document.classes)} classes, "
        + (f"{groups.n:,} groups (column {groups.column})" if groups else "no groups")
    )
    rows = [
        ("pictures under two labels", _families(copies.two_labels)),
        ("leaks between parts", f"{len(document.leaks):,}"),
        (
            "shortcuts",
            f"{len({row.cue for row in document.shortcuts}):,} of {len(document.associations):,} cues",
        ),
    ]
    _show_rest(document, rows)


def _show_values(document: ValueAuditDocument) -> None:
    target, groups = document.target, document.groups
    typer.echo(
        f"{document.n:,} images, {target.n:,} numbers in the column {target.column} ({target.low:.4g} to "
        f"{target.high:.4g}), " + (f"{groups.n:,} groups (column {groups.column})" if groups else "no groups")
    )
    told = [row for row in document.cues if row.flagged]
    rows = [
        ("pictures with two numbers", _families(document.components.two_labels)),
        ("leaks between parts", f"{len(document.leaks):,}"),
        ("cues that tell the number", f"{len(told):,} of {len(document.cues):,} cues"),
    ]
    _show_rest(document, rows)


def _show_rest(document: AuditedImages, rows: list[tuple[str, str]]) -> None:
    """The table of what was checked, notes and recommendations."""
    rows = [
        *rows,
        ("repeated pictures", _families(document.components)),
        ("unreadable files", f"{len(document.unreadable):,}"),
    ]
    print_table(("checked", "found"), rows)
    for text in document.warnings:
        typer.echo(f"note: {text}")
    for line in _advice(document.recommendations):
        typer.echo(line)


def _families(counts: FamilyCounts) -> str:
    if not counts.n:
        return "none"
    return f"{in_families(counts.images, counts.n)} ({kinds_of(counts.exact, counts.near)})"


def _advice(recommendations: Iterable[Advice]) -> Iterator[str]:
    """The recommendations as numbered paragraphs."""
    yield "\nwhat to do, most harmful first"
    for number, item in enumerate(recommendations, 1):
        harm = "" if item.rule == "nothing" else f"[{item.harm}] "
        yield f"\n{number:>2}. {harm}{item.title}"
        for text in (item.why, f"Do: {item.do}"):
            yield fill(text, 96, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
