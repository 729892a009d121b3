"""Digital phantoms: image sets whose truth is known, written as a data set that every verb can read.

OUT/<folder>/<image>            the images; of kinds with classes, in the folder of the label that an annotator gave
OUT/masks/<folder>/<image>.png  object numbers, 16 bit, under the same relative name (on request)
OUT/manifest.csv                one row per image: path, label or targets, group, pixel_size_nm and more
OUT/phantom.json                kind, parameters and seed; written last
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from graticule.errors import OptionError, RunError
from graticule.files import write_text, writing_text
from graticule.phantoms import flow_particles, particle_sizes, powder, ultrasound
from graticule.phantoms.labelled import LabelledFamily
from graticule.phantoms.nanowire_family import NanowireFamily
from graticule.phantoms.options import PhantomOptions
from graticule.workers.pool import available_cores, in_workers

SCHEMA_VERSION = 1
_PARALLEL_FROM = 50  # images; below, starting processes costs more than it saves


class PhantomFamily(Protocol):
    """A kind of phantom: what `write_phantom` asks of each."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the manifest."""

    @property
    def folders(self) -> tuple[str, ...]:
        """In which images lie."""

    @property
    def usual(self) -> int:
        """Images per class where no number is given."""

    def faults(self, options: PhantomOptions) -> list[str]:
        """Options that images of this kind cannot follow."""

    def tasks(self, options: PhantomOptions) -> Sequence[Any]:
        """One entry per image, in the order of the manifest."""

    def make(self, options: PhantomOptions, out: Path, task: Any, /) -> dict[str, str]:
        """Render one image, write it and its mask, and return its manifest row."""

    def summary(self, rows: list[dict[str, str]]) -> dict[str, object]:
        """What phantom.json says beside the options."""


FAMILIES: dict[str, PhantomFamily] = {
    "nanowires": NanowireFamily(),
    "particles": LabelledFamily(
        name="particles",
        description="air bubbles, protein aggregates and silicone oil droplets in a flow microscope",
        classes=flow_particles.CLASSES,
        render=flow_particles.render_particle,
        in_field=flow_particles.render_in_field,
        mixed=True,
        bars=False,
        targets=flow_particles.KNOWN,
    ),
    "powder": LabelledFamily(
        name="powder",
        description="powder particles of six morphologies under a scanning electron microscope",
        classes=powder.CLASSES,
        render=powder.render_powder,
        targets=particle_sizes.COLUMNS,
        measure=particle_sizes.particle_sizes,
    ),
    "ultrasound": LabelledFamily(
        name="ultrasound",
        description="ultrasound frames with a cyst or a solid mass",
        classes=ultrasound.CLASSES,
        render=ultrasound.render_plain,
        marked=ultrasound.render_marked,
        bars=False,
    ),
}


def write_phantom(
    kind: str,
    out: Path | str,
    options: PhantomOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write a phantom data set into a folder that is new or empty; returns phantom.json.

    The same arguments give bit-identical files with the same package versions on the same kind of processor,
    for any number of workers; image i of a class does not depend on how many are made. Wrong labels are each of the
    other classes equally likely, a share rounded to a whole number of images; `true_label` keeps the truth.

    Parameters
    ----------
    kind : str
        A key of `FAMILIES`.
    out : path
        Folder to fill; made if absent.
    options : PhantomOptions, optional
        Worker processes start by spawn, so a script that makes more than 50 images with more than one needs the usual
        `if __name__ == "__main__"`.
    progress : callable or None
        Called with (images done, images in all).

    Raises
    ------
    OptionError
        If an option is out of range; the message lists every one that is.
    """
    options = options or PhantomOptions()
    _check(kind, options)
    family, out = FAMILIES[kind], Path(out)
    if options.counts is None:
        options = replace(options, n_per_class=options.n_per_class or family.usual)
    tasks = family.tasks(options)
    _make_folders(options, family, out)
    rows = []
    for row in _made(partial(_make, kind, options, out), tasks, options.workers):
        rows.append(row)
        if progress is not None:
            progress(len(rows), len(tasks))
    _write_manifest(out / "manifest.csv", family.columns, rows)
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        **{name: value for name, value in options.to_json().items() if name != "workers"},
        **family.summary(rows),
    }
    write_text(out / "phantom.json", json.dumps(record, indent=2) + "\n")
    return record


def _make_folders(options: PhantomOptions, family: PhantomFamily, out: Path) -> None:
    for name in family.folders:
        (out / name).mkdir(parents=True, exist_ok=True)
        if options.masks:
            (out / "masks" / name).mkdir(parents=True, exist_ok=True)


def _write_manifest(file: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    with writing_text(file) as stream:
        writer = csv.DictWriter(stream, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _check(kind: str, options: PhantomOptions) -> None:
    faults = options.faults()
    if kind not in FAMILIES:
        faults.insert(0, f"unknown kind of phantom {kind!r}; known: {', '.join(sorted(FAMILIES))}")
    else:
        faults += FAMILIES[kind].faults(options)
    if faults:
        raise OptionError("; ".join(faults))


def _made(make: Callable[[Any], dict[str, str]], tasks: Sequence[Any], workers: int | None) -> Iterator[dict[str, str]]:
    """The manifest row of each task in order, made here or in worker processes."""
    n = min(workers or available_cores(), len(tasks))
    if n == 1 or len(tasks) <= _PARALLEL_FROM:
        yield from map(make, tasks)
        return
    either: Callable[[Any], dict[str, str] | str] = make
    for row in in_workers(either, tasks, str, workers=n):
        if isinstance(row, str):
            raise RunError(f"an image of the phantom could not be made: {row}")
        yield row


def _make(kind: str, options: PhantomOptions, out: Path, task: Any) -> dict[str, str]:
    return FAMILIES[kind].make(options, out, task)
