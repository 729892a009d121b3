"""Kinds of phantoms with classes: images in the folder of the label that an annotator gave.

OUT/<class>/<image>.png    the images
OUT/masks/<class>/<image>.png   object numbers, 16 bit, under the same relative name (on request)
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.phantoms.infobar import Acquisition, bar_rows, drawn_settings, stamp
from graticule.phantoms.options import ALL_MARKS, FIELD, NO_MARKS, PhantomOptions
from graticule.phantoms.powder import Micrograph
from graticule.phantoms.writing import write_mask, write_png

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
_Measure = Callable[[NDArray[np.uint16], float], dict[str, str]]


@dataclass(frozen=True)
class LabelledTask:
    """One image to make: true class, number within it, and the class it is filed under."""

    class_index: int
    index: int
    label_index: int


@dataclass(frozen=True)
class LabelledFamily:
    """A kind of phantom with classes.

    Parameters
    ----------
    name, description : str
    classes : tuple of str
        Class names in alphabetical order.
    render : callable
        (class index, image index, seed) to a `powder.Micrograph`; depends on nothing else.
    marked : callable, optional
        The same image with marks burnt in; None: images of this kind bear none.
    in_field : callable, optional
        The same object in a wider field among others; None: images of this kind are always whole fields.
    mixed : bool
        Whether a specimen holds all classes: files are then numbered through all of them, so that no wrong label gives
        two images one name.
    bars : bool
        Whether an info bar can be drawn.
    targets : tuple of str
        Columns of numbers that are known of each image.
    measure : callable, optional
        (mask of what is seen, pixel size in nm) to these numbers as text.
    """

    name: str
    description: str
    classes: tuple[str, ...]
    render: Callable[[int, int, int], Micrograph]
    marked: Callable[[int, int, int], Micrograph] | None = None
    in_field: Callable[[int, int, int], Micrograph] | None = None
    mixed: bool = False
    bars: bool = True
    targets: tuple[str, ...] = ()
    measure: _Measure | None = None
    usual: int = 40

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the manifest."""
        return _COLUMNS + self.targets

    @property
    def folders(self) -> tuple[str, ...]:
        """In which images lie."""
        return self.classes

    def faults(self, options: PhantomOptions) -> list[str]:
        """Options that images of this kind cannot follow."""
        faults = []
        if options.info_bar is not None and not self.bars:
            faults.append(f"{self.name} images bear no info bar; leave info-bar out")
        allowed = [NO_MARKS] if self.marked is None else [NO_MARKS, ALL_MARKS, *self.classes]
        if options.marks not in allowed:
            faults.append(f"marks is {options.marks!r}; allowed for {self.name}: {', '.join(allowed)}")
        if options.per_specimen is not None:
            faults.append(f"{self.name} images have a fixed number of specimens; leave per-specimen out")
        if options.crops == FIELD and self.in_field is None:
            faults.append(f"{self.name} images are whole fields already; leave crops out")
        return faults + self._count_faults(options)

    def _count_faults(self, options: PhantomOptions) -> list[str]:
        if options.counts is None:
            return []
        if options.n_per_class is not None:
            return ["give n-per-class or counts, not both"]
        cells = options.counts.split(",")
        if len(cells) == len(self.classes) and all(cell.strip().isdecimal() and int(cell) > 0 for cell in cells):
            return []
        return [
            f"counts is {options.counts!r}; allowed for {self.name}: {len(self.classes)} whole numbers from 1 with "
            f"commas between them, for {', '.join(self.classes)}"
        ]

    def _counts(self, options: PhantomOptions) -> list[int]:
        if options.counts is not None:
            return [int(cell) for cell in options.counts.split(",")]
        return [options.n_per_class or self.usual] * len(self.classes)

    def tasks(self, options: PhantomOptions) -> list[LabelledTask]:
        """All images in the order class, number, with the labels that the planted noise leaves."""
        n_classes, counts = len(self.classes), self._counts(options)
        truth = np.repeat(np.arange(n_classes), counts)
        rng = np.random.default_rng(np.random.SeedSequence(options.seed, spawn_key=(_NOISE_KEY,)))
        wrong = rng.permutation(truth.size)[: round(options.label_noise * truth.size)]
        label = truth.copy()
        label[wrong] = (truth[wrong] + rng.integers(1, n_classes, wrong.size)) % n_classes
        index = np.concatenate([np.arange(each) for each in counts])
        return [LabelledTask(int(c), int(i), int(k)) for c, i, k in zip(truth, index, label, strict=True)]

    def make(self, options: PhantomOptions, out: Path, task: LabelledTask) -> dict[str, str]:
        """Render one image, write it and its mask, and return its manifest row."""
        marked = options.marks in (ALL_MARKS, self.classes[task.class_index])
        render = self.marked if marked and self.marked is not None else self.render
        if options.crops == FIELD and self.in_field is not None:
            render = self.in_field
        shot = render(task.class_index, task.index, options.seed)
        image, mask = shot.image, shot.mask
        rows = bar_rows(options.info_bar, image.shape[0])
        if options.info_bar is not None and rows is not None:
            image = stamp(image, options.info_bar, _acquisition(shot, options.seed, task))
            mask = mask.copy()
            mask[rows[0] : rows[1]] = 0
        label = self.classes[task.label_index]
        number = task.index * len(self.classes) + task.class_index if self.mixed else task.index
        path = f"{label}/{shot.specimen}_{number:05d}.png"
        write_png(out / path, image)
        if options.masks:
            write_mask(out / "masks" / path, mask)
        top, bottom = ("", "") if rows is None else (str(rows[0]), str(rows[1]))
        values = (label, self.classes[task.class_index], shot.specimen, shot.specimen, f"{shot.pixel_size_nm:g}")
        row = dict(zip(_COLUMNS, (path, *values, shot.instrument, top, bottom), strict=True)) | dict(shot.known)
        return row if self.measure is None else row | self.measure(mask, shot.pixel_size_nm)

    def summary(self, rows: list[dict[str, str]]) -> dict[str, object]:
        """What phantom.json says beside the options."""
        return {
            "classes": list(self.classes),
            "n": len(rows),
            "n_label_errors": sum(row["label"] != row["true_label"] for row in rows),
            "n_specimens": len({row["specimen"] for row in rows}),
        }


def _acquisition(shot: Micrograph, seed: int, task: LabelledTask) -> Acquisition:
    """Settings for the bar; beam energy and working distance say nothing about the class."""
    key = (task.class_index, _BAR_KEY, task.index)
    return drawn_settings(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key)), shot.pixel_size_nm)
