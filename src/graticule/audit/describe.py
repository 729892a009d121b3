"""The parts of an audit's document: what stands in samples, table, copies and instruments, counted and named."""

from collections import Counter
from typing import Any

import numpy as np

from graticule.audit.document import (
    CopyCounts,
    CopyFamily,
    CopyPair,
    FamilyCounts,
    FormatCount,
    GroupColumn,
    InfoBarCounts,
    LargestFamily,
    LeakRow,
    NoteCount,
    SizeCount,
)
from graticule.audit.instruments import Instruments
from graticule.features.samples import Samples
from graticule.manifest import Manifest, escape_path
from graticule.split.duplicates.families import Family, counts, families, under_two_labels
from graticule.split.duplicates.find import Pair, conflicts
from graticule.split.kinship import Kinship, large_chains, split_leaks
from graticule.split.seal import held_out_key, opened_by

_MAX_PAIRS = 10_000
_MAX_SIZES = 50
_EXAMPLES = 6
_TUNED = 2


def leak_rows(samples: Samples, kinship: Kinship) -> tuple[LeakRow, ...]:
    """Leaks of the parts that the data bring, and a test part that models were scored on again and again."""
    manifest = samples.manifest
    leaks = [leak.describe(manifest.path) for leak in split_leaks(manifest, kinship)]
    split = manifest.split
    if split is not None and (split == "test").any():
        models = opened_by(held_out_key(samples, split))
        if len(models) >= _TUNED:
            what = f"{len(models)} models were scored on the test part on this machine"
            leaks.append({"kind": "tuning", "parts": ["test"], "what": what, "n": int((split == "test").sum())})
    return tuple(LeakRow.model_validate(leak) for leak in leaks)


def group_column(manifest: Manifest, option: str) -> GroupColumn | None:
    """The groups in use; `option` is the name of the column, or "auto"."""
    group = manifest.group
    if group is None:
        return None
    pairs = {(str(label), str(name)) for label, name in zip(manifest.label, group, strict=True) if name}
    return GroupColumn(
        column="group" if option == "auto" else option,
        n=len({name for _, name in pairs}),
        per_class={label: sum(own == label for own, _ in pairs) for label in manifest.classes},
    )


def size_counts(samples: Samples) -> tuple[SizeCount, ...]:
    """Sizes in pixels, the most frequent first, at most 50."""
    sizes = Counter((item.width, item.height, item.mode) for item in samples.info)
    ranked = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MAX_SIZES]
    return tuple(SizeCount(width=w, height=h, mode=mode, n=n) for (w, h, mode), n in ranked)


def format_counts(samples: Samples) -> tuple[FormatCount, ...]:
    """File formats, compressions and depths, the most frequent first."""
    formats: Counter[tuple[str, str, int]] = Counter()
    for item, facts in zip(samples.info, samples.facts(), strict=True):
        formats[facts.file_format, facts.compression, int(item.mode.partition(", ")[2].split()[0])] += 1
    ranked = sorted(formats.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FormatCount(format=f, compression=c, bits=bits, n=n) for (f, c, bits), n in ranked)


def copies(manifest: Manifest, kinship: Kinship) -> dict[str, Any]:
    """Families of copies, the pairs that make them, and which stand under two labels: five parts by name."""
    path, label = [escape_path(p) for p in manifest.path], [str(name) for name in manifest.label]

    def row(pair: Pair) -> CopyPair:
        return CopyPair(
            a=path[pair.a],
            b=path[pair.b],
            kind=pair.kind,
            labels=(label[pair.a], label[pair.b]),
            similarity=round(float(pair.similarity), 4),
            change=pair.change,
        )

    def family_row(family: Family) -> CopyFamily:
        return CopyFamily(
            n=len(family.rows),
            kind=family.kind,
            complete=family.complete,
            paths=tuple(path[i] for i in family.rows),
            labels=tuple(label[i] for i in family.rows),
            similarity=round(float(family.similarity), 4),
            changes=family.changes,
        )

    found = families(kinship.pairs)
    differing = [family for family in found if under_two_labels(family, label)]
    chains = large_chains(kinship, manifest)
    return {
        "duplicates": tuple(row(pair) for pair in kinship.pairs[:_MAX_PAIRS]),
        "n_duplicates": {kind: sum(pair.kind == kind for pair in kinship.pairs) for kind in ("exact", "near")},
        "families": tuple(family_row(family) for family in found[:_MAX_PAIRS]),
        "components": CopyCounts(
            **counts(found),
            two_labels=FamilyCounts(**counts(differing)),
            largest=_largest(kinship, manifest) if found else None,
            notes=tuple(f"{n} images, {share:.0%} of class {name!r}, such as {p}" for n, share, name, p in chains),
        ),
        "conflicts": tuple(row(pair) for pair in conflicts(kinship.pairs, label)[:_MAX_PAIRS]),
    }


def _largest(kinship: Kinship, manifest: Manifest) -> LargestFamily:
    """Size of the largest component, and its share of the class that most of it is of."""
    rows = np.flatnonzero(kinship.near == np.bincount(kinship.near).argmax())
    name, n = Counter(manifest.label[rows].tolist()).most_common(1)[0]
    return LargestFamily(n=len(rows), share=n / int((manifest.label == name).sum()), class_=str(name))


def info_bar_counts(samples: Samples, instruments: Instruments) -> InfoBarCounts:
    """Images with an info bar, in all and of each class."""
    has_bar = instruments.bar_rows > 0
    rows = instruments.bar_rows[has_bar]
    return InfoBarCounts(
        n=int(has_bar.sum()),
        per_class=dict(sorted(Counter(samples.manifest.label[has_bar].tolist()).items())),
        rows=(int(rows.min()), int(rows.max())) if len(rows) else None,
    )


def note_counts(samples: Samples, instruments: Instruments) -> tuple[NoteCount, ...]:
    """What reader and instrument files remarked, with counts and examples."""
    told: dict[str, list[str]] = {}
    for path, notes in zip(samples.manifest.path, instruments.notes, strict=True):
        for note in notes:
            told.setdefault(note, []).append(path)
    ranked = sorted(told.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        NoteCount(note=note, n=len(paths), examples=tuple(escape_path(p) for p in paths[:_EXAMPLES]))
        for note, paths in ranked
    )


def examples_of(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """A few images per class, evenly spread over the paths, so that several groups are among them."""
    chosen = {}
    for name in manifest.classes:
        rows = np.flatnonzero(manifest.label == name)
        spread = rows[np.unique(np.linspace(0, len(rows) - 1, min(_EXAMPLES, len(rows))).astype(int))]
        chosen[name] = tuple(escape_path(str(manifest.path[row])) for row in spread)
    return chosen
