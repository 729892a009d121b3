"""Digital phantoms: image sets whose truth is known, written as a data set that every verb can read.

OUT/<class>/<image>.png    the images, in the folder of the label that an annotator gave
OUT/masks/<class>/<image>.png   particle numbers, 16 bit, under the same relative name (on request)
OUT/manifest.csv           path, label, true_label, group, specimen, pixel_size_nm, instrument, bar_top, bar_bottom
OUT/phantom.json           kind, parameters and seed; written last
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from graticule.errors import OptionError, RunError
from graticule.files import write_text, writing, writing_text
from graticule.phantoms import powder, ultrasound
from graticule.phantoms.infobar import Acquisition, bar_rows, stamp
from graticule.phantoms.options import ALL_MARKS, NO_MARKS, PhantomOptions
from graticule.workers.pool import available_cores, in_workers

SCHEMA_VERSION = 1
_COLUMNS = (
    "path",
    "label",
    "true_label",
    "group",
    "specimen",
    "pixel_size_nm",
    "instrument",
    "bar_top",
    "bar_bottom",
)
_NOISE_KEY, _BAR_KEY = 1_000_000, 2  # spawn keys that no class or image uses
_PARALLEL_FROM = 50  # images; below, starting processes costs more than it saves
_RUN_LENGTH = 3  # zlib's Z_RLE: as small as the default on noise, in half the time


@dataclass(frozen=True)
class PhantomFamily:
    """A kind of phantom.

    Parameters
    ----------
    name, description : str
    classes : tuple of str
        Class names in alphabetical order.
    render : callable
        (class index, image index, seed) to a `powder.Micrograph`; depends on nothing else.
    marked : callable, optional
        The same image with marks burnt in; None: images of this kind bear none.
    bars : bool
        Whether an info bar can be drawn.
    """

    name: str
    description: str
    classes: tuple[str, ...]
    render: Callable[[int, int, int], powder.Micrograph]
    marked: Callable[[int, int, int], powder.Micrograph] | None = None
    bars: bool = True


FAMILIES: dict[str, PhantomFamily] = {
    "powder": PhantomFamily(
        name="powder",
        description="powder particles of six morphologies under a scanning electron microscope",
        classes=powder.CLASSES,
        render=powder.render_powder,
    ),
    "ultrasound": PhantomFamily(
        name="ultrasound",
        description="ultrasound frames with a cyst or a solid mass",
        classes=ultrasound.CLASSES,
        render=ultrasound.render_plain,
        marked=ultrasound.render_marked,
        bars=False,
    ),
}


@dataclass(frozen=True)
class _Task:
    """One image to make: true class, number within it, and the class it is filed under."""

    class_index: int
    index: int
    label_index: int


def write_phantom(
    kind: str,
    out: Path | str,
    options: PhantomOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, object]:
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
    tasks = _tasks(options, len(family.classes))
    _make_folders(options, family, out)
    rows = []
    for row in _made(partial(_make, kind, options, out), tasks, options.workers):
        rows.append(row)
        if progress is not None:
            progress(len(rows), len(tasks))
    _write_manifest(out / "manifest.csv", rows)
    record = _record(kind, options, rows)
    write_text(out / "phantom.json", json.dumps(record, indent=2) + "\n")
    return record


def _make_folders(options: PhantomOptions, family: PhantomFamily, out: Path) -> None:
    for name in family.classes:
        (out / name).mkdir(parents=True, exist_ok=True)
        if options.masks:
            (out / "masks" / name).mkdir(parents=True, exist_ok=True)


def _write_manifest(file: Path, rows: list[dict[str, str]]) -> None:
    with writing_text(file) as stream:
        writer = csv.DictWriter(stream, fieldnames=_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _check(kind: str, options: PhantomOptions) -> None:
    faults = options.faults()
    if kind not in FAMILIES:
        faults.insert(0, f"unknown kind of phantom {kind!r}; known: {', '.join(sorted(FAMILIES))}")
    else:
        faults += _faults_of_kind(options, FAMILIES[kind])
    if faults:
        raise OptionError("; ".join(faults))


def _faults_of_kind(options: PhantomOptions, family: PhantomFamily) -> list[str]:
    """Options that images of this kind cannot follow."""
    faults = []
    if options.info_bar is not None and not family.bars:
        faults.append(f"{family.name} images bear no info bar; leave info-bar out")
    allowed = [NO_MARKS] if family.marked is None else [NO_MARKS, ALL_MARKS, *family.classes]
    if options.marks not in allowed:
        faults.append(f"marks is {options.marks!r}; allowed for {family.name}: {', '.join(allowed)}")
    return faults


def _tasks(options: PhantomOptions, n_classes: int) -> list[_Task]:
    """All images in the order class, number, with the labels that the planted noise leaves."""
    truth = np.repeat(np.arange(n_classes), options.n_per_class)
    rng = np.random.default_rng(np.random.SeedSequence(options.seed, spawn_key=(_NOISE_KEY,)))
    wrong = rng.permutation(truth.size)[: round(options.label_noise * truth.size)]
    label = truth.copy()
    label[wrong] = (truth[wrong] + rng.integers(1, n_classes, wrong.size)) % n_classes
    index = np.tile(np.arange(options.n_per_class), n_classes)
    return [_Task(int(c), int(i), int(k)) for c, i, k in zip(truth, index, label, strict=True)]


def _made(make: Callable[[_Task], dict[str, str]], tasks: list[_Task], workers: int | None) -> Iterator[dict[str, str]]:
    """The manifest row of each task in order, made here or in worker processes."""
    n = min(workers or available_cores(), len(tasks))
    if n == 1 or len(tasks) <= _PARALLEL_FROM:
        yield from map(make, tasks)
        return
    either: Callable[[_Task], dict[str, str] | str] = make
    for row in in_workers(either, tasks, str, workers=n):
        if isinstance(row, str):
            raise RunError(f"an image of the phantom could not be made: {row}")
        yield row


def _make(kind: str, options: PhantomOptions, out: Path, task: _Task) -> dict[str, str]:
    """Render one image, write it and its mask, and return its manifest row."""
    family = FAMILIES[kind]
    marked = options.marks in (ALL_MARKS, family.classes[task.class_index])
    render = family.marked if marked and family.marked is not None else family.render
    shot = render(task.class_index, task.index, options.seed)
    image, mask = shot.image, shot.mask
    rows = bar_rows(options.info_bar, image.shape[0])
    if options.info_bar is not None and rows is not None:
        image = stamp(image, options.info_bar, _acquisition(shot, options.seed, task))
        mask = mask.copy()
        mask[rows[0] : rows[1]] = 0
    label = family.classes[task.label_index]
    path = f"{label}/{shot.specimen}_{task.index:05d}.png"
    # not durable: what a power cut takes can be drawn again
    with writing(out / path, durable=False) as sink:
        Image.fromarray(image).save(sink, format="PNG", compress_level=1, compress_type=_RUN_LENGTH)
    if options.masks:
        with writing(out / "masks" / path, durable=False) as sink:
            Image.fromarray(mask).save(sink, format="PNG")
    top, bottom = ("", "") if rows is None else (str(rows[0]), str(rows[1]))
    values = (label, family.classes[task.class_index], shot.specimen, shot.specimen, f"{shot.pixel_size_nm:g}")
    return dict(zip(_COLUMNS, (path, *values, shot.instrument, top, bottom), strict=True))


def _acquisition(shot: powder.Micrograph, seed: int, task: _Task) -> Acquisition:
    """Settings for the bar; beam energy and working distance say nothing about the class."""
    key = (task.class_index, _BAR_KEY, task.index)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    return Acquisition(
        pixel_size_nm=shot.pixel_size_nm,
        energy_kv=float(rng.choice([2.0, 3.0, 5.0, 10.0, 15.0])),
        working_distance_mm=round(float(rng.uniform(4, 13)), 1),
        number=int(rng.integers(1, 9999)),
    )


def _record(kind: str, options: PhantomOptions, rows: list[dict[str, str]]) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        **{name: value for name, value in options.to_json().items() if name != "workers"},
        "classes": list(FAMILIES[kind].classes),
        "n": len(rows),
        "n_label_errors": sum(row["label"] != row["true_label"] for row in rows),
        "n_specimens": len({row["specimen"] for row in rows}),
    }
