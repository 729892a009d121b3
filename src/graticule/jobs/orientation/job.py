"""`graticule orientation`: the directions of images, one row per file, with pictures and a page."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from graticule import __version__
from graticule.arrays import Pixels
from graticule.directions.measure import sigmas_of
from graticule.directions.options import LGO_FIJI
from graticule.directions.outcome import Directions
from graticule.directions.row import columns_of, numbers_of
from graticule.directions.verdict import VERDICTS
from graticule.directions.words import sentences
from graticule.errors import OptionError
from graticule.files import own_folder, write_bytes, write_text
from graticule.jobs.options import OrientationOptions
from graticule.jobs.orientation.picture import FileToMeasure, MeasuredFile, measure_file, unmeasured
from graticule.jobs.orientation.table import DirectionTable
from graticule.jobs.record import write_failures
from graticule.manifest import Manifest, escape_path
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.orientation.content import PictureTile
from graticule.report.orientation.page import render_directions
from graticule.report.thumbnails import data_uri
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.sources.folders import list_folder
from graticule.sources.sources import list_images
from graticule.workers.pool import in_workers

SHOWN = 60  # images on the page; all are in the table
LISTED = 20  # rows that are handed on to be printed


def orientation(
    images: Path, out: Path, options: OrientationOptions | None = None, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Measure the directions of every image of a folder or list.

    Parameters
    ----------
    images : Path
        A folder (searched through), one image, or a list of paths (.txt, or .csv with a column path).
    out : Path
        Folder for orientation.parquet, orientation.csv, survey/*.png, orientation.html, summary.json and failures.csv,
        created.
    options : OrientationOptions, optional
    reporter : Reporter, optional

    Returns
    -------
    dict
        summary.json with "failures", a list of (path, error), and "rows", the first images' figures by name.
    """
    options = options or OrientationOptions()
    options.check()
    options.selection()
    check_outside(out, images)
    start = time.perf_counter()
    reporter = reporter or Silent()
    manifest = list_images(images)
    masks = None if options.mask is None else _masks(options.mask)
    columns = columns_of(
        sigmas_of(options.sigma), along=options.direction is not None, shipped=options.method == LGO_FIJI
    )
    reporter.begin("measuring", len(manifest))
    with output_folder(out, "measurement"):
        if options.survey:
            own_folder(out / "survey", new=True)
        with DirectionTable(out, columns, with_csv=options.csv) as table:
            tally = Tally(out, columns, table)
            for done, (path, one) in enumerate(_measured(manifest, masks, options), 1):
                tally.add(done - 1, path, one)
                reporter.advance(done)
        summary = {
            "verb": "orientation",
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "images": escape_path(str(images.absolute())),
            "options": options.to_json(),
            "command": options.command("orientation", images, out=out),
            "packages": package_versions(),
            "n": len(manifest),
            "n_unreadable": len(tally.failures),
            "verdicts": {name: tally.verdicts[name] for name in VERDICTS},
            "n_info_bars_cut": tally.bars,
            "n_scales_disagree": tally.disagreeing,
            "warnings": list(manifest.warnings),
            "wall_time_s": round(time.perf_counter() - start, 2),
        }
        write_failures(out / "failures.csv", tally.failures)
        write_json(out / "summary.json", summary)
        reporter.step("writing the page")
        write_text(out / "orientation.html", render_directions(summary, tally.tiles))
    return summary | {"failures": tally.failures, "rows": tally.rows}


class Tally:
    """What becomes of each image: its row, its survey, its place on the page, and what is counted.

    Attributes
    ----------
    failures : list of (path, error)
    rows : list of dict
        Figures of the first images by name, to be printed.
    tiles : list of PictureTile
        The images of the page.
    verdicts : Counter
    bars, disagreeing : int
        Images whose info bar was cut off, and those whose figures depend on the scale.
    """

    def __init__(self, out: Path, columns: Sequence[str], table: DirectionTable) -> None:
        self._out, self._columns, self._table = out, columns, table
        self.failures: list[tuple[str, str]] = []
        self.rows: list[dict[str, Any]] = []
        self.tiles: list[PictureTile] = []
        self.verdicts: Counter[str] = Counter()
        self.bars = self.disagreeing = 0

    def add(self, number: int, path: str, one: MeasuredFile) -> None:
        """Write an image's row and survey, and count it."""
        found = one.found
        if found is None:
            self._table.add(path, one, (), None)
            self.failures.append((path, one.error))
            return
        numbers = numbers_of(found.directions, found.repaired, found.shipped)
        survey = f"survey/{number:05d}.png" if one.survey else None
        self._table.add(path, one, numbers, survey)
        if survey:
            write_bytes(self._out / survey, one.survey, durable=False)
        self.verdicts[found.directions.verdict] += 1
        self.bars += found.bar
        self.disagreeing += found.directions.scales_disagree
        figures = dict(zip(self._columns, numbers, strict=True))
        if len(self.rows) < LISTED:
            self.rows.append({"path": path, "verdict": found.directions.verdict} | figures)
        if found.survey is not None:
            self.tiles.append(_tile(path, found.directions, figures, found.survey))


def _tile(path: str, found: Directions, figures: dict[str, float], survey: Pixels) -> PictureTile:
    return PictureTile(
        path=path,
        verdict=found.verdict,
        words=tuple(sentences(found)),
        figures=figures,
        distribution=found.figures.distribution,
        fitted=found.figures.fitted,
        survey=data_uri(survey, max(survey.shape)),
    )


def _measured(
    manifest: Manifest, masks: dict[str, Path] | None, options: OrientationOptions
) -> Iterator[tuple[str, MeasuredFile]]:
    """Each image's escaped path and what was found, in order; the work is done in workers."""
    files: list[FileToMeasure] = []
    lacking: dict[int, str] = {}
    for number, path in enumerate(manifest.path):
        mask = None if masks is None else masks.get(_stem(path))
        if masks is not None and mask is None:
            lacking[number] = f"there is no mask {_stem(path)}.* in {options.mask}; without --mask the whole counts"
            continue
        files.append(FileToMeasure(manifest.root / path, mask, options.survey, number < SHOWN))
    found = in_workers(partial(measure_file, options=options), files, unmeasured, workers=options.workers)
    for number, path in enumerate(manifest.path):
        one = unmeasured(lacking[number]) if number in lacking else next(found)
        yield escape_path(path), one


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _masks(folder: Path) -> dict[str, Path]:
    """Masks by the path of their image without its ending."""
    if not folder.is_dir():
        raise OptionError(f"--mask {folder} is no folder; give the folder that holds a mask for each image")
    found = {_stem(name): folder / name for name in list_folder(folder).files}
    if not found:
        raise OptionError(f"--mask {folder} holds no images; a mask is named as its image, another ending is allowed")
    return found
