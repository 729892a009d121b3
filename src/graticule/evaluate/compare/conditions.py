"""Whether runs can be compared fairly: the same images behind the same paths, divided alike, and none knew its exam."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from graticule.arrays import StrArray, object_array
from graticule.errors import RunError
from graticule.evaluate.compare.alignment import ordinal
from graticule.gates import unproven_words
from graticule.manifest import Manifest, escape_path
from graticule.predictions import Predictions
from graticule.values import Values

# options that decide how images are divided
_DIVIDING = ("folds", "test_size", "calibration", "seed", "group", "near_duplicates", "allow_leaks")
Place = tuple[str, int]


ScoredTable = TypeVar("ScoredTable", Predictions, Values)


@dataclass(frozen=True)
class FinishedRun(Generic[ScoredTable]):
    """A finished run or evaluation: its folder, record, scored samples and samples as read."""

    folder: Path
    record: dict[str, Any]
    predictions: ScoredTable
    manifest: Manifest

    @property
    def name(self) -> str:
        """The folder as notes write it."""
        return escape_path(str(self.folder))

    @property
    def trained(self) -> bool:
        """Whether it divided its images itself; an evaluation did not."""
        return self.record.get("verb") != "evaluate"


def check_images(runs: Sequence[FinishedRun[Any]], part: str) -> list[str]:
    """Refuse runs that saw other images under the same paths; notes where that is not known.

    Parameters
    ----------
    runs : sequence of two or more FinishedRun
        Each is held against the first.
    part : str
        The part that is compared.

    Raises
    ------
    RunError
        With the number of images whose files differ, and an example.
    """
    scored = [set(run.predictions.of_part(part).sample_id.tolist()) for run in runs]
    first, known = runs[0], [_by_sample(run.manifest, "sha256") for run in runs]
    notes = []
    for k, other in enumerate(runs[1:], start=1):
        shared = scored[0] & scored[k]
        told = [sample for sample in shared if known[0].get(sample) and known[k].get(sample)]
        differ = {sample for sample in told if known[0][sample] != known[k][sample]}
        if differ:
            paths = zip(first.manifest.sample_id.tolist(), first.manifest.path.tolist(), strict=True)
            example = escape_path(min(path for sample, path in paths if sample in differ))
            raise RunError(
                f"cannot compare: {len(differ)} of {len(shared)} images have the same path in the first and the "
                f"{ordinal(k)} run but are different files, for example {example!r}. Runs are paired by the paths of "
                "their images: train or evaluate all of them on the same files"
            )
        if len(told) < len(shared) and _hashes_differ(first, other):
            notes.append(
                f"{first.name} and {other.name} may have seen different images under the same paths: the hashes of "
                "their data differ, although paths and labels agree, and not both runs tell the hash of each image "
                "(those of earlier versions do not). Then nothing here holds. Train both again to be sure."
            )
    return notes


def _by_sample(manifest: Manifest, column: str) -> dict[str, str]:
    """A column by sample_id; empty where the run does not have it."""
    values = manifest.columns.get(column)
    return {} if values is None else dict(zip(manifest.sample_id.tolist(), values.tolist(), strict=True))


def _hashes_differ(a: FinishedRun[Any], b: FinishedRun[Any]) -> bool:
    """Whether the files of two runs on the same paths and labels are not the same, by the hash of all their data."""
    hashes = [(run.record.get("data") or {}).get("sha256") for run in (a, b)]
    if not all(hashes) or hashes[0] == hashes[1]:
        return False
    labels = [dict(zip(run.manifest.sample_id.tolist(), run.manifest.answers.tolist(), strict=True)) for run in (a, b)]
    return labels[0] == labels[1]


def division_notes(runs: Sequence[FinishedRun[Any]]) -> list[str]:
    """One note per later run whose images were divided in another way than those of the first, naming the options."""
    first, notes = runs[0], []
    for other in runs[1:]:
        if not (first.trained and other.trained) or _alike(_places(first), _places(other)):
            continue
        told = [f"{name} {a} against {b}" for name, a, b in _options(first, other) if a != b]
        why = ", ".join(told) or "with equal options, so the images, groups or versions differ"
        notes.append(
            f"{first.name} and {other.name} divided the images differently ({why}). Their models were trained on other "
            "shares of the images, and part of the difference may come from that."
        )
    return notes


def _places(run: FinishedRun[Any]) -> dict[str, Place]:
    """Part and fold of each scored sample."""
    scored = run.predictions
    rows = zip(scored.sample_id.tolist(), scored.part.tolist(), scored.fold.tolist(), strict=True)
    return {sample: (str(part), int(fold)) for sample, part, fold in rows}


def _alike(a: dict[str, Place], b: dict[str, Place]) -> bool:
    """Whether two divisions agree on the samples of both, whatever the numbers of the folds."""
    pairs = {(place, b[sample]) for sample, place in a.items() if sample in b}
    parts_agree = all(one[0] == other[0] for one, other in pairs)
    return parts_agree and len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def _options(a: FinishedRun[Any], b: FinishedRun[Any]) -> list[tuple[str, Any, Any]]:
    """Options that decide on the division, as written on the command line, with the values of both runs."""
    one, other = (run.record.get("options") or {} for run in (a, b))
    return [(_written(name), one[name], other[name]) for name in _DIVIDING if name in one and name in other]


def _written(name: str) -> str:
    return "--" + name.replace("_", "-")


def check_synthetic(runs: Sequence[FinishedRun[Any]]) -> list[str]:
    """Refuse runs whose synthetic training images may be children of judged ones.

    Doubts about those that only say that they are none, or that no gate accepted.

    Raises
    ------
    RunError
        When a run was trained with synthetic images of which nothing is known.
    """
    doubts = []
    for run in runs:
        n = int(run.record.get("n_synthetic") or 0) if run.trained else 0
        told = run.record.get("generators") or {}
        known, words = told.get("parents"), unproven_words(told.get("gates") or {}) if run.trained else None
        if n and known is None:
            raise RunError(
                f"{run.name} was trained with {n:,} synthetic images, and it is not known which real images they were "
                "made from: where those are judged its figures are too good. Train it again with a table of parents"
            )
        if words:
            doubts.append(f"{run.name}: {words}")
        if n and known == "none":
            doubts.append(
                f"{run.name} was trained with {n:,} synthetic images. That they were made without any judged image "
                "was said (--parents none), not shown."
            )
    return doubts


def too_good(runs: Sequence[FinishedRun[Any]], part: str) -> list[str | None]:
    """Why the figures of each run are too good, in words; None where nothing tells that they are.

    Images of one group on both sides of a split are looked for with the groups that any of the runs names. Without
    such names a run that was told to ignore groups is taken at its word.

    Parameters
    ----------
    runs : sequence of FinishedRun
        All that are compared.
    part : "cv" or "test"
    """
    named = [groups for groups in (_by_sample(run.manifest, "group") for run in runs) if groups]
    return [_too_good(run, named, part) if run.trained else None for run in runs]


def _too_good(run: FinishedRun[Any], named: Sequence[dict[str, str]], part: str) -> str | None:
    off = (run.record.get("options") or {}).get("group") == "none"
    words = "groups were switched off with --group none"
    leaks = [leak for leak in run.record.get("leaks") or [] if "test" in leak["parts"]]
    if part == "test" and leaks:
        what = "group or set of copies is" if len(leaks) == 1 else "groups or sets of copies are"
        return f"{len(leaks):,} {what} on both sides of its split"
    if not named:
        return words if off else None
    places = _places(run)
    n, of = max(_straddling(places, groups, part) for groups in named)
    if not n:
        return None
    found = f"images of {n:,} of {of:,} groups are on both sides of its splits"
    return f"{words}, and {found}" if off else found


def _straddling(places: dict[str, Place], groups: dict[str, str], part: str) -> tuple[int, int]:
    """Groups with an image of this part that a model scored after training on others of the group; groups in all."""
    seen: defaultdict[str, set[Place]] = defaultdict(set)
    for sample, place in places.items():
        name = groups.get(sample)
        if name and place[0] in ("cv", part):
            seen[name].add(place)
    scored = [own for own in seen.values() if any(place[0] == part for place in own)]
    return sum(len(own) > 1 for own in scored), len(scored)


def common_part(runs: Sequence[FinishedRun[Any]]) -> str:
    """ "cv" where all runs have it, else "test"."""
    for part in ("cv", "test"):
        if all((run.predictions.part == part).any() for run in runs):
            return part
    has = [f"{run.folder} has {' and '.join(sorted(set(run.predictions.part))) or 'no rows'}" for run in runs]
    raise RunError(
        f"cannot compare: no part (cv, test) is in all runs: {', '.join(has)}. Train all with the same folds and "
        "--test-size, or evaluate all on the same images"
    )


def common_groups(runs: Sequence[FinishedRun[Any]], first: Predictions | Values) -> tuple[StrArray | None, str | None]:
    """Group of each row of the first run, from the first run that names groups for all of them."""
    for k, run in enumerate(runs):
        if run.manifest.group is None:
            continue
        by_id = dict(zip(run.manifest.sample_id.tolist(), run.manifest.group.tolist(), strict=True))
        if k and not all(by_id.get(i) for i in _shared(runs)):
            continue
        # samples that are in the first run alone are left out of the comparison; their group does not matter
        group = object_array([str(by_id.get(i) or f"sample {i}") if k else str(by_id[i]) for i in first.sample_id])
        note = f"Groups are those of {run.folder}; the first run was evaluated without groups." if k else None
        return group, note
    return None, None


def _shared(runs: Sequence[FinishedRun[Any]]) -> set[str]:
    return set.intersection(*(set(run.predictions.sample_id.tolist()) for run in runs))
