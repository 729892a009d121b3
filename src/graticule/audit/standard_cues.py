"""The cues that every data set has: how the files were made, when, where and with what, and the look of the picture."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from graticule.arrays import FloatArray, StrArray, object_array
from graticule.audit.shortcuts import Cue
from graticule.images import cues as measured

_COLUMNS = {
    "site": ("The site", "session"),
    "operator": ("The operator", "session"),
    "day": ("The day", "session"),
    "specimen": ("The specimen", "session"),
}


@dataclass(frozen=True)
class ImageFacts:
    """What decoding told of n images; all arrays have length n.

    Attributes
    ----------
    width, height : float arrays
        Pixels as stored.
    bits, channels : float arrays
        Bits per sample as stored, 1 or 3 channels.
    file_format, compression, instrument : object arrays of str
        "" where unknown.
    pixel_size_nm : float array
        NaN where unknown.
    measured : float array, shape (n, N_CUES)
        From `graticule.images.cues.measure_cues`.
    modified : float array
        Time of the last change of the file, seconds; NaN where unknown.
    """

    width: FloatArray
    height: FloatArray
    bits: FloatArray
    channels: FloatArray
    file_format: StrArray
    compression: StrArray
    instrument: StrArray
    pixel_size_nm: FloatArray
    measured: FloatArray
    modified: FloatArray


def standard_cues(
    facts: ImageFacts,
    label: StrArray,
    *,
    folder: StrArray | None = None,
    columns: Mapping[str, StrArray] | None = None,
    masked: bool = False,
) -> tuple[list[Cue], list[str]]:
    """All cues that are not constant, for `find_shortcuts`.

    Parameters
    ----------
    facts : ImageFacts
    label : object array of str, shape (n,)
    folder : object array of str, shape (n,), optional
        Folder of each file below the root, with "/". Parts that are named like a class are left out: the label may
        come from them.
    columns : mapping of str to object arrays of str, optional
        Columns of the manifest; site, operator, day and specimen are used, and instrument and pixel_size_nm where
        the files say nothing.
    masked : bool
        Marks burnt into ultrasound frames are masked, and so no cue.

    Returns
    -------
    cues : list of Cue
    notes : list of str
        What was left out and why.
    """
    columns = columns or {}
    texts = {
        "file format": ("The file format", "file", facts.file_format),
        "compression": ("The compression", "file", facts.compression),
        "bit depth": ("The bit depth", "file", _text(facts.bits)),
        "channels": ("The number of channels", "file", _text(facts.channels)),
        "instrument": ("The instrument", "instrument", _filled(facts.instrument, columns.get("instrument"))),
    }
    if folder is not None:
        texts["folder"] = ("The folder", "session", _below_class(folder, label))
    notes = []
    for name, (words, remedy) in _COLUMNS.items():
        values = columns.get(name)
        if values is None:
            continue
        if name == "specimen" and _nested(values, label):
            notes.append("each specimen holds one class: that is how the data were made, and no cue; group by specimen")
            continue
        texts[name] = (words, remedy, values)
    found = [
        Cue(name, words, "categorical", values, remedy)
        for name, (words, remedy, values) in texts.items()
        if len(set(values.tolist())) > 1
    ]
    marks = np.asarray(facts.measured, dtype=np.float64)[:, measured.MARKS]
    if masked and marks[:, 1:].any():
        notes.append("burnt-in marks are masked (--marks mask), and were not tested as a cue")
    numbers = [*_numbers(facts, columns), *([] if masked else [_marks(marks)])]
    return found + [cue for cue in numbers if _varies(cue)], notes


def _marks(marks: FloatArray) -> Cue:
    """Whether there are marks outside and inside the scan, and how much they cover."""
    shares = marks[:, 1:]
    return Cue(
        "burnt-in marks",
        "The burnt-in marks",
        "numeric",
        np.column_stack([shares > 0, np.sqrt(np.maximum(shares, 0))]),
        "marks",
    )


def _numbers(facts: ImageFacts, columns: Mapping[str, StrArray]) -> list[Cue]:
    look = np.asarray(facts.measured, dtype=np.float64)
    size = np.log(np.maximum(np.column_stack([facts.width, facts.height]), 1.0))
    pixel_size = np.asarray(facts.pixel_size_nm, dtype=np.float64)
    if "pixel_size_nm" in columns:
        pixel_size = np.where(np.isnan(pixel_size), _floats(columns["pixel_size_nm"]), pixel_size)
    log_size = np.log(np.where(pixel_size > 0, pixel_size, np.nan))
    day = np.floor(np.asarray(facts.modified, dtype=np.float64) / 86400)
    return [
        Cue("pixel size", "The pixel size", "numeric", log_size, "scale"),
        Cue("file day", "The day of the file", "numeric", day, "session"),
        Cue("info bar", "The info bar", "numeric", look[:, measured.BAR], "bar"),
        Cue("lower strip", "The lowest rows", "numeric", look[:, measured.LOWER_STRIP], "strip", "picture"),
        Cue("upper strip", "The uppermost rows", "numeric", look[:, measured.UPPER_STRIP], "strip", "picture"),
        Cue("image size", "The size of the image", "numeric", size, "size", "picture"),
        Cue("border", "The border", "numeric", look[:, measured.BORDER], "border", "picture"),
        Cue("brightness", "The brightness", "numeric", look[:, measured.BRIGHTNESS], "picture", "picture"),
        Cue(
            "thumbnail",
            "A thumbnail of 4 x 4 cells",
            "numeric",
            look[:, measured.THUMBNAIL_COLOURS],
            "picture",
            "picture",
        ),
    ]


def _varies(cue: Cue) -> bool:
    values = np.asarray(cue.values, dtype=np.float64).reshape(len(cue.values), -1)
    return bool((values != values[:1]).any() and not np.isnan(values).all())


def _text(values: FloatArray) -> StrArray:
    return object_array(["" if np.isnan(v) else f"{v:g}" for v in np.asarray(values, dtype=np.float64).tolist()])


def _floats(texts: StrArray) -> FloatArray:
    """Numbers; NaN for what is none."""
    numbers = np.full(len(texts), np.nan)
    for i, text in enumerate(texts.tolist()):
        if re.fullmatch(r"\s*[0-9]*\.?[0-9]+(e[-+]?[0-9]+)?\s*", text, re.IGNORECASE):
            numbers[i] = float(text)
    return numbers


def _filled(values: StrArray, instead: StrArray | None) -> StrArray:
    if instead is None:
        return values
    return object_array([str(a or b) for a, b in zip(values.tolist(), instead.tolist(), strict=True)])


def _nested(values: StrArray, label: StrArray) -> bool:
    """Whether every level has samples of one class only."""
    pairs = set(zip(values.tolist(), label.tolist(), strict=True))
    return len(pairs) == len({level for level, _ in pairs})


def _below_class(folder: StrArray, label: StrArray) -> StrArray:
    names = {_plain(str(name)) for name in label.tolist()}
    return object_array(
        ["/".join(part for part in str(path).split("/") if _plain(part) not in names) for path in folder.tolist()]
    )


def _plain(name: str) -> str:
    """Without case, and without numbers and signs in front: "01_Basophil" and "basophil" are one name."""
    return re.sub(r"^[\W\d_]+(?=.)|[\W_]+$", "", name).casefold()
