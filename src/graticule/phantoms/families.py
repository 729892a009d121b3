"""Digital phantoms: image sets whose truth is known, written as a data set that every verb can read.

OUT/<class>/<image>.png    the images, in the folder of the label that an annotator gave
OUT/masks/<class>/<image>.png   particle numbers, 16 bit, under the same relative name (on request)
OUT/manifest.csv           path, label, true_label, group, specimen, pixel_size_nm, instrument, bar_top, bar_bottom
OUT/phantom.json           kind, parameters and seed; written last
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from graticule.errors import OptionError, RunError
from graticule.files import write_text, writing, writing_text
from graticule.phantoms import powder, ultrasound
from graticule.phantoms.infobar import MAKES, Acquisition, bar_rows, stamp
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
NO_MARKS, ALL_MARKS = "none", "all"


@dataclass(frozen=True)
class _Plan:
    """Everything that decides the files, besides the place; small, so that it travels to worker processes."""

    kind: str
    n_per_class: int
    seed: int
    label_noise: float
    info_bar: str | None
    masks: bool
    marks: str = NO_MARKS


@dataclass(frozen=True)
class _Task:
    """One image to make: true class, number within it, and the class it is filed under."""

    class_index: int
    index: int
    label_index: int


def write_phantom(
    kind: str,
    out: Path | str,
    *,
    n_per_class: int = 40,
    seed: int = 0,
    label_noise: float = 0.0,
    info_bar: str | None = None,
    masks: bool = False,
    marks: str = NO_MARKS,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = 1,
) -> dict[str, object]:
    """Write a phantom data set into a folder that is new or empty.

    The same arguments give bit-identical files with the same package versions on the same kind of processor,
    for any number of workers; image i of a class does not depend on how many are made.

    Parameters
    ----------
    kind : str
        A key of `FAMILIES`.
    out : path
        Folder to fill; made if absent.
    n_per_class : int
        Images per true class, >= 1.
    seed : int
        >= 0.
    label_noise : float
        Share of all images, in [0, 1), that get a wrong label (rounded to a whole number of images), each of the
        other classes equally likely. `true_label` keeps the truth.
    info_bar : str or None
        A key of `infobar.MAKES`: the bar hides the lowest rows of image and mask.
    masks : bool
        Write the particles' numbers as 16-bit PNG.
    marks : str
        Which images bear burnt-in marks (text, ruler, calipers): "none", "all", or a class, whose label they then tell.
    progress : callable or None
        Called with (images done, images in all).
    workers : int or None
        Processes, >= 1; None takes one per core. Processes start by spawn, so a script that asks for more than one
        needs the usual `if __name__ == "__main__"`.

    Returns
    -------
    dict
        What phantom.json says.

    Raises
    ------
    OptionError
        If an option is out of range; the message lists every one that is.
    """
    plan = _Plan(kind, n_per_class, seed, label_noise, info_bar, masks, marks)
    _validate(plan, workers)
    family, out = FAMILIES[kind], Path(out)
    tasks = _tasks(plan, len(family.classes))
    _make_folders(plan, family, out)
    rows = []
    for row in _made(partial(_make, plan, out), tasks, workers):
        rows.append(row)
        if progress is not None:
            progress(len(rows), len(tasks))
    _write_manifest(out / "manifest.csv", rows)
    record = _record(plan, family, rows)
    write_text(out / "phantom.json", json.dumps(record, indent=2) + "\n")
    return record


def _make_folders(plan: _Plan, family: PhantomFamily, out: Path) -> None:
    for name in family.classes:
        (out / name).mkdir(parents=True, exist_ok=True)
        if plan.masks:
            (out / "masks" / name).mkdir(parents=True, exist_ok=True)


def _write_manifest(file: Path, rows: list[dict[str, str]]) -> None:
    with writing_text(file) as stream:
        writer = csv.DictWriter(stream, fieldnames=_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _validate(plan: _Plan, workers: int | None) -> None:
    faults = []
    if plan.kind not in FAMILIES:
        faults.append(f"unknown kind of phantom {plan.kind!r}; known: {', '.join(sorted(FAMILIES))}")
    if plan.n_per_class < 1:
        faults.append(f"n-per-class is {plan.n_per_class}; it must be at least 1")
    if plan.seed < 0:
        faults.append(f"seed is {plan.seed}; it must be 0 or more")
    if not 0 <= plan.label_noise < 1:
        faults.append(f"label-noise is {plan.label_noise}; it must be at least 0 and below 1")
    if plan.info_bar is not None and plan.info_bar not in MAKES:
        faults.append(f"unknown info bar {plan.info_bar!r}; known: {', '.join(sorted(MAKES))}")
    if plan.kind in FAMILIES:
        faults += _faults_of_kind(plan, FAMILIES[plan.kind])
    if workers is not None and workers < 1:
        faults.append(f"workers is {workers}; it must be at least 1")
    if faults:
        raise OptionError("; ".join(faults))


def _faults_of_kind(plan: _Plan, family: PhantomFamily) -> list[str]:
    """Options that images of this kind cannot follow."""
    faults = []
    if plan.info_bar is not None and not family.bars:
        faults.append(f"{family.name} images bear no info bar; leave info-bar out")
    allowed = [NO_MARKS] if family.marked is None else [NO_MARKS, ALL_MARKS, *family.classes]
    if plan.marks not in allowed:
        faults.append(f"marks is {plan.marks!r}; allowed for {family.name}: {', '.join(allowed)}")
    return faults


def _tasks(plan: _Plan, n_classes: int) -> list[_Task]:
    """All images in the order class, number, with the labels that the planted noise leaves."""
    truth = np.repeat(np.arange(n_classes), plan.n_per_class)
    rng = np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=(_NOISE_KEY,)))
    wrong = rng.permutation(truth.size)[: round(plan.label_noise * truth.size)]
    label = truth.copy()
    label[wrong] = (truth[wrong] + rng.integers(1, n_classes, wrong.size)) % n_classes
    index = np.tile(np.arange(plan.n_per_class), n_classes)
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


def _make(plan: _Plan, out: Path, task: _Task) -> dict[str, str]:
    """Render one image, write it and its mask, and return its manifest row."""
    family = FAMILIES[plan.kind]
    marked = plan.marks in (ALL_MARKS, family.classes[task.class_index])
    render = family.marked if marked and family.marked is not None else family.render
    shot = render(task.class_index, task.index, plan.seed)
    image, mask = shot.image, shot.mask
    rows = bar_rows(plan.info_bar, image.shape[0])
    if plan.info_bar is not None and rows is not None:
        image = stamp(image, plan.info_bar, _acquisition(shot, plan.seed, task))
        mask = mask.copy()
        mask[rows[0] : rows[1]] = 0
    label = family.classes[task.label_index]
    path = f"{label}/{shot.specimen}_{task.index:05d}.png"
    # not durable: what a power cut takes can be drawn again
    with writing(out / path, durable=False) as sink:
        Image.fromarray(image).save(sink, format="PNG", compress_level=1, compress_type=_RUN_LENGTH)
    if plan.masks:
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


def _record(plan: _Plan, family: PhantomFamily, rows: list[dict[str, str]]) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        **asdict(plan),
        "classes": list(family.classes),
        "n": len(rows),
        "n_label_errors": sum(row["label"] != row["true_label"] for row in rows),
        "n_specimens": len({row["specimen"] for row in rows}),
    }
