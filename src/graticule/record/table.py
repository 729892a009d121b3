"""Labels from a table as drafts of events: checked cells, images read, names held against the record."""

import hashlib
import os
import posixpath
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from graticule.errors import ManifestError, OptionError
from graticule.files import sha256_file
from graticule.manifest import escape_path, unescape_path
from graticule.names import told_apart, written_otherwise
from graticule.progress import Reporter
from graticule.record.events import DOUBTFUL, NOVEL, EventDraft, check_draft
from graticule.record.numbers import Quantity, in_words, number_said
from graticule.record.people import login_name
from graticule.record.store import LabelStore
from graticule.regress.target import Target
from graticule.sources.labels import check_labels, check_names
from graticule.sources.look_alikes import look_alike, typed_otherwise
from graticule.sources.tables import TABLE_SUFFIXES, Faults, read_table
from graticule.sources.targets import check_targets, target_cells
from graticule.tasks import CLASSIFICATION, TASKS


def read_drafts(
    table: Path,
    root: Path | None,
    user: str | None,
    reason: str,
    reporter: Reporter,
    target: Target | None = None,
) -> tuple[list[EventDraft], list[tuple[str, str]], int]:
    """A draft of each labelled row, the rows that cannot be one, and the number of rows without a label.

    With a target its column holds numbers in the place of labels.
    """
    if root is not None and not root.is_dir():
        raise OptionError(f"--root {str(root)!r} is no folder")
    if table.suffix.lower() not in TABLE_SUFFIXES:
        wanted = "label" if target is None else target.column
        raise ManifestError(f"{str(table)!r} is no table: name a .csv or .parquet file with columns path and {wanted}")
    cells = read_table(table, (CLASSIFICATION,) if target is None else TASKS)
    person = user or login_name()
    columns = _checked_columns(cells.columns, cells.rows, table, person, target)
    base = Path(os.path.abspath(root or cells.root or table.parent))  # noqa: PTH100 - lexical, as for a manifest
    reason = f"{reason}, sha256 {sha256_file(table)}"
    drafts: list[EventDraft] = []
    failures: list[tuple[str, str]] = []
    n = len(cells.rows)
    who = columns.get("user", [""] * n)
    if not person and not all(who):
        raise OptionError("this account has no name of a person: name who says so with --user, or in a column user")
    chance = columns.get("sampling_prob", [""] * n)
    reporter.begin("reading images", n)
    for i, (text, label) in enumerate(zip(columns["path"], columns["label"], strict=True), 1):
        if label:
            try:
                path, sha256 = _image(text, base)
            except ManifestError as error:
                failures.append((escape_path(text), str(error)))
                continue
            drafts.append(_draft(path, sha256, label, who[i - 1] or person, chance[i - 1]))
        reporter.advance(i)
    drafts = [replace(draft, reason=reason) for draft in drafts]
    for draft in drafts:
        check_draft(draft)
    return drafts, failures, columns["label"].count("")


def _checked_columns(
    columns: dict[str, list[str]], rows: list[int], table: Path, person: str, target: Target | None
) -> dict[str, list[str]]:
    """The columns, when those needed are there and names and numbers can be used; numbers stand as labels."""
    faults = Faults(repr(str(table)))
    if target is not None:
        columns = columns | {"label": _numbers(columns, rows, target, faults)}
    for name in ("path", "label"):
        if name not in columns:
            faults.add("missing column", f"{name}; the columns are {', '.join(map(repr, columns))}")
    faults.raise_if_any()
    labels = columns["label"]
    if target is None:
        check_labels(["" if label in (DOUBTFUL, NOVEL) else label for label in labels], rows, faults)
    check_names(
        "user", [cell or person for cell in columns.get("user", ())], rows[: len(columns.get("user", ()))], faults
    )
    for row, cell in zip(rows, columns.get("sampling_prob", ()), strict=False):
        if cell and not _is_chance(cell):
            faults.add("sampling_prob is no number above 0 and up to 1", f"row {row}: {cell!r}")
    faults.raise_if_any()
    return columns


def _numbers(columns: dict[str, list[str]], rows: list[int], target: Target, faults: Faults) -> list[str]:
    """The cells of the target's column as values of the record; faulty ones are noted."""
    cells = [cell.strip() for cell in target_cells(columns, target.read_as)]
    check_targets(["" if cell in (DOUBTFUL, NOVEL) else cell for cell in cells], None, rows, target.read_as, faults)
    faults.raise_if_any()
    quantity = Quantity(target.column, target.unit)
    return [cell if cell in ("", DOUBTFUL, NOVEL) else quantity.text(float(cell)) for cell in cells]


def check_names_against(store: LabelStore, drafts: list[EventDraft], table: Path) -> None:
    """Refuse names of persons and classes that are twins of others in the record: they would count as two.

    Raises
    ------
    ManifestError
    """
    faults = Faults(repr(str(table)))
    classes = {draft.new_value or "" for draft in drafts if number_said(draft.new_value) is None} - {DOUBTFUL, NOVEL}
    for what, names, known in (
        ("person", {draft.who for draft in drafts}, store.people()),
        ("class", classes, store.classes()),
    ):
        for name in sorted(names):
            other = written_otherwise(name, known)
            if other is not None:
                faults.add(f"{what} whose name is typed otherwise in the record", told_apart([name, other]))
    faults.raise_if_any()


def _is_chance(cell: str) -> bool:
    try:
        return 0.0 < float(cell) <= 1.0
    except ValueError:
        return False


def _image(text: str, base: Path) -> tuple[str, str]:
    """Relative path, escaped, and SHA-256 of the file that a cell names.

    Raises
    ------
    ManifestError
        When it lies outside the root or cannot be read.
    """
    readings = [text]
    if "\\" in text:
        readings = [unescape_path(text), text]
    for name in readings:
        relative = posixpath.normpath(os.path.relpath(base / name, base).replace(os.sep, "/"))
        if relative.startswith("../"):
            raise ManifestError(f"lies outside {str(base)!r}; name another folder with --root")
        try:
            return escape_path(relative), sha256_file(base / relative)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            cause = getattr(error, "strerror", None) or str(error)
            other = look_alike(os.path.abspath(base / relative))  # noqa: PTH100
            cause += "" if other is None else f"; {typed_otherwise(os.path.basename(other))}"  # noqa: PTH119
    raise ManifestError(f"cannot be read below {str(base)!r}: {cause}")


def _draft(path: str, sha256: str, label: str, who: str, chance: str) -> EventDraft:
    """The row as a draft; its client id comes from what it says, so that it is stored once."""
    said = "\0".join((who, sha256, path, label))
    return EventDraft(
        who=who,
        action="import",
        image_sha256=sha256,
        path=path,
        new_value=label,
        sampling_prob=float(chance) if chance else None,
        client_id=f"import:{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()}",
    )


def without_conflicts(drafts: list[EventDraft]) -> tuple[list[EventDraft], list[tuple[str, str]]]:
    """Drafts of images on which the table says one thing per person, and the others as failures."""
    said: dict[tuple[str | None, str], set[str | None]] = defaultdict(set)
    for draft in drafts:
        said[draft.image_sha256, draft.who].add(draft.new_value)
    fine, conflicts = [], []
    for draft in drafts:
        values = said[draft.image_sha256, draft.who]
        if len(values) == 1:
            fine.append(draft)
        else:
            shown = " and ".join(sorted(repr(in_words(value)) for value in values))
            conflicts.append(
                (draft.path or "", f"the same image, by its bytes, is {shown} of {draft.who!r}: not stored")
            )
    return fine, conflicts
