"""The page of a run or an evaluation of numbers: nothing is computed anew, nothing is loaded from elsewhere."""

from pathlib import Path

from graticule.errors import RunError
from graticule.files import write_bytes
from graticule.formats.selection import selection_of
from graticule.report.page import render_page
from graticule.report.thumbnails import SIDE, ReadRgb, pictures_of_files
from graticule.report.values.content import value_content
from graticule.report.values.source import ValueSource, read_value_source
from graticule.report.values.tables import write_tables_of_pictures


def render_values(source: ValueSource, read: ReadRgb) -> str:
    """The page as HTML: nothing depends on the clock, the machine or the folder's place."""
    return render_page("values.html.j2", value_content(source, read), styles=("values.css",))


def write_value_report(folder: Path) -> Path:
    """Write `report.html` of a folder from the files in it, and beside it the data of its pictures; returns its path.

    Parameters
    ----------
    folder : Path
        With run.json, metrics.json and predictions.parquet of a regression; manifest.parquet, decisions.json and
        failures.csv where present.

    Raises
    ------
    RunError
        When a file is missing or cannot be read, or the page cannot be written.
    """
    source = read_value_source(folder)
    with pictures_of_files(SIDE, selection_of(source.run)) as read:
        page = render_values(source, read)
    file = folder / "report.html"
    try:
        # Paths that are not UTF-8 reach here as lone surrogates; they are shown with a replacement character.
        write_bytes(file, page.encode("utf-8", errors="replace"))
        write_tables_of_pictures(folder, source)
    except OSError as error:
        raise RunError(f"cannot write the report {file}: {error}") from error
    return file
