"""`graticule synthesize --check`: generated images, anybody's, held against the real ones that they were made from."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from graticule import __version__
from graticule.arrays import object_array
from graticule.files import write_text
from graticule.gates import REFUSED
from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.record import write_failures
from graticule.jobs.synthesize.blind import write_blind_test
from graticule.jobs.synthesize.judge import Judged, generated_images, judge_images, real_images, sheets_of
from graticule.manifest import Manifest, escape_path
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.report.synthesis.page import SIDE, render_judgement
from graticule.report.thumbnails import pictures_of_files
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.split.parents_table import parents_files, read_parents, write_parents

# of gate.json
FORMAT_VERSION = 1
# a generator that nobody gave a name
UNNAMED = "unnamed"


def check_generated(
    images: Path, data: Path, out: Path, options: SynthesizeOptions, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Judge generated images: copies, the same few pictures, the right class, and how they lie among real ones.

    Parameters
    ----------
    images : Path
        Generated images: class folders, or a table with the columns path and label.
    data : Path
        The labelled real images that the generator was trained on, as for `train`.
    out : Path
        Folder for gate.json, manifest.parquet, parents.parquet, report.html, run.json and failures.csv, created.
    options : SynthesizeOptions
    reporter : Reporter, optional

    Returns
    -------
    dict
        gate.json with "failures", a list of (path, error), and "about", run.json without its time.

    Raises
    ------
    GraticuleError
    """
    options.check()
    options.selection()
    reporter = reporter or Silent()
    start = time.perf_counter()
    for source in (images, data):
        check_outside(out, source)
    with output_folder(out, "judgement"):
        reporter.step("reading the tables")
        real = real_images(data, options.held_out, options)
        made = generated_images(images, real)
        beside = parents_files([images], options.parents)
        seen = read_parents(images, made, str(beside[0])) if beside else None
        judged = judge_images(real, made, seen, options, reporter)
        about = {
            "verb": "synthesize",
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "command": options.command("synthesize", Path("--check"), images, Path("--trained-on"), data, out=out),
            "images": escape_path(str(images.absolute())),
            "trained_on": escape_path(str(data.absolute())),
            "options": options.to_json(),
            "packages": package_versions(),
            "parents_known": seen is not None,
            "n_generated": len(judged.made.manifest),
            "n_real": len(judged.real.manifest),
            "canvas_px": judged.side,
            "input_px": judged.input_size,
            "warnings": [*made.warnings, *real.warnings],
        }
        gate = write_judgement(out, judged, about, options, reporter)
        write_parents(out / "parents.parquet", seen or {UNNAMED: _seen_by_all(judged.real.manifest)})
        write_json(out / "run.json", about | {"wall_time_s": round(time.perf_counter() - start, 2)})
    return gate | {"failures": judged.made.failures + judged.real.failures, "about": about}


def write_judgement(
    out: Path, judged: Judged, about: dict[str, Any], options: SynthesizeOptions, reporter: Reporter
) -> dict[str, Any]:
    """Write gate.json, manifest.parquet, failures.csv, the page and the blind test; returns gate.json."""
    gate = {"format_version": FORMAT_VERSION, "classes": [found.describe() for found, _ in judged.classes]}
    write_json(out / "gate.json", gate)
    write_manifest(out / "manifest.parquet", judged)
    write_failures(out / "failures.csv", judged.made.failures + judged.real.failures)
    reporter.step("writing the page")
    with pictures_of_files(SIDE, options.selection()) as read:
        write_text(out / "report.html", render_judgement(about, gate, sheets_of(judged), read))
    write_blind_test(out, judged, options.selection(), options.seed)
    return gate


def gate_of_each(judged: Judged) -> list[str]:
    """What may be done with each generated image: its class's verdict, or "refused" for a copy."""
    gate = [""] * len(judged.made.manifest)
    for found, rows in judged.classes:
        for place, row in enumerate(rows.tolist()):
            copy = found.flagged is not None and bool(found.flagged[place])
            gate[row] = REFUSED if copy else found.verdict
    return gate


def write_manifest(file: Path, judged: Judged) -> None:
    """The table that `train` reads: path, label, origin, generator and gate of each generated image."""
    manifest = judged.made.manifest
    names = manifest.columns.get("generator", object_array([UNNAMED] * len(manifest)))
    columns = {"origin": manifest.columns["origin"], "generator": names, "gate": object_array(gate_of_each(judged))}
    replace(manifest, columns=columns, warnings=()).write(file)


def _seen_by_all(real: Manifest) -> frozenset[str]:
    return frozenset(real.columns["sha256"][real.columns["seen"] == "yes"].tolist())
