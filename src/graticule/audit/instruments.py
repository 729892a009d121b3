"""What instruments wrote, gathered over a data set: from the table, and from the files."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import StrArray, object_array
from graticule.audit.document import ClassInstruments, InstrumentFindings
from graticule.audit.instrument_report import instrument_warnings, instruments_per_class, pixel_size_report
from graticule.features.samples import Samples
from graticule.formats.instrument.metadata import Metadata
from graticule.manifest import Manifest


@dataclass(frozen=True)
class Instruments:
    """One value per sample; n samples.

    Attributes
    ----------
    pixel_size_nm : float array, shape (n,)
        NaN where unknown.
    instrument : object array of str, shape (n,)
        "" where unknown.
    bar_rows : int array, shape (n,)
        Rows of the info bar, 0 without one.
    notes : list of n tuples of str
        What the reader decided and what is odd about the metadata.
    """

    pixel_size_nm: NDArray[np.float64]
    instrument: StrArray
    bar_rows: NDArray[np.int64]
    notes: list[tuple[str, ...]]


def read_instruments(samples: Samples) -> Instruments:
    """Gather metadata; the columns of the table win over the files."""
    manifest = samples.manifest
    n = len(manifest)
    sizes, names = np.full(n, np.nan), object_array([""] * n)
    bars, notes = np.zeros(n, np.int64), []
    for i, facts in enumerate(samples.facts()):
        metadata = facts.metadata
        sizes[i] = np.nan if metadata.pixel_size_nm is None else metadata.pixel_size_nm
        names[i] = _name(metadata)
        bars[i] = 0 if facts.bar is None else facts.bar.bottom - facts.bar.top
        notes.append((*facts.notes, *metadata.warnings))
    for i, cell in enumerate(manifest.columns.get("pixel_size_nm", ())):
        sizes[i] = float(cell) if cell else sizes[i]
    for i, cell in enumerate(manifest.columns.get("instrument", ())):
        names[i] = cell or names[i]
    return Instruments(sizes, names, bars, notes)


def _name(metadata: Metadata) -> str:
    """Make and model as one name, the make once."""
    if metadata.instrument.casefold().startswith(metadata.vendor.casefold()):
        return metadata.instrument
    return f"{metadata.vendor} {metadata.instrument}".strip()


def with_instruments(manifest: Manifest, instruments: Instruments) -> Manifest:
    """The manifest with the columns pixel_size_nm and instrument filled from the files, where these say something."""
    sizes = ["" if np.isnan(size) else f"{size:.9g}" for size in instruments.pixel_size_nm]
    found = {"pixel_size_nm": object_array(sizes), "instrument": instruments.instrument}
    known = {name: values for name, values in found.items() if any(values)}
    return replace(manifest, columns=manifest.columns | known)


def describe_instruments(instruments: Instruments, manifest: Manifest) -> InstrumentFindings:
    """The "instrument" object of audit.json."""
    labels = [str(label) for label in manifest.label]
    sizes = pixel_size_report(instruments.pixel_size_nm, labels)
    names = [str(name) for name in instruments.instrument]
    per_class = instruments_per_class(names, labels)
    warnings = list(sizes.warnings) if sizes.n_known else []
    return InstrumentFindings(
        known=sizes.n_known,
        per_class={
            row.label: ClassInstruments(
                n=row.n_known,
                min=row.low,
                median=row.median,
                max=row.high,
                instruments={name: n for name, n in per_class.get(row.label, {}).items() if name},
            )
            for row in sizes.classes
        },
        warnings=(*warnings, *instrument_warnings(names, labels)) if any(names) else tuple(warnings),
    )
