"""Rules of an audit on samples: labels, parts, files, groups, repeats and counts."""

import re
import shlex
from collections.abc import Mapping

from graticule.audit.advice import Finding, named
from graticule.audit.document import AuditDocument, AuditedImages, LeakRow
from graticule.plain_text import plural
from graticule.split.duplicates.words import in_families, kinds_of

FOLDS = 5
FEW_IMAGES = 30
FEW_GROUPS = 10
_UNREADABLE_SHARE = 0.05
_IMBALANCE = 5.0
_GROUP_HINT = re.compile(r"--group (?!none\b)(.+)$")


def too_few_classes(document: AuditDocument) -> list[Finding]:
    """Fewer than two classes."""
    classes = {name: n for name, n in document.classes.items() if n}
    if len(classes) > 1:
        return []
    what = f"There is only the class {named(classes)}" if classes else "No image has a label"
    return [
        Finding(
            what,
            "A classifier needs at least two classes to tell apart.",
            "Put the images into one folder per class, or write their classes into the column `label` of a manifest.",
        )
    ]


def two_labels(document: AuditDocument) -> list[Finding]:
    """The same picture under two labels."""
    found = document.components.two_labels
    if not found.n:
        return []
    return [
        Finding(
            f"One picture, two labels: {in_families(found.images, found.n)} of copies "
            f"({kinds_of(found.exact, found.near)})",
            "At least one label of each family is wrong, or the classes cannot be told apart in it. A classifier "
            "learns both labels, and whatever it answers counts as an error for one of the two.",
            "Look at each family. Correct the labels in the manifest (in class folders: move the files). Remove all "
            "its images where nobody can decide. Nearly identical pictures may show several objects: keep those that "
            "do.",
        )
    ]


_LEAK_WORDS = {
    "group": ("group", "groups"),
    "duplicate": ("set of identical pictures", "sets of identical pictures"),
    "near-duplicate": ("set of nearly identical pictures", "sets of nearly identical pictures"),
}


def leaks(document: AuditedImages) -> list[Finding]:
    """Groups or pictures that lie in two parts of a split: one advice for each kind and pair of parts."""
    sets: dict[tuple[str, tuple[str, ...]], list[LeakRow]] = {}
    for row in document.leaks:
        sets.setdefault((row.kind, row.parts), []).append(row)
    column = document.groups.column if document.groups else "COLUMN"
    found = []
    for (kind, parts), rows in sets.items():
        n = sum(row.n for row in rows)
        if kind == "tuning":
            found += [_tuning(row) for row in rows]
            continue
        held_out = "test" in parts
        what = plural(len(rows), *_LEAK_WORDS.get(kind, ("leak", "leaks")))
        title = f"{what} in {' and '.join(parts)} ({plural(n, 'image')}): {named([row.what for row in rows], 3)}"
        if held_out:
            why = (
                ("Images of one group resemble each other" if kind == "group" else "A copy is known once it is learnt")
                + ". A classifier that has learnt from some of them is tested on what it knows, so the figure for the "
                "test part is too good for anything new."
            )
        else:
            why = (
                "Settings chosen on one of these parts with pictures known from the other look better than they are. "
                "Here train and val are cross-validated together with such pictures on one side of each fold; "
                "programs that tune on val are misled."
            )
        group = f" --group {shlex.quote(column)}" if kind == "group" else ""
        command = f"`graticule train DATA --out RUN --test-size 0.2{group}`"
        do = (
            "Put each wholly into one part (column `split`, or the split folders). Or give no parts and let the "
            f"program hold out whole {'groups' if group else 'sets'}: {command}."
            + (" With `--allow-leaks` it measures all the same, and the report says so." if held_out else "")
        )
        found.append(Finding(title, why, do, harm="high" if held_out else "medium"))
    return found


def _tuning(row: LeakRow) -> Finding:
    return Finding(
        f"The test part is worn: {row.what}",
        "Of several models the best on the test part is partly the luckiest there. Its figure is too good, the more so "
        "the more models were compared.",
        "Choose between models by cross-validation. Set fresh images aside as test part for the one that was chosen.",
        harm="medium",
    )


def unreadable(document: AuditedImages) -> list[Finding]:
    """Files that cannot be read; graver from 5 % on."""
    n = len(document.unreadable)
    if not n:
        return []
    share = n / max(n, document.n)
    return [
        Finding(
            f"{plural(n, 'file')} cannot be read",
            "They are in no figure. Where one class or instrument fails more often than another, the results hold for "
            "a selection only.",
            "Copy the files again from the instrument, or export them as PNG or TIFF. Remove those that are no images "
            "(rows of the manifest, or files). Otherwise `train` leaves them out and ends with exit code 3.",
            harm="high" if share >= _UNREADABLE_SHARE else "medium",
        )
    ]


def missing_groups(document: AuditedImages) -> list[Finding]:
    """No group column in use, though there are signs of groups."""
    if document.groups:
        return []
    hints = [match[1] for text in document.warnings if (match := _GROUP_HINT.search(text))]
    near = document.components.near
    if not hints and not near:
        return []
    signs = [f"a column named “{hint}”" for hint in hints[:1]]
    if near:
        signs.append(f"{plural(near, 'family', 'families')} of near-duplicates")
    return [
        Finding(
            f"No group column is in use, though there are signs of groups: {' and '.join(signs)}",
            "Images of one patient, slide, lot or micrograph resemble each other. With some of them in the training "
            "folds and some in the test fold, the figures and their intervals are too good for new specimens.",
            f"Use `--group {shlex.quote(hints[0])}` in `audit` and `train`."
            if hints
            else "Write the specimen of each image into the column `group` of a manifest (`path,label,group`); "
            "`train` then keeps each group on one side. A column of another name: `--group COLUMN`.",
        )
    ]


def large_components(document: AuditDocument) -> list[Finding]:
    """Sets of look-alikes that hold a good part of a class: those the audit notes, or one larger than a fold."""
    found, largest = document.components, document.components.largest
    if largest is None or not (found.notes or largest.share > 1 / FOLDS):
        return []
    return [
        Finding(
            f"Look-alikes chain into large families, the largest of {plural(largest.n, 'image')}: "
            f"{100 * largest.share:.0f} % of class “{largest.class_}”",
            "Pictures that repeat must stay on one side of a split. Large families make uneven folds, and the figures "
            "rest on fewer independent pictures than it seems. If they only look alike, joining them wastes images.",
            "Look at some of them. Same objects: `--near-duplicates join` in `train`, or name what they share in a "
            "column and use `--group`; of a recording keep every tenth frame or so. Different objects that look "
            "alike: `--near-duplicates exact`.",
        )
    ]


def repeats(document: AuditedImages) -> list[Finding]:
    """Pictures that repeat under one label or more."""
    found = document.components
    if not found.n:
        return []
    return [
        Finding(
            f"Pictures repeat: {in_families(found.images, found.n)} of copies ({kinds_of(found.exact, found.near)})",
            "A repeated picture counts more than once in every figure. On both sides of a split it is known before it "
            "is tested; `train` keeps a family on one side, other programs do not.",
            "Keep one picture of each family: remove the rows of the others from the manifest, or the files. Keep "
            "nearly identical pictures that show different objects.",
            harm="medium" if found.near else "low",
        )
    ]


def small_classes(document: AuditDocument) -> list[Finding]:
    """Classes with too few images, or groups, for five folds or for a useful interval."""
    classes = {name: n for name, n in document.classes.items() if n}
    groups = document.groups.per_class if document.groups else {}
    unit = {name: min(n, groups.get(name, n)) for name, n in classes.items()}
    found = []
    tiny = {name: n for name, n in unit.items() if n < FOLDS}
    if tiny:
        what = "images or groups" if groups else "images"
        found.append(
            Finding(
                f"Fewer than {FOLDS} {what}: {named(_rising(tiny))}",
                f"{FOLDS} folds cannot each hold one of them: some folds test without the class, and the classifier of "
                "another has hardly seen it.",
                f"Add images of these classes from new specimens, use `--folds {max(2, min(tiny.values()))}`, or leave "
                "the classes out until there are more.",
            )
        )
    few = {name: n for name, n in classes.items() if n < FEW_IMAGES and name not in tiny}
    if few:
        n = min(few.values())
        # Wilson's lower bound for n right of n is n / (n + z^2), z^2 = 3.84 at 95 %
        found.append(
            Finding(
                f"Fewer than {FEW_IMAGES} images: {named(_rising(few))}",
                f"Even {n} right of {n} leave a 95 % interval that starts at {100 * n / (n + 3.84):.0f} %: no figure "
                "of these classes will be sharp.",
                "Add images, best from new specimens. Read the figures of these classes by their intervals.",
                harm="low",
            )
        )
    return found


def _rising(classes: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(classes.items(), key=lambda item: (item[1], item[0])))


def few_groups(document: AuditedImages) -> list[Finding]:
    """Too few groups for an interval."""
    groups = document.groups
    if groups is None or not 0 < groups.n < FEW_GROUPS:
        return []
    return [
        Finding(
            f"Only {plural(groups.n, 'group')} in the column “{groups.column}”",
            f"How results differ from group to group is learnt from {groups.n} cases. Below {FEW_GROUPS} no interval "
            "keeps its promise, so none is given.",
            "Add specimens rather than images of the same ones. Check that the column names what you want results to "
            "hold for; another one: `--group COLUMN`.",
        )
    ]


def imbalance(document: AuditDocument) -> list[Finding]:
    """A largest class at least five times the smallest."""
    classes = {name: n for name, n in document.classes.items() if n}
    if len(classes) < 2 or max(classes.values()) < _IMBALANCE * min(classes.values()):
        return []
    most, least = max(classes, key=lambda name: classes[name]), min(classes, key=lambda name: classes[name])
    always = 100 * classes[most] / sum(classes.values())
    return [
        Finding(
            f"Classes are uneven: “{most}” {classes[most]:,}, “{least}” {classes[least]:,}",
            f"Always answering “{most}” is right for {always:.0f} % of the images: accuracy says little of rare ones.",
            "Judge by balanced accuracy and by the sensitivity and precision of each class. Where rare ones matter "
            "most, add images of them.",
        )
    ]


def synthetic(document: AuditedImages) -> list[Finding]:
    """Generated images among the samples."""
    if not document.n_synthetic:
        return []
    return [
        Finding(
            f"{plural(document.n_synthetic, 'image')} marked as synthetic",
            "A figure measured on generated images says how well the generator is recognised. `train` uses them for "
            "training alone; they never stand in a test fold.",
            "Nothing, if the column `origin` is right; otherwise correct it.",
        )
    ]


def synthetic_without_parents(document: AuditedImages) -> list[Finding]:
    """Generated images of which it is not known what they were made from."""
    if not document.without_parents:
        return []
    return [
        Finding(
            "`train` refuses these images: synthetic ones do not say what they were made from",
            f"{document.without_parents[:1].upper()}{document.without_parents[1:]}.",
            "Put the table of parents beside the data, or leave the synthetic images out, before you train.",
        )
    ]


def synthetic_unproven(document: AuditedImages) -> list[Finding]:
    """Generated images that no gate accepted."""
    if not document.unproven:
        return []
    return [
        Finding(
            "`train` refuses these images: synthetic ones were not accepted by a gate",
            f"{document.unproven[:1].upper()}{document.unproven[1:]}.",
            "Judge them with `graticule synthesize --check`, or leave them out. Class weights, turned images and more "
            "labels come first.",
        )
    ]
