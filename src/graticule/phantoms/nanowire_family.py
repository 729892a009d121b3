"""The phantom family "nanowires": pictures with the share of aligned wires as a number to learn.

OUT/nanowires/<image>.png or .jpg    the pictures, about a third of them with an info bar
OUT/masks/nanowires/<image>.png      number of the wire seen, 16 bit (on request)

phantom.json holds the floors: the mean error of whoever knows more of the wires than a picture can show, so that nobody
looks for the rest.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.directions.mixture import fit_mixture
from graticule.phantoms.infobar import MAKES, append_bar, drawn_settings
from graticule.phantoms.nanowires import PICTURES_PER_SPECIMEN, NanowirePicture, render_nanowires
from graticule.phantoms.options import NO_MARKS, TIGHT, PhantomOptions
from graticule.phantoms.writing import write_jpeg, write_mask, write_png

FOLDER = "nanowires"
TARGETS = (
    "fraction",
    "area_fraction",
    "number_fraction",
    "visible_fraction",
    "oriented_fraction",
    "direction",
    "dispersion",
    "diameter_px",
    "diameter_nm",
    "count",
    "coverage",
)
_COLUMNS = ("path", *TARGETS, "group", "specimen", "pixel_size_nm", "instrument", "bar_top", "bar_bottom")
# what is known of the wires -> the column that then comes nearest to the volume fraction
FLOORS = {
    "which share is aligned by area": "area_fraction",
    "which share is aligned by number": "number_fraction",
    "which of the visible wires are aligned": "visible_fraction",
    "the directions of the visible wires": "oriented_fraction",
}
_BAR_KEY = 2  # a spawn key that no picture uses
_BARRED = 0.32


@dataclass(frozen=True)
class NanowireFamily:
    """See `families.PhantomFamily`; a task is the number of a picture."""

    name: str = "nanowires"
    description: str = "nanowires, partly aligned, under a scanning electron microscope"
    columns: tuple[str, ...] = _COLUMNS
    folders: tuple[str, ...] = (FOLDER,)
    usual: int = 360

    def faults(self, options: PhantomOptions) -> list[str]:
        """Options that mean nothing where no class is."""
        faults = []
        if options.label_noise:
            faults.append(f"{self.name} have no labels that could be wrong; leave label-noise out")
        if options.marks != NO_MARKS:
            faults.append(f"marks is {options.marks!r}; allowed for {self.name}: {NO_MARKS}")
        if options.counts is not None:
            faults.append(f"{self.name} have no classes; leave counts out and give n-per-class, the number in all")
        if options.crops != TIGHT:
            faults.append(f"{self.name} are whole fields already; leave crops out")
        return faults

    def tasks(self, options: PhantomOptions) -> list[int]:
        """The numbers of the pictures."""
        return list(range(options.n_per_class or self.usual))

    def make(self, options: PhantomOptions, out: Path, index: int, /) -> dict[str, str]:
        """Render one picture, write it and its mask, and return its manifest row."""
        each = options.per_specimen or PICTURES_PER_SPECIMEN
        shot = render_nanowires(index, each, options.seed)
        image, rows = shot.image, None
        rng = np.random.default_rng(np.random.SeedSequence(options.seed, spawn_key=(_BAR_KEY, *divmod(index, each))))
        barred, make = rng.random() < _BARRED, str(rng.choice(sorted(MAKES)))
        if barred or options.info_bar is not None:
            image, rows = append_bar(image, options.info_bar or make, drawn_settings(rng, shot.pixel_size_nm))
        name = f"{FOLDER}/{shot.specimen}_{index % each:03d}"
        path = f"{name}.jpg" if shot.quality else f"{name}.png"
        if shot.quality:
            write_jpeg(out / path, image, shot.quality)
        else:
            write_png(out / path, image)
        if options.masks:
            mask = np.zeros(image.shape, dtype=np.uint16)
            top = 0 if rows is None or rows[0] else rows[1]
            mask[top : top + len(shot.wire)] = _numbered(shot.wire)
            write_mask(out / "masks" / f"{name}.png", mask)
        bar = ("", "") if rows is None else (str(rows[0]), str(rows[1]))
        place = (shot.specimen, shot.specimen, f"{shot.pixel_size_nm:g}", shot.instrument, *bar)
        return dict(zip(_COLUMNS, (path, *targets_of(shot), *place), strict=True))

    def summary(self, rows: list[dict[str, str]]) -> dict[str, object]:
        """What phantom.json says beside the options; "floors" maps what is known to the mean error that is left."""
        return {"n": len(rows), "n_specimens": len({row["specimen"] for row in rows}), "floors": floors(rows)}


def targets_of(shot: NanowirePicture) -> tuple[str, ...]:
    """`TARGETS` of a picture as text; what has no value where no wire, or none aligned, lies in the field is empty."""
    laid, seen = shot.laid, np.bincount(shot.wire.ravel(), minlength=len(shot.laid.aligned) + 1)[1:]
    if not laid.aligned.size:
        return ("",) * (len(TARGETS) - 2) + ("0", "0")
    visible = seen * laid.diameter  # what is seen of a wire, by volume
    shares = [_share(laid.aligned, weight) for weight in (laid.volume, laid.area, np.ones(seen.size), visible)]
    turns = np.degrees(np.angle(laid.doubled)) / 2 % 180
    histogram = np.histogram(turns, bins=180, range=(0, 180), weights=visible)[0].astype(np.float64)
    shares.append(float(fit_mixture(histogram[None]).share[0, 0]))
    direction, dispersion = "", ""
    if laid.aligned.any():
        volume = laid.volume[laid.aligned]
        mean = complex((volume * laid.doubled[laid.aligned]).sum() / volume.sum())
        direction = f"{np.degrees(np.angle(mean)) / 2 % 180:.2f}"
        dispersion = f"{np.degrees(np.sqrt(-2 * np.log(min(abs(mean), 1.0)))) / 2:.2f}"
    diameter = float(np.average(laid.diameter, weights=laid.length))
    sizes = (f"{diameter:.3f}", f"{diameter * shot.pixel_size_nm:.5g}", str(seen.size))
    return (*(f"{share:.5f}" for share in shares), direction, dispersion, *sizes, f"{seen.sum() / shot.wire.size:.4f}")


def floors(rows: list[dict[str, str]]) -> dict[str, float]:
    """Mean error of the volume fraction for whoever knows another share of the wires; keys as in `FLOORS`."""
    known = [row for row in rows if row["fraction"]]
    if not known:
        return {}
    truth = np.array([float(row["fraction"]) for row in known])
    shares = {words: np.array([float(row[column]) for row in known]) for words, column in FLOORS.items()}
    return {words: round(float(np.abs(share - truth).mean()), 4) for words, share in shares.items()}


def _share(aligned: NDArray[np.bool_], weight: FloatArray) -> float:
    total = float(weight.sum())
    return float(weight[aligned].sum()) / total if total else 0.0


def _numbered(wire: NDArray[np.intp]) -> NDArray[np.uint16]:
    """Wires numbered 1, 2, ... without gaps where they are seen."""
    seen, place = np.unique(wire, return_inverse=True)
    return (place.reshape(wire.shape) + int(seen[0] > 0)).astype(np.uint16)
