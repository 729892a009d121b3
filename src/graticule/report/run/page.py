"""The page of a run or an evaluation: nothing but a mix of classes is computed anew, nothing loaded from elsewhere."""

from pathlib import Path

from graticule.errors import RunError
from graticule.files import write_bytes
from graticule.formats.selection import selection_of
from graticule.report.page import render_page
from graticule.report.run.content import page_content
from graticule.report.run.mix import with_mix
from graticule.report.run.source import ReportSource, read_source
from graticule.report.thumbnails import SIDE, ReadRgb, pictures_of_files


def render_run(source: ReportSource, read: ReadRgb) -> str:
    """The page of a run as HTML: nothing depends on the clock, the machine or the folder's place."""
    return render_page("report.html.j2", page_content(source, read))


def write_report(run_dir: Path, prevalence: str | None = None) -> Path:
    """Write `report.html` of a run folder from the files in it; returns its path.

    Parameters
    ----------
    run_dir : Path
        Folder with run.json, metrics.json and predictions.parquet; manifest.parquet and failures.csv where present.
    prevalence : str, optional
        A mix of classes that the page gives figures at, see `graticule.sources.mix.read_mix`.

    Raises
    ------
    RunError
        When a file is missing or cannot be read, or the page cannot be written.
    """
    source = read_source(run_dir)
    source = source if prevalence is None else with_mix(source, prevalence)
    with pictures_of_files(SIDE, selection_of(source.run)) as read:
        page = render_run(source, read)
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
