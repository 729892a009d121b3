"""What the audits of classes and of numbers share: images looked at, told of, and the folder written."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule import __version__
from graticule.audit.describe import format_counts, leak_rows, note_counts, size_counts
from graticule.audit.document import AuditedImages, EmbeddingCount, IntensityWords, UnreadableFile
from graticule.audit.instruments import Instruments, read_instruments
from graticule.errors import ManifestError
from graticule.features.reader import settle
from graticule.features.samples import Samples, embed_samples
from graticule.files import write_text
from graticule.images.reading import Reading
from graticule.jobs.options import AuditOptions
from graticule.jobs.record import write_failures
from graticule.manifest import Manifest, escape_path
from graticule.networks.catalogue import encoder_of
from graticule.networks.device_choice import on_device
from graticule.networks.options import DEFAULT_BACKBONE
from graticule.progress import Reporter
from graticule.report.audit.pictures import SIDE
from graticule.report.thumbnails import FileOf, ReadRgb, pictures_of_files
from graticule.runs import package_versions, utc_now, write_json
from graticule.split.gate import admitted
from graticule.split.kinship import Kinship, relate
from graticule.split.parents_table import BESIDE, read_parents
from graticule.split.training_only import is_synthetic


@dataclass(frozen=True)
class Looked:
    """What the steps of an audit hand to the writing step.

    Attributes
    ----------
    everything : Manifest
    samples : Samples
        Those that could be read.
    reading : Reading
    kinship : Kinship
    instruments : Instruments
    """

    everything: Manifest
    samples: Samples
    reading: Reading
    kinship: Kinship
    instruments: Instruments


def look_at_images(everything: Manifest, options: AuditOptions, reporter: Reporter) -> Looked:
    """Read and embed the images of a manifest, in the order of its paths, and find copies among them."""
    encoder = encoder_of(DEFAULT_BACKBONE, views=options.views)
    encoder, reading = settle(everything, encoder, options, workers=options.workers, reporter=reporter)
    encoder = on_device(encoder, options.device, options.batch_size)
    samples = embed_samples(
        everything, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
    )
    kinship = relate(samples, reading.preprocessing, reporter)
    return Looked(everything, samples, reading, kinship, read_instruments(samples))


def about_images(data: Path, out: Path | None, options: AuditOptions, found: Looked, start: float) -> dict[str, Any]:
    """The parts of `AuditedImages` that depend on neither classes nor numbers, by name."""
    samples, everything = found.samples, found.everything
    return {
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "wall_time_s": round(time.perf_counter() - start, 2),
        "command": options.command("audit", data, out=out),
        "packages": package_versions(),
        "source": escape_path(str(data.absolute())),
        "root": escape_path(str(everything.root)),
        "n": len(everything),
        "n_synthetic": int(is_synthetic(everything).sum()),
        "without_parents": _without_parents(data, everything),
        "unproven": _unproven(everything),
        "sizes": size_counts(samples),
        "formats": format_counts(samples),
        "unreadable": tuple(UnreadableFile(path=path, error=error) for path, error in samples.failures),
        "leaks": leak_rows(samples, found.kinship),
        "intensity": IntensityWords(policy=found.reading.intensity_words, why=found.reading.intensity_why),
        "notes": note_counts(samples, found.instruments),
        "embedding": EmbeddingCount(decoded=samples.decoded, cached=samples.cached, seconds=round(samples.seconds, 2)),
    }


def _without_parents(data: Path, everything: Manifest) -> str:
    """Why training refuses synthetic images, where it is not known what they were made from; else ""."""
    try:
        read_parents(data, everything, BESIDE)
    except ManifestError as error:
        return str(error)
    return ""


def _unproven(everything: Manifest) -> str:
    """Why training refuses synthetic images for what their gate says; "" where it does not."""
    try:
        admitted(everything.take(everything.labelled | everything.with_target), allow_unproven=False)
    except ManifestError as error:
        return str(error)
    return ""


def write_audit(
    out: Path,
    document: AuditedImages,
    found: Looked,
    options: AuditOptions,
    render: Callable[[ReadRgb, FileOf], str],
) -> None:
    """Write audit.json, failures.csv and the page that `render` makes from pictures."""
    write_json(out / "audit.json", document.to_json())
    write_failures(out / "failures.csv", found.samples.failures)
    files = {escape_path(path): found.everything.root / path for path in found.everything.path}
    with pictures_of_files(SIDE, options.selection()) as read:
        write_text(out / "audit.html", render(read, files.get))
